//! Records of other systems, in and out: FHIR R4 bundles and bulk NDJSON, C-CDA documents, patient lists as CSV, and documents per patient in folders or zip archives.
//!
//! Whatever comes in is cut into [`ImportItem`]s that keep the source's bytes exactly, each with the patient it belongs to, the compartment it goes into
//! and a line for display. What belongs to no patient is handed over too; what is not taken is reported by place and reason.
//! The same functions show what is stored ([`summary_of`], [`plain_text`]) and write it out again ([`fhir::fhir_bundle`]).
//!
//! What this crate never does: I/O, reading a clock, following links, changing a record. No input makes it panic or take more than linear time and a
//! bounded multiple of its size in memory. Errors and remarks hold nothing of the content, not even file names.
//!
//! It follows FHIR R4 (HL7, 4.0.1), FHIR Bulk Data Access, C-CDA R2.1 (HL7), RFC 8259 (JSON) and RFC 4180 (CSV).
//!
//! ```
//! use subrosa_records::{Options, fhir, read, summary};
//! let bundle = br#"{"resourceType":"Bundle","type":"collection","entry":[
//!   {"resource":{"resourceType":"Patient","id":"p1","name":[{"family":"Example","given":["Ada"]}]}},
//!   {"resource":{"resourceType":"Condition","id":"c1","subject":{"reference":"Patient/p1"},"code":{"text":"Panic disorder"}}}]}"#;
//! let batch = read("export.json", bundle, &Options::default())?;
//! assert_eq!(batch.patients[0].card.display_name(), "Example, Ada");
//! assert_eq!(batch.items[1].title, "Diagnosis: Panic disorder");
//! assert_eq!(summary(&batch.items[1])[0], ("Diagnosis", "Panic disorder".to_owned()));
//! let out = fhir::fhir_bundle(batch.items.iter().map(fhir::Resource::from))?;
//! assert!(fhir::prove_round_trip(bundle, &out)?.holds());
//! # Ok::<(), subrosa_records::RecordsError>(())
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod batch;
mod card;
mod detect;
mod error;
mod importer;
mod item;
mod options;
mod summary;
mod text;
mod xml;

pub mod ccda;
pub mod documents;
pub mod fhir;
pub mod roster;

pub use batch::ImportBatch;
pub use card::{Address, IdentityCard};
pub use detect::{DocumentKind, Format, detect};
pub use error::RecordsError;
pub use importer::{Importer, read};
pub use item::{ImportItem, Patient, Remark, Unowned, UnownedWhy};
pub use options::{Limits, Options};
pub use summary::{Attachment, attachments, plain_text, summary, summary_of, title_of};
