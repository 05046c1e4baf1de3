use crate::text::decode;

/// Bytes from the start of a file that [`detect`] looks at.
const LOOK: usize = 64 << 10;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// FHIR in JSON: a bundle, a resource or an array.
    FhirJson,
    /// FHIR as bulk NDJSON, a resource per line.
    FhirNdjson,
    /// FHIR in XML, which is not read.
    FhirXml,
    /// A C-CDA document or a fragment of one.
    Ccda,
    /// A patient list as CSV.
    Roster,
    /// A zip archive.
    Zip,
    /// A document kept as it is.
    Document(DocumentKind),
    /// None of these.
    Unknown,
}

/// What kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// PDF.
    Pdf,
    /// Word, Excel, OpenDocument and their like.
    Office,
    /// A picture.
    Image,
    /// Plain text.
    Text,
    /// HTML.
    Html,
    /// Rich text.
    Rtf,
}

impl DocumentKind {
    /// `document/...`, for [`crate::ImportItem::schema`].
    pub const fn schema(self) -> &'static str {
        match self {
            DocumentKind::Pdf => "document/pdf",
            DocumentKind::Office => "document/office",
            DocumentKind::Image => "document/image",
            DocumentKind::Text => "document/text",
            DocumentKind::Html => "document/html",
            DocumentKind::Rtf => "document/rtf",
        }
    }

    /// The media type, from the first bytes and the name's ending.
    pub(crate) fn content_type(self, name: &str, bytes: &[u8]) -> &'static str {
        match self {
            DocumentKind::Pdf => "application/pdf",
            DocumentKind::Text => "text/plain",
            DocumentKind::Html => "text/html",
            DocumentKind::Rtf => "application/rtf",
            DocumentKind::Image => match bytes {
                [0xFF, 0xD8, ..] => "image/jpeg",
                [0x89, b'P', ..] => "image/png",
                [b'G', b'I', ..] => "image/gif",
                [b'I', b'I', ..] | [b'M', b'M', ..] => "image/tiff",
                [b'R', b'I', ..] => "image/webp",
                _ => "image/heic",
            },
            DocumentKind::Office => match ending(name).as_str() {
                "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "pptx" => {
                    "application/vnd.openxmlformats-officedocument.presentationml.presentation"
                }
                "odt" => "application/vnd.oasis.opendocument.text",
                "ods" => "application/vnd.oasis.opendocument.spreadsheet",
                "doc" => "application/msword",
                "xls" => "application/vnd.ms-excel",
                _ => "application/octet-stream",
            },
        }
    }
}

/// The ending of a name, lower case, without the point; empty when there is none.
pub(crate) fn ending(name: &str) -> String {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    match file.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && ending.len() <= 8 => {
            ending.to_ascii_lowercase()
        }
        _ => String::new(),
    }
}

/// What a file is, from its first bytes (64 KiB are plenty) and, where they leave it open, the ending of its name.
pub fn detect(name: &str, first_bytes: &[u8]) -> Format {
    let bytes = first_bytes
        .get(..first_bytes.len().min(LOOK))
        .unwrap_or_default();
    let ending = ending(name);
    if let Some(format) = by_magic(&ending, bytes) {
        return format;
    }
    // A prefix may end inside a character, so the last few bytes do not decide about the encoding.
    let whole = match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => {
            bytes.get(..error.valid_up_to()).unwrap_or_default()
        }
        _ => bytes,
    };
    let (text, _) = decode(whole);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.bytes().take(2048).any(|b| b == 0) {
        return Format::Unknown;
    }
    match text.as_bytes().first() {
        None => Format::Unknown,
        Some(b'{') => json_kind(&ending, text),
        Some(b'[') if ending != "csv" && ending != "txt" => Format::FhirJson,
        Some(b'<') => xml_kind(&ending, text),
        _ => text_kind(&ending, text),
    }
}

fn by_magic(ending: &str, bytes: &[u8]) -> Option<Format> {
    use DocumentKind::{Image, Office, Pdf, Rtf};
    let head = bytes.get(..bytes.len().min(1024)).unwrap_or_default();
    let document = match bytes {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => {
            let first_name = bytes.get(30..).unwrap_or_default();
            let office = matches!(
                ending,
                "docx"
                    | "xlsx"
                    | "pptx"
                    | "odt"
                    | "ods"
                    | "odp"
                    | "pages"
                    | "numbers"
                    | "epub"
                    | "docm"
                    | "xlsm"
            ) || ["[Content_Types].xml", "mimetype", "_rels/", "word/", "xl/"]
                .iter()
                .any(|name| first_name.starts_with(name.as_bytes()));
            return Some(if office {
                Format::Document(Office)
            } else {
                Format::Zip
            });
        }
        [0xD0, 0xCF, 0x11, 0xE0, ..] => Office,
        [0xFF, 0xD8, 0xFF, ..] | [0x89, b'P', b'N', b'G', ..] | [b'G', b'I', b'F', b'8', ..] => {
            Image
        }
        [b'I', b'I', 0x2A, 0, ..] | [b'M', b'M', 0, 0x2A, ..] => Image,
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Image,
        [_, _, _, _, b'f', b't', b'y', b'p', b'h' | b'm', ..]
            if matches!(ending, "heic" | "heif") =>
        {
            Image
        }
        [b'{', b'\\', b'r', b't', b'f', ..] => Rtf,
        _ if memchr::memmem::find(head, b"%PDF-").is_some_and(|at| {
            head.get(..at)
                .is_some_and(|before| !before.contains(&b'{') && !before.contains(&b'<'))
        }) =>
        {
            Pdf
        }
        _ => return None,
    };
    Some(Format::Document(document))
}

