use crate::detect::DocumentKind;
use crate::documents::{self, group_paths};
use crate::{
    Format, ImportBatch, Options, Patient, RecordsError, UnownedWhy, ccda, detect, fhir, roster,
};

/// Reads several files that belong together: bulk NDJSON whose files refer to each other, a folder of documents per patient, an archive of either.
///
/// Remarks say `file 2, line 7`, counting files in the order in which they were added.
#[derive(Debug)]
pub struct Importer {
    options: Options,
    batch: ImportBatch,
    documents: Vec<Document>,
    files: usize,
}

struct Document {
    at: String,
    path: String,
    kind: DocumentKind,
    bytes: Vec<u8>,
}

impl core::fmt::Debug for Document {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Document({} bytes)", self.bytes.len())
    }
}

impl Importer {
    /// An importer that has read nothing yet.
    pub fn new(options: Options) -> Self {
        let mut batch = ImportBatch::default();
        batch.links.source = options.source.clone();
        Importer {
            options,
            batch,
            documents: Vec::new(),
            files: 0,
        }
    }

    /// Reads one file. The name is its path within what is imported; for documents it says whose they are.
    ///
    /// # Errors
    /// When this file cannot be read; the others are not affected.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), RecordsError> {
        self.files += 1;
        let at = format!("file {}", self.files);
        if documents::is_system_file(name) {
            self.batch.skip(
                &at,
                "system-file",
                "the operating system made this file; it holds nothing of the practice",
            );
            return Ok(());
        }
        if detect(name, bytes) == Format::Zip {
            return self.add_archive(bytes, &format!("{at}, "));
        }
        self.add_file(name, bytes, at)
    }

    fn add_archive(&mut self, bytes: &[u8], before: &str) -> Result<(), RecordsError> {
        let limits = self.options.limits;
        documents::unpack(bytes, &limits, |number, member| {
            let at = format!("{before}member {number}");
            match member {
                documents::Member::Refused(code, reason) => self.batch.skip(&at, code, reason),
                documents::Member::File(path, _) if documents::is_system_file(&path) => {
                    self.batch.skip(
                        &at,
                        "system-file",
                        "the operating system made this file; it holds nothing of the practice",
                    );
                }
                documents::Member::File(path, content) => match detect(&path, &content) {
                    Format::Zip => self.batch.skip(
                        &at,
                        "zip-in-zip",
                        "this is an archive within the archive; unpack it and import it by itself",
                    ),
                    _ => {
                        if let Err(error) = self.add_file(&path, &content, at.clone()) {
                            self.batch.skip(&at, error.code(), error.to_string());
                        }
                    }
                },
            }
            self.batch.check(&limits)
        })
    }

    fn add_file(&mut self, name: &str, bytes: &[u8], at: String) -> Result<(), RecordsError> {
        match detect(name, bytes) {
            Format::Document(kind) => {
                if bytes.len() > self.options.limits.item_bytes {
                    return Err(RecordsError::TooLarge {
                        limit_mib: self.options.limits.item_bytes as u64 >> 20,
                    });
                }
                self.documents.push(Document {
                    at,
                    path: name.to_owned(),
                    kind,
                    bytes: bytes.to_vec(),
                });
            }
            format => {
                let mut batch = read_structured(format, bytes, &self.options)?;
                for remark in batch.skipped.iter_mut().chain(&mut batch.remarks) {
                    remark.at = format!("{at}, {}", remark.at);
                }
                let (skipped, remarks) = (self.batch.skipped.len(), self.batch.remarks.len());
                self.batch.append(batch);
                // What append itself says (repeats across files) knows no place; it is this file.
                let new = self
                    .batch
                    .skipped
                    .iter_mut()
                    .skip(skipped)
                    .chain(self.batch.remarks.iter_mut().skip(remarks));
                for remark in new.filter(|remark| remark.at == ImportBatch::SOMEWHERE) {
                    remark.at.clone_from(&at);
                }
            }
        }
        Ok(())
    }

    /// All that was read, references across files followed; things of patients who are nowhere in it are in `unowned`.
    pub fn finish(self) -> ImportBatch {
        let mut batch = self.finish_open();
        batch.settle();
        batch
    }

    /// As [`Importer::finish`], but leaves things of unknown patients in place, for a later [`ImportBatch::append`].
    pub(crate) fn finish_open(mut self) -> ImportBatch {
        let groups = group_paths(
            &self
                .documents
                .iter()
                .map(|document| document.path.as_str())
                .collect::<Vec<_>>(),
        );
        for group in groups {
            let key = if group.key.is_empty() {
                String::new()
            } else {
                self.options.key(&group.key)
            };
            let mut known = false;
            for file in &group.files {
                let Some(document) = self.documents.get_mut(file.index) else {
                    continue;
                };
                let bytes = std::mem::take(&mut document.bytes);
                let item = documents::item(document.kind, &document.path, bytes, &key, file);
                if key.is_empty() {
                    self.batch
                        .push_unowned(item, UnownedWhy::NoPatient, &document.at);
                    continue;
                }
                if !known {
                    self.batch.add_patient(
                        Patient {
                            key: key.clone(),
                            card: group.card(),
                            aliases: Vec::new(),
                        },
                        &document.at,
                    );
                    known = true;
                }
                self.batch.push(item, &document.at);
            }
        }
        self.batch.resolve();
        self.batch
    }
}

/// Reads one file of a known format that is not an archive or a document.
fn read_structured(
    format: Format,
    bytes: &[u8],
    options: &Options,
) -> Result<ImportBatch, RecordsError> {
    match format {
        Format::FhirJson => fhir::read_json(bytes, options),
        Format::FhirNdjson => fhir::read_ndjson(bytes, options),
        Format::Ccda => ccda::read_ccda(bytes, options),
        Format::Roster => {
            let sheet = roster::open(bytes, &options.limits)?;
            let mapping = options
                .roster
                .clone()
                .unwrap_or_else(|| roster::suggest(&sheet).mapping);
            roster::read_roster(&sheet, &mapping, options)
        }
        Format::FhirXml => Err(RecordsError::FhirXml),
        Format::Zip | Format::Document(_) | Format::Unknown => Err(RecordsError::UnknownFormat),
    }
}

/// Reads one file of any known format (of an archive: all that is in it).
///
/// References to patients of other files stay open: [`ImportBatch::append`] the batches, then [`ImportBatch::resolve`] and
/// [`ImportBatch::settle`]; or use [`Importer`], which does.
///
/// # Errors
/// When the file cannot be read. What is wrong with one resource, row or member of it is in [`ImportBatch::skipped`] instead.
pub fn read(name: &str, bytes: &[u8], options: &Options) -> Result<ImportBatch, RecordsError> {
    match detect(name, bytes) {
        Format::Zip => read_archive(bytes, options),
        Format::Document(_) => {
            let mut importer = Importer::new(options.clone());
            importer.add_file(name, bytes, "the file".to_owned())?;
            Ok(importer.finish_open())
        }
        format => read_structured(format, bytes, options),
    }
}

/// Reads all that is in an archive.
pub(crate) fn read_archive(bytes: &[u8], options: &Options) -> Result<ImportBatch, RecordsError> {
    let mut importer = Importer::new(options.clone());
    importer.add_archive(bytes, "")?;
    Ok(importer.finish_open())
}
