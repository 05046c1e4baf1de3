//! FHIR R4 (HL7 v4.0.1) in JSON and bulk NDJSON, in and out without loss.
//!
//! Resources are cut out of their bundle as unparsed text and kept byte for byte; only the few fields that say whose, when and what are looked at.

mod bounded;
mod export;
mod kinds;
mod names;
mod ndjson;
mod patient;
mod probe;
mod read;
mod reference;
mod scan;
mod title;
mod wire;

pub use export::{Resource, RoundTrip, fhir_bundle, fhir_ndjson, prove_round_trip, same_json};
pub use kinds::compartment_of;
pub use ndjson::{NdjsonReader, lines, read_ndjson};
pub use patient::identity_card;
pub use read::read_json;

pub(crate) use bounded::tree;
pub(crate) use kinds::plain_word;
pub(crate) use names::own_reference;
pub(crate) use title::{round, shorten};

/// The title of a resource from its JSON.
pub(crate) fn title_of(body: &[u8]) -> Option<String> {
    if scan::minify(body, |_| ()) > crate::Limits::default().depth {
        return None;
    }
    let probe = probe::Probe::of(std::str::from_utf8(body).ok()?)?;
    let kind = probe.resource_type.and_then(probe::text)?;
    Some(title::title(&kind, &probe))
}
