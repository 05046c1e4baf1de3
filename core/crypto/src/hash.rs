use crate::CryptoError;
use hkdf::hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subrosa_model::Hash32;

/// SHA-256 (FIPS 180-4) of the concatenation of `parts`.
///
/// Nothing marks where a part ends: put fixed-length parts first, or encode with [`crate::cbor`].
pub fn sha256(parts: &[&[u8]]) -> Hash32 {
    let mut hash = Sha256::new();
    parts.iter().for_each(|p| hash.update(p));
    Hash32(hash.finalize().into())
}

/// HKDF-Expand (RFC 5869) with SHA-256 under a 32-byte uniformly random key; `info` is the concatenation of the parts.
#[allow(clippy::expect_used, reason = "32 bytes are a valid PRK and N is at most 64")]
pub(crate) fn expand<const N: usize>(key: &[u8; 32], info: &[&[u8]]) -> zeroize::Zeroizing<[u8; N]> {
    let mut out = zeroize::Zeroizing::new([0u8; N]);
    hkdf::Hkdf::<Sha256>::from_prk(key).expect("32 bytes").expand_multi_info(info, out.as_mut_slice()).expect("N is small");
    out
}

fn keyed(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    #[allow(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part);
    }
    mac
}

/// HMAC-SHA-256 (RFC 2104) over the parts, each preceded by its length (u64, little endian), so that `["ab", "c"]` and `["a", "bc"]` differ.
pub fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    keyed(key, parts).finalize().into_bytes().into()
}

/// Checks a [`mac`] in constant time.
///
/// # Errors
/// `Mac` when it differs or is not 32 bytes long.
pub fn mac_verify(key: &[u8], parts: &[&[u8]], tag: &[u8]) -> Result<(), CryptoError> {
    keyed(key, parts).verify_slice(tag).map_err(|_| CryptoError::Mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_verifies_only_with_the_same_key_and_parts() {
        let tag = mac(b"key", &[b"ab", b"c"]);
        assert_eq!(mac_verify(b"key", &[b"ab", b"c"], &tag), Ok(()));
        assert_eq!(mac_verify(b"key", &[b"a", b"bc"], &tag), Err(CryptoError::Mac));
        assert_eq!(mac_verify(b"kez", &[b"ab", b"c"], &tag), Err(CryptoError::Mac));
        assert_eq!(mac_verify(b"key", &[b"ab", b"c"], &tag[..31]), Err(CryptoError::Mac));
        assert_eq!(mac_verify(b"key", &[b"ab", b"c"], &[]), Err(CryptoError::Mac));
    }
}