fn json_kind(ending: &str, text: &str) -> Format {
    if matches!(ending, "ndjson" | "jsonl") {
        return Format::FhirNdjson;
    }
    // Two lines that are objects of their own are NDJSON whatever the name.
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    match (lines.next(), lines.next()) {
        (Some(first), Some(second))
            if first.len() > 2 && first.ends_with('}') && second.starts_with('{') =>
        {
            Format::FhirNdjson
        }
        _ => Format::FhirJson,
    }
}

fn xml_kind(ending: &str, text: &str) -> Format {
    let lower = text
        .get(..floor(text, 400))
        .unwrap_or_default()
        .to_ascii_lowercase();
    if lower.starts_with("<!doctype html") || lower.starts_with("<html") || lower.contains("<html")
    {
        return Format::Document(DocumentKind::Html);
    }
    if text.contains("http://hl7.org/fhir\"") || text.contains("http://hl7.org/fhir'") {
        return Format::FhirXml;
    }
    // Documents say which vocabulary they use; fragments at least use its identifiers or its words.
    let words = [
        "ClinicalDocument",
        "urn:hl7-org:v3",
        "2.16.840.1.113883",
        "<templateId",
        "<recordTarget",
        "classCode=",
        "<section",
        "<entry",
    ];
    if words.iter().any(|word| text.contains(word)) {
        return Format::Ccda;
    }
    if matches!(ending, "htm" | "html") {
        Format::Document(DocumentKind::Html)
    } else {
        Format::Unknown
    }
}

fn text_kind(ending: &str, text: &str) -> Format {
    match ending {
        "csv" | "tsv" | "tab" | "psv" => Format::Roster,
        "ndjson" | "jsonl" => Format::FhirNdjson,
        "json" => Format::FhirJson,
        "txt" | "md" | "text" | "" => {
            let columns = |line: &str| {
                [',', ';', '\t', '|']
                    .iter()
                    .map(|d| line.matches(*d).count())
                    .max()
                    .unwrap_or(0)
            };
            let mut lines = text.lines().filter(|line| !line.trim().is_empty());
            let table = match (lines.next(), lines.next()) {
                (Some(first), Some(second)) => {
                    columns(first) >= 2 && columns(first) == columns(second) && first.len() < 2000
                }
                _ => false,
            };
            if table {
                Format::Roster
            } else if ending.is_empty() {
                Format::Unknown
            } else {
                Format::Document(DocumentKind::Text)
            }
        }
        _ => Format::Unknown,
    }
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_bytes_first() {
        assert_eq!(
            detect("a.json", b"{\"resourceType\":\"Bundle\""),
            Format::FhirJson
        );
        assert_eq!(
            detect(
                "a",
                b"{\"resourceType\":\"Patient\"}\n{\"resourceType\":\"Patient\"}"
            ),
            Format::FhirNdjson
        );
        assert_eq!(
            detect("a.ndjson", b"{\"resourceType\":\"Patient\"}"),
            Format::FhirNdjson
        );
        assert_eq!(
            detect(
                "x",
                b"\xEF\xBB\xBF<?xml version=\"1.0\"?><ClinicalDocument xmlns=\"urn:hl7-org:v3\"/>"
            ),
            Format::Ccda
        );
        assert_eq!(
            detect("x.xml", b"<Bundle xmlns=\"http://hl7.org/fhir\"/>"),
            Format::FhirXml
        );
        assert_eq!(detect("x.csv", b"Name;Geb\xE4\n"), Format::Roster);
        assert_eq!(detect("clients.txt", b"a,b,c\nd,e,f\n"), Format::Roster);
        assert_eq!(
            detect("x.bin", b"%PDF-1.7"),
            Format::Document(DocumentKind::Pdf)
        );
        assert_eq!(
            detect("x.docx", b"PK\x03\x04"),
            Format::Document(DocumentKind::Office)
        );
        assert_eq!(detect("x.zip", b"PK\x03\x04"), Format::Zip);
        assert_eq!(detect("x.exe", b"MZ\x00\x00"), Format::Unknown);
        assert_eq!(detect("", b""), Format::Unknown);
    }
}
