//! Repeating a write does nothing: each is remembered under its author, its route and the key that the client chose.

use subrosa_crypto::sha256;
use subrosa_model::Hash32;

use crate::app::Who;
use crate::error::Refusal;

/// The name under which a request is remembered; none for an empty key.
///
/// # Errors
/// `malformed` for a key of another size than 8 to 64 bytes.
pub fn key(who: &Who, route: &'static str, chosen: &[u8]) -> Result<Option<Hash32>, Refusal> {
    match chosen.len() {
        0 => Ok(None),
        8..=64 => Ok(Some(sha256(&[b"subrosa/1/idempotency/", route.as_bytes(), &[0], who.member().as_bytes(), chosen]))),
        _ => Err(Refusal::bad("malformed", "An idempotency key has 8 to 64 bytes.")),
    }
}
