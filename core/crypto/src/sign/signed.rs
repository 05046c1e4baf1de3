use super::{SigningKey, Statement, VerifyingKey};
use crate::cose::{self, Sign1};
use crate::hash::sha256;
use crate::{CryptoError, cbor};
use core::fmt;
use core::marker::PhantomData;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subrosa_model::{Bytes, Hash32, KeyId, PracticeId};

/// A statement with one signature: COSE_Sign1 with embedded payload, protected {alg: EdDSA, kid: signer id}, and
/// `external_aad = cbor(["subrosa/1", NAMESPACE, practice])`.
///
/// What was parsed is not yet believed: the payload comes out of [`Signed::verify`].
pub struct Signed<T> {
    bytes: Vec<u8>,
    cose: Sign1,
    statement: PhantomData<fn() -> T>,
}

fn aad<T: Statement>(practice: &PracticeId) -> Vec<u8> {
    const { assert!(cose::is_namespace(T::NAMESPACE), "a namespace is of lower-case letters, digits and dashes") };
    cbor::encode(&(cose::VERSION, T::NAMESPACE, practice))
}

impl<T: Statement> Signed<T> {
    /// Signs a statement for a practice.
    pub fn sign(key: &SigningKey, practice: &PracticeId, statement: &T) -> Self {
        let signer = key.public().id().0;
        let protected = cose::sign1_header(&signer);
        let payload = cbor::encode(statement);
        let signature = key.sign_raw(&cose::sig_structure(&protected, &aad::<T>(practice), &payload));
        let bytes = cose::write_sign1(protected.clone(), Some(payload.clone()), signature);
        Signed { bytes, cose: Sign1 { protected, signer, payload: Some(payload), signature }, statement: PhantomData }
    }

    /// Parses; verifies nothing.
    ///
    /// # Errors
    /// `SignatureMalformed` or a `Cbor...` error.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CryptoError> {
        let cose = cose::read_sign1(bytes)?;
        if cose.payload.is_none() {
            return Err(CryptoError::SignatureMalformed);
        }
        Ok(Signed { bytes: bytes.to_vec(), cose, statement: PhantomData })
    }

    /// Verifies with the signer's key for a practice and gives the statement.
    ///
    /// # Errors
    /// `SignerMismatch` (another signer is named), `SignatureInvalid`, or a `Cbor...` error when the payload is not such a statement.
    pub fn verify(&self, key: &VerifyingKey, practice: &PracticeId) -> Result<T, CryptoError> {
        if key.id() != self.signer_id() {
            return Err(CryptoError::SignerMismatch);
        }
        let message = cose::sig_structure(&self.cose.protected, &aad::<T>(practice), self.payload());
        key.verify_raw(&message, &self.cose.signature)?;
        cbor::decode(self.payload())
    }

    /// The statement without any proof of who made it: for finding the key to verify with, never for acting on.
    ///
    /// # Errors
    /// A `Cbor...` error when the payload is not such a statement.
    pub fn peek_unverified(&self) -> Result<T, CryptoError> {
        cbor::decode(self.payload())
    }
}

impl<T> Signed<T> {
    fn payload(&self) -> &[u8] {
        self.cose.payload.as_deref().unwrap_or_default()
    }

    /// Who signed, as the signature claims.
    pub fn signer_id(&self) -> KeyId {
        KeyId(self.cose.signer)
    }

    /// The COSE_Sign1.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.bytes.clone()
    }

    /// The COSE_Sign1, borrowed.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the COSE_Sign1.
    pub fn hash(&self) -> Hash32 {
        sha256(&[&self.bytes])
    }
}

impl<T> Clone for Signed<T> {
    fn clone(&self) -> Self {
        Signed { bytes: self.bytes.clone(), cose: self.cose.clone(), statement: PhantomData }
    }
}
impl<T> PartialEq for Signed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}
impl<T> Eq for Signed<T> {}

impl<T> fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signed(by {}, {} bytes)", self.signer_id(), self.bytes.len())
    }
}

impl<T> Serialize for Signed<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        Bytes::from(self.bytes.as_slice()).serialize(s)
    }
}
impl<'de, T: Statement> Deserialize<'de> for Signed<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Signed::from_bytes(&Bytes::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}
