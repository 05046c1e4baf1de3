//! Bytes as text that fits in a link or a header.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Base64url without padding (RFC 4648 section 5).
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The reverse; `None` for anything that [`base64url`] would not have written.
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_spelling() {
        for bytes in [&b""[..], b"f", b"fo", b"foo", &[0xff, 0xfe]] {
            assert_eq!(from_base64url(&base64url(bytes)).as_deref(), Some(bytes));
        }
        for other in ["Zg==", "Zh", "Zg ", "Z", "__4=", "//4"] {
            assert_eq!(from_base64url(other), None, "{other}");
        }
    }
}
