use super::{NoteError, NoteSignature};
use crate::text::{base64, parse_base64};
use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;
use serde::{Deserialize, Serialize};
use subrosa_crypto::{SigningKey, VerifyingKey, sha256};
use subrosa_model::Timestamp;

/// The name of a key, and the origin of a log: 1 to 255 bytes without spaces, plus signs and control characters; best a URL without its scheme, such as `example.com/log42`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct KeyName(String);

impl KeyName {
    /// The longest name, in bytes.
    pub const MAX: usize = 255;
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = NoteError;
    fn from_str(name: &str) -> Result<Self, NoteError> {
        let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if name.is_empty() || name.len() > Self::MAX || name.contains(bad) {
            return Err(NoteError::Name);
        }
        Ok(KeyName(name.to_owned()))
    }
}

impl TryFrom<String> for KeyName {
    type Error = NoteError;
    fn try_from(name: String) -> Result<Self, NoteError> {
        name.parse()
    }
}

impl From<KeyName> for String {
    fn from(name: KeyName) -> String {
        name.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Log {}
    impl Sealed for super::Witness {}
}

/// What a key is for. The kind is part of the key id, so that a key never speaks as the other kind.
pub trait KeyKind: sealed::Sealed + Clone + Eq {
    /// The signature type byte of signed-note.
    const TYPE: u8;
    /// What a verified signature tells.
    type Says;
    #[doc(hidden)]
    fn verify(key: &VerifyingKey, text: &str, signature: &[u8]) -> Option<Self::Says>;
}

/// A log that signs its own checkpoints: plain Ed25519 over the text (type 0x01).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Log {}

/// A witness that cosigns the checkpoints of logs: Ed25519 over a time and the text (type 0x04, `cosignature/v1`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Witness {}

impl KeyKind for Log {
    const TYPE: u8 = 0x01;
    type Says = ();
    fn verify(key: &VerifyingKey, text: &str, signature: &[u8]) -> Option<()> {
        key.verify_raw(text.as_bytes(), signature.try_into().ok()?)
            .ok()
    }
}

impl KeyKind for Witness {
    const TYPE: u8 = 0x04;
    type Says = Timestamp;
    fn verify(key: &VerifyingKey, text: &str, signature: &[u8]) -> Option<Timestamp> {
        let (time, signature) = signature.split_first_chunk::<8>()?;
        let seconds = u64::from_be_bytes(*time);
        let at = i64::try_from(seconds)
            .ok()
            .filter(|s| *s > 0)?
            .checked_mul(Timestamp::SECOND)?;
        key.verify_raw(&cosigned_message(seconds, text), signature.try_into().ok()?)
            .ok()?;
        Some(Timestamp(at))
    }
}

/// What a witness signs (tlog-cosignature, "Ed25519 signed message").
fn cosigned_message(seconds: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {seconds}\n{text}").into_bytes()
}

/// A named public key of one kind. `Display` and `FromStr` are the vkey text of signed-note: `name+id+base64(type || key)`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String", bound = "")]
pub struct NoteKey<K: KeyKind> {
    name: KeyName,
    key: VerifyingKey,
    kind: PhantomData<K>,
}

/// The key of a log; its name is the origin of the log.
pub type LogKey = NoteKey<Log>;
/// The key of a witness.
pub type WitnessKey = NoteKey<Witness>;

impl<K: KeyKind> NoteKey<K> {
    /// Names a key.
    pub fn new(name: KeyName, key: VerifyingKey) -> Self {
        NoteKey {
            name,
            key,
            kind: PhantomData,
        }
    }
    /// The name of the key.
    pub fn name(&self) -> &KeyName {
        &self.name
    }
    /// The public key.
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }
    /// The short id: the first four bytes of `SHA-256(name || 0x0A || type || public key)`.
    pub fn id(&self) -> u32 {
        let hash = sha256(&[
            self.name.as_str().as_bytes(),
            b"\n",
            &[K::TYPE],
            self.key.as_bytes(),
        ]);
        let [a, b, c, d, ..] = hash.0;
        u32::from_be_bytes([a, b, c, d])
    }
    /// Whether the line claims to be by this key.
    pub fn is_named_by(&self, line: &NoteSignature) -> bool {
        line.name == self.name && line.id == self.id()
    }
    fn line(&self, signature: Vec<u8>) -> NoteSignature {
        NoteSignature {
            name: self.name.clone(),
            id: self.id(),
            signature,
        }
    }
}

/// Signs the text as the log of that name.
pub(crate) fn sign_as_log(name: &KeyName, key: &SigningKey, text: &str) -> NoteSignature {
    LogKey::new(name.clone(), key.public()).line(key.sign_raw(text.as_bytes()).to_vec())
}

/// Cosigns the text as the witness of that name. Whole seconds count; the first second of 1970 and everything before it is refused.
pub(crate) fn sign_as_witness(
    name: &KeyName,
    key: &SigningKey,
    text: &str,
    at: Timestamp,
) -> Result<NoteSignature, NoteError> {
    let seconds = u64::try_from(at.0 / Timestamp::SECOND)
        .ok()
        .filter(|s| *s > 0)
        .ok_or(NoteError::Time)?;
    let signature = key.sign_raw(&cosigned_message(seconds, text));
    let timed = [&seconds.to_be_bytes()[..], &signature].concat();
    Ok(WitnessKey::new(name.clone(), key.public()).line(timed))
}

impl<K: KeyKind> fmt::Display for NoteKey<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed = [&[K::TYPE][..], self.key.as_bytes()].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.id(), base64(&typed))
    }
}

impl<K: KeyKind> fmt::Debug for NoteKey<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: KeyKind> FromStr for NoteKey<K> {
    type Err = NoteError;
    fn from_str(vkey: &str) -> Result<Self, NoteError> {
        let mut parts = vkey.splitn(3, '+');
        let (Some(name), Some(_id), Some(typed)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(NoteError::Key);
        };
        let typed = parse_base64(typed).ok_or(NoteError::Key)?;
        let Some((&kind, bytes)) = typed.split_first() else {
            return Err(NoteError::Key);
        };
        if kind != K::TYPE {
            return Err(NoteError::Key);
        }
        let bytes = bytes.try_into().map_err(|_| NoteError::Key)?;
        let key = Self::new(
            name.parse()?,
            VerifyingKey::from_bytes(bytes).map_err(|_| NoteError::Key)?,
        );
        // The id and the encoding are fixed by the rest: only the one canonical text is a vkey.
        if key.to_string() == vkey {
            Ok(key)
        } else {
            Err(NoteError::Key)
        }
    }
}

impl<K: KeyKind> TryFrom<String> for NoteKey<K> {
    type Error = NoteError;
    fn try_from(vkey: String) -> Result<Self, NoteError> {
        vkey.parse()
    }
}

impl<K: KeyKind> From<NoteKey<K>> for String {
    fn from(key: NoteKey<K>) -> String {
        key.to_string()
    }
}
