use super::bounded::{Bounded, TOO_MANY};
use crate::RecordsError;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::fmt;

/// Entries of one bundle beyond which memory rather than [`crate::Limits`] is the concern.
pub(crate) const HARD_ENTRIES: usize = 4_000_000;

/// Without a byte order mark.
pub(crate) fn strip_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// A bundle, its resources unparsed.
#[derive(Deserialize)]
pub(crate) struct Bundle<'a> {
    #[serde(borrow, default, rename = "resourceType")]
    pub kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub entry: Bounded<Entry<'a>, HARD_ENTRIES>,
}

/// One entry of a bundle.
#[derive(Deserialize)]
pub(crate) struct Entry<'a> {
    #[serde(borrow, default, rename = "fullUrl")]
    pub full_url: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub resource: Option<&'a RawValue>,
}

/// Where in the file, for remarks.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    Whole,
    Entry(usize),
    Line(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Whole => f.write_str("the file"),
            Place::Entry(n) => write!(f, "entry {n}"),
            Place::Line(n) => write!(f, "line {n}"),
        }
    }
}

/// Whether the text begins as bundles usually do, so that one pass is enough.
pub(crate) fn is_bundle(json: &str) -> bool {
    let mut rest = json.trim_start();
    for token in ["{", "\"resourceType\"", ":", "\"Bundle\""] {
        let Some(after) = rest.strip_prefix(token) else {
            return false;
        };
        rest = after.trim_start();
    }
    true
}

/// What a syntax error says: where, never what.
pub(crate) fn syntax(error: &serde_json::Error) -> RecordsError {
    if error.classify() == serde_json::error::Category::Data
        && error.to_string().starts_with(TOO_MANY)
    {
        return RecordsError::TooMany {
            limit: HARD_ENTRIES,
        };
    }
    RecordsError::Json {
        line: error.line(),
        column: error.column(),
    }
}
