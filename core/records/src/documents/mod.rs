//! Files per patient, as small practices' systems export them: whose a document is comes from its folder or its name.

mod archive;
mod names;
mod paths;

pub use names::{LabelMatch, match_label};
pub use paths::{PathFile, PathGroup, group_paths};

pub(crate) use archive::{Member, unpack};
pub(crate) use paths::is_system_file;

use crate::detect::DocumentKind;
use crate::item::source_key;
use crate::{ImportBatch, ImportItem, Options, RecordsError};
use sha2::Digest;
use subrosa_model::Compartment;

/// Reads a zip archive: documents are grouped by patient, and FHIR, C-CDA and patient lists inside are read as such.
///
/// Archives within it are refused; names of members are only ever used as labels.
///
/// # Errors
/// When it is damaged, or would unpack to more than [`crate::Limits`] allows.
pub fn read_zip(bytes: &[u8], options: &Options) -> Result<ImportBatch, RecordsError> {
    crate::importer::read_archive(bytes, options)
}

/// A document as an item.
pub(crate) fn item(
    kind: DocumentKind,
    name: &str,
    bytes: Vec<u8>,
    patient_key: &str,
    file: &PathFile,
) -> ImportItem {
    ImportItem {
        source_key: source_key(kind.schema(), patient_key, |hash| hash.update(&bytes)),
        patient_key: patient_key.to_owned(),
        compartment: Compartment::Record,
        schema: kind.schema().to_owned(),
        content_type: kind.content_type(name, &bytes).to_owned(),
        title: crate::fhir::shorten(&file.title),
        occurred: file.date.clone(),
        full_url: None,
        body: bytes,
    }
}
