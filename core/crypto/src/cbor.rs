//! Deterministic CBOR (RFC 8949 section 4.2.1): one value, one encoding.
//!
//! What is signed or sealed is compared by its bytes, so two encodings of one value would be two things that look the same. `encode` writes the
//! deterministic form (shortest heads, definite lengths, map keys in bytewise order); `decode` refuses every other form, unknown fields, and
//! anything after the value.

use crate::CryptoError;
use serde::Serialize;
use serde::de::DeserializeOwned;

mod canonical;
use canonical::check;
pub(crate) use canonical::check_container;

/// The largest input that `decode` looks at: 64 MiB.
pub const MAX_SIZE: usize = 64 << 20;
/// The deepest nesting (arrays, maps, tags) that `decode` follows.
pub const MAX_DEPTH: usize = 32;

/// Encodes a value deterministically.
///
/// # Panics
/// When the `Serialize` implementation itself reports an error: a mistake in our own types, never caused by data from outside.
#[allow(clippy::expect_used, reason = "writing to a Vec cannot fail; a failing Serialize is our own bug and must not pass as data")]
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut raw = Vec::with_capacity(256);
    ciborium::into_writer(value, &mut raw).expect("our types serialize");
    canonical::normalise(raw)
}

/// Decodes a value; the input must be exactly what [`encode`] would write for it.
///
/// That is why `T` must be `Serialize` too: the value is encoded again and compared, which also catches fields that `T` does not know.
///
/// # Errors
/// `CborTooLarge`, `CborTooDeep`, `CborMalformed` (not CBOR, cut short, or followed by something), `CborShape` (another type), `CborNotCanonical`.
pub fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, CryptoError> {
    check(bytes)?;
    let value: T = ciborium::from_reader(bytes).map_err(|_| CryptoError::CborShape)?;
    if encode(&value) != bytes {
        return Err(CryptoError::CborNotCanonical);
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::HashMap;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sample {
        zebra: u32,
        apple: Option<String>,
        #[serde(with = "serde_bytes")]
        body: Vec<u8>,
        tags: HashMap<String, f64>,
    }

    fn sample() -> Sample {
        Sample { zebra: 7, apple: None, body: vec![1, 2, 3], tags: HashMap::from([("bb".into(), 0.5), ("c".into(), 1e300), ("a".into(), -0.0)]) }
    }

    #[test]
    fn a_value_has_one_encoding_with_sorted_keys() {
        let bytes = encode(&sample());
        assert_eq!(bytes, encode(&sample()));
        assert_eq!(decode::<Sample>(&bytes).unwrap(), sample());
        let first_key = &bytes[1..6];
        assert_eq!(first_key, b"\x64body", "shorter text sorts first: its head byte is smaller");
    }

    #[test]
    fn every_other_encoding_is_refused() {
        let cases: &[(&str, &[u8])] = &[
            ("integer in two bytes", &[0x18, 0x07]),
            ("indefinite array", &[0x9f, 0x01, 0xff]),
            ("trailing byte", &[0x01, 0x00]),
            ("cut short", &[0x19, 0x01]),
            ("empty", &[]),
            ("reserved head", &[0x1c]),
            ("lone break", &[0xff]),
        ];
        for (name, bytes) in cases {
            assert!(decode::<Vec<u32>>(bytes).is_err() && decode::<u32>(bytes).is_err(), "{name}");
        }
        assert_eq!(decode::<HashMap<u8, u8>>(&[0xa2, 2, 0, 1, 0]), Err(CryptoError::CborNotCanonical), "keys out of order");
        assert_eq!(decode::<HashMap<u8, u8>>(&[0xa2, 1, 0, 1, 0]), Err(CryptoError::CborNotCanonical), "key twice");
        assert_eq!(decode::<u32>(&[0xc6, 0x01]), Err(CryptoError::CborNotCanonical), "a tag that serde would skip");
        assert_eq!(decode::<f64>(&[0xfa, 0x3f, 0x00, 0x00, 0x00]), Err(CryptoError::CborNotCanonical), "0.5 in four bytes");
        assert_eq!(decode::<Vec<u8>>(&[0x42, 1, 2]).map_err(|e| e.code()), Err("cbor-not-canonical"), "bytes for a list");
    }

    #[test]
    fn unknown_fields_are_refused() {
        #[derive(Serialize, Deserialize)]
        struct More {
            a: u8,
            b: u8,
        }
        #[derive(Debug, Serialize, Deserialize, PartialEq)]
        struct Less {
            a: u8,
        }
        assert_eq!(decode::<Less>(&encode(&More { a: 1, b: 2 })), Err(CryptoError::CborNotCanonical));
    }

    #[test]
    fn depth_and_claimed_lengths_are_bounded() {
        let deep = [vec![0x81; 33], vec![0x01]].concat();
        assert_eq!(check(&deep), Err(CryptoError::CborTooDeep));
        assert_eq!(check(&deep[1..]), Ok(()));
        assert_eq!(check(&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Err(CryptoError::CborMalformed));
        assert_eq!(check(&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Err(CryptoError::CborMalformed));
        assert_eq!(check(&[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Err(CryptoError::CborMalformed));
    }

    #[test]
    fn lengths_unknown_to_serde_become_definite() {
        struct Flat;
        impl Serialize for Flat {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                use serde::ser::{SerializeMap, SerializeSeq};
                struct Inner;
                impl Serialize for Inner {
                    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                        let mut q = s.serialize_seq(None)?;
                        q.serialize_element(&1u8)?;
                        q.serialize_element(&300u16)?;
                        q.end()
                    }
                }
                let mut m = s.serialize_map(None)?;
                m.serialize_entry("b", &Inner)?;
                m.serialize_entry("a", &2u8)?;
                m.end()
            }
        }
        assert_eq!(encode(&Flat), [0xa2, 0x61, b'a', 0x02, 0x61, b'b', 0x82, 0x01, 0x19, 0x01, 0x2c]);
    }
}
