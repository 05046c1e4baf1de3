//! Patient lists as CSV (RFC 4180 and what offices make of it): any usual delimiter and encoding, columns mapped to fields by suggestion or by hand.

mod dates;
mod fields;
mod rows;
mod sheet;

pub use dates::{DateGuess, DateOrder};
pub use fields::{Field, Mapping, Suggestion, suggest};
pub use rows::read_roster;
pub use sheet::{Sheet, open};

pub use crate::text::Encoding;

pub(crate) use dates::{find_date, parse_date};
pub(crate) use rows::split_name;
