/// Why a whole file could not be read. Never holds anything of the file's content, nor its name.
///
/// What is wrong with one resource, line or row inside a file that can be read is not an error but a [`crate::Remark`] in `skipped`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordsError {
    /// Larger than [`crate::Limits`] allows.
    #[error(
        "this file is larger than the {limit_mib} MiB that can be imported at once; split it or export in parts"
    )]
    TooLarge {
        /// The limit, in MiB.
        limit_mib: u64,
    },
    /// More resources, rows or archive members than [`crate::Limits`] allows.
    #[error("this file holds more than {limit} pieces; split it or export in parts")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// More skipped pieces than anyone would read: this is not the kind of file it seems to be.
    #[error(
        "more than {limit} pieces of this file could not be read; it is damaged or not an export"
    )]
    TooManySkipped {
        /// The limit.
        limit: usize,
    },
    /// Nested deeper than [`crate::Limits`] allows.
    #[error("this file is nested deeper than {limit} levels; no real record is")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// Not UTF-8 where UTF-8 is required (RFC 8259 for JSON).
    #[error("this file is not UTF-8 text; export it again as UTF-8")]
    NotUtf8,
    /// Not JSON, or cut short.
    #[error("this is not complete JSON (line {line}, column {column}); the file may be cut short")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// JSON, but neither a FHIR resource nor a list of them.
    #[error("this is JSON but not FHIR: a resource has a \"resourceType\"")]
    NotFhir,
    /// Not XML, or cut short.
    #[error("this is not complete XML (byte {at}); the file may be cut short")]
    Xml {
        /// Byte offset in the text.
        at: u64,
    },
    /// A document type declaration: refused because it can name other files and grow without bound.
    #[error(
        "this XML has a document type declaration (DOCTYPE), which is refused; a C-CDA has none"
    )]
    XmlDoctype,
    /// An entity other than the five of XML itself.
    #[error(
        "this XML uses an entity it cannot define (byte {at}); a C-CDA has only the five of XML"
    )]
    XmlEntity {
        /// Byte offset in the text.
        at: u64,
    },
    /// A text encoding that is not known.
    #[error("this XML names a text encoding that is not known; export it again as UTF-8")]
    XmlEncoding,
    /// No line with columns was found.
    #[error("no table was found: a roster has a first line with the names of its columns")]
    NoTable,
    /// The mapping has no column for a name.
    #[error("say which column holds the name (family and given name, or the full name)")]
    NoNameColumn,
    /// The mapping does not fit the sheet.
    #[error("the column mapping does not fit this file: it has {columns} columns")]
    MappingWidth {
        /// Columns of the sheet.
        columns: usize,
    },
    /// Dates such as 03/04/1980 could be read in two ways.
    #[error(
        "birth dates such as 03/04/1980 can be read in two ways here; choose day first or month first"
    )]
    DateOrderNeeded,
    /// Not a zip archive, or cut short.
    #[error("this zip archive is damaged or cut short")]
    Zip,
    /// The archive would unpack to more than [`crate::Limits`] allows.
    #[error("this archive unpacks to far more than its size warrants and was refused")]
    ZipBomb,
    /// FHIR in XML.
    #[error("this is FHIR in XML; export it again as JSON")]
    FhirXml,
    /// Nothing that can be imported.
    #[error("this kind of file cannot be imported; FHIR JSON, C-CDA, CSV, PDF and zip can")]
    UnknownFormat,
}

impl RecordsError {
    /// A stable word for programs, kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            RecordsError::TooLarge { .. } => "file-too-large",
            RecordsError::TooMany { .. } => "too-many-pieces",
            RecordsError::TooManySkipped { .. } => "too-many-skipped",
            RecordsError::TooDeep { .. } => "too-deep",
            RecordsError::NotUtf8 => "not-utf8",
            RecordsError::Json { .. } => "json-syntax",
            RecordsError::NotFhir => "not-fhir",
            RecordsError::Xml { .. } => "xml-syntax",
            RecordsError::XmlDoctype => "xml-doctype",
            RecordsError::XmlEntity { .. } => "xml-entity",
            RecordsError::XmlEncoding => "xml-encoding",
            RecordsError::NoTable => "no-table",
            RecordsError::NoNameColumn => "no-name-column",
            RecordsError::MappingWidth { .. } => "mapping-width",
            RecordsError::DateOrderNeeded => "date-order-needed",
            RecordsError::Zip => "zip-damaged",
            RecordsError::ZipBomb => "zip-bomb",
            RecordsError::FhirXml => "fhir-xml",
            RecordsError::UnknownFormat => "unknown-format",
        }
    }
}
