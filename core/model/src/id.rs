use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that is not an id: wrong length or not lower-case hex. The text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a valid id (expected {expected} lower-case hex digits)")]
pub struct BadText {
    /// How many hex digits were expected.
    pub expected: usize,
}

fn nibble(c: u8) -> Option<u8> {
    match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    }
}

fn parse_hex<const N: usize>(text: &str) -> Result<[u8; N], BadText> {
    let bad = BadText { expected: N * 2 };
    let bytes = text.as_bytes();
    if bytes.len() != N * 2 {
        return Err(bad);
    }
    let mut out = [0u8; N];
    for (slot, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
        let (hi, lo) = (nibble(pair[0]).ok_or(bad)?, nibble(pair[1]).ok_or(bad)?);
        *slot = hi << 4 | lo;
    }
    Ok(out)
}

struct BytesVisitor<const N: usize>;
impl<'de, const N: usize> serde::de::Visitor<'de> for BytesVisitor<N> {
    type Value = [u8; N];
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{N} bytes")
    }
    fn visit_bytes<E: serde::de::Error>(self, v: &[u8]) -> Result<Self::Value, E> {
        v.try_into().map_err(|_| E::invalid_length(v.len(), &self))
    }
    fn visit_borrowed_bytes<E: serde::de::Error>(self, v: &'de [u8]) -> Result<Self::Value, E> {
        self.visit_bytes(v)
    }
    fn visit_byte_buf<E: serde::de::Error>(self, v: Vec<u8>) -> Result<Self::Value, E> {
        self.visit_bytes(&v)
    }
}

macro_rules! fixed_bytes {
    ($(#[$doc:meta])* $name:ident, $n:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub [u8; $n]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $n;
            /// The bytes.
            pub fn as_bytes(&self) -> &[u8; $n] {
                &self.0
            }
            /// From a slice of exactly the right length.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map($name)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
        impl FromStr for $name {
            type Err = BadText;
            fn from_str(text: &str) -> Result<Self, BadText> {
                parse_hex(text).map($name)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                if s.is_human_readable() {
                    s.collect_str(self)
                } else {
                    s.serialize_bytes(&self.0)
                }
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                if d.is_human_readable() {
                    let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
                    text.parse().map_err(serde::de::Error::custom)
                } else {
                    d.deserialize_bytes(BytesVisitor::<$n>).map($name)
                }
            }
        }
    };
}

fixed_bytes!(/// One organisation: the tenant. 16 random bytes.
    PracticeId, 16);
fixed_bytes!(/// A person who works in the practice. 16 random bytes.
    MemberId, 16);
fixed_bytes!(/// What a member signs in with, or a linked device. 16 random bytes.
    DeviceId, 16);
fixed_bytes!(/// Members who share an epoch key. 16 random bytes.
    TeamId, 16);
fixed_bytes!(/// All that is held about one patient. 16 random bytes, opaque.
    ChartId, 16);
fixed_bytes!(/// One entry in a compartment; its versions share the id. 16 random bytes.
    EntryId, 16);
fixed_bytes!(/// One signed-in session. 16 random bytes; not a secret (requests are signed).
    SessionId, 16);
fixed_bytes!(/// One proposed act that may need a second person or a delay. 16 random bytes.
    OrderId, 16);
fixed_bytes!(/// One invitation, used once. 16 random bytes.
    InvitationId, 16);
fixed_bytes!(/// One care relation. 16 random bytes.
    RelationId, 16);
fixed_bytes!(/// A SHA-256 hash.
    Hash32, 32);
fixed_bytes!(/// A key's name: HKDF-Expand(key, "subrosa/1/id"), or for signers SHA-256 of the public key.
    KeyId, 32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_refuse_upper_case_and_wrong_lengths() {
        assert!("00".parse::<ChartId>().is_err());
        assert!("000102030405060708090A0B0C0D0E0F".parse::<ChartId>().is_err());
        assert!("0001é2030405060708090a0b0c0d0e0".parse::<ChartId>().is_err());
    }
}
