//! The small pieces of text that the C2SP formats share.
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subrosa_model::Hash32;

/// A decimal number without sign, spaces or leading zeros.
pub(crate) fn parse_decimal(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits || (text.len() > 1 && text.starts_with('0')) {
        return None;
    }
    text.parse().ok()
}

/// Standard base64 with padding, in its one canonical form.
pub(crate) fn parse_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// A hash in base64.
pub(crate) fn parse_hash(text: &str) -> Option<Hash32> {
    if text.len() != 44 {
        return None;
    }
    Hash32::from_slice(&parse_base64(text)?)
}

/// Standard base64 with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Hashes in base64, each on a line of its own.
pub(crate) fn hash_lines(hashes: &[Hash32]) -> String {
    hashes.iter().map(|h| base64(h.as_bytes()) + "\n").collect()
}
