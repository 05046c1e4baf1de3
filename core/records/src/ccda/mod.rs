//! C-CDA R2.1 (HL7 CDA R2 documents and fragments of them): the header is read, the document is kept as it is.

mod header;
mod narrative;

pub use header::{Header, read_header};
pub use narrative::{Section, sections, unstructured};

use crate::item::{MANY_PATIENTS, source_key, too_many};
use crate::xml::Tree;
use crate::{ImportBatch, ImportItem, Limits, Options, Patient, RecordsError, UnownedWhy};
use sha2::Digest;
use subrosa_model::Compartment;

/// Reads one C-CDA document: each record target is a patient, and the document is an item of each, kept byte for byte.
///
/// A fragment without a header (documentation examples, pieces of exports) is handed over as belonging to nobody.
///
/// # Errors
/// When it is not XML, declares a document type, or exceeds a bound.
pub fn read_ccda(bytes: &[u8], options: &Options) -> Result<ImportBatch, RecordsError> {
    let header = read_header(bytes, &options.limits)?;
    let mut batch = ImportBatch::default();
    batch.links.source = options.source.clone();
    let item = ImportItem {
        source_key: source_key("ccda", &options.source, |hash| hash.update(bytes)),
        patient_key: String::new(),
        compartment: Compartment::Record,
        schema: "ccda".to_owned(),
        content_type: "application/cda+xml".to_owned(),
        title: header.display_title(),
        occurred: header.effective_time.clone(),
        full_url: None,
        body: bytes.to_vec(),
    };
    if too_many(header.patients.len(), bytes.len()) {
        batch.remark("the document", "many-patients", MANY_PATIENTS);
        batch.push_unowned(item, UnownedWhy::NoPatient, "the document");
        return Ok(batch);
    }
    for (n, (key, card)) in header.patients.into_iter().enumerate() {
        let key = options.key(&key);
        batch.add_patient(
            Patient {
                key: key.clone(),
                card,
                aliases: Vec::new(),
            },
            "the document",
        );
        let mut copy = item.clone();
        if n > 0 {
            copy.source_key = source_key("also", &key, |hash| hash.update(item.source_key));
        }
        copy.patient_key = key;
        batch.push(copy, "the document");
    }
    if batch.items.is_empty() {
        batch.push_unowned(item, UnownedWhy::NoPatient, "the document");
    }
    Ok(batch)
}

/// The document as a tree, whatever its declared encoding.
fn parse(bytes: &[u8], limits: &Limits) -> Result<Tree, RecordsError> {
    if bytes.len() > limits.item_bytes {
        return Err(RecordsError::TooLarge {
            limit_mib: limits.item_bytes as u64 >> 20,
        });
    }
    let text = crate::text::decode_named(bytes, declared_encoding(bytes).as_deref())?;
    Tree::parse(text.trim_start_matches('\u{feff}'), limits)
}

/// The encoding that the XML declaration names, if any.
fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let head = bytes.get(..bytes.len().min(200))?;
    let head: String = head
        .iter()
        .filter(|b| **b != 0)
        .map(|b| char::from(*b))
        .collect();
    let declaration = head.split_once("<?xml")?.1.split_once("?>")?.0;
    let after = declaration
        .split_once("encoding")?
        .1
        .trim_start()
        .strip_prefix('=')?
        .trim_start();
    let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Some(after.get(1..)?.split(quote).next()?.to_owned())
}
