use super::{SigningKey, Statement, VerifyingKey};
use crate::cose::{self, Sign1};
use crate::hash::sha256;
use crate::{CryptoError, cbor};
use core::fmt;
use core::marker::PhantomData;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subrosa_model::{Bytes, Hash32, KeyId, PracticeId};

/// The most signatures one statement may carry.
pub const MAX_SIGNATURES: usize = 64;

/// A statement that several people sign: `cbor([payload, [COSE_Sign1 with detached payload, ...]])`, ordered by signer id, each signer once.
///
/// `external_aad = cbor(["subrosa/1", NAMESPACE, practice, "endorsed"])`: a signature made for [`crate::Signed`] cannot be turned into an
/// endorsement, nor the other way round.
pub struct Endorsed<T> {
    payload: Vec<u8>,
    signatures: Vec<Sign1>,
    statement: PhantomData<fn() -> T>,
}

fn aad<T: Statement>(practice: &PracticeId) -> Vec<u8> {
    const { assert!(cose::is_namespace(T::NAMESPACE), "a namespace is of lower-case letters, digits and dashes") };
    cbor::encode(&(cose::VERSION, T::NAMESPACE, practice, "endorsed"))
}

impl<T: Statement> Endorsed<T> {
    /// Signs a statement with each of the keys. With no key it carries no signature, and [`Endorsed::verify`] refuses it.
    pub fn sign(keys: &[&SigningKey], practice: &PracticeId, statement: &T) -> Self {
        let mut endorsed = Endorsed { payload: cbor::encode(statement), signatures: Vec::new(), statement: PhantomData };
        keys.iter().for_each(|key| endorsed.add_signature(key, practice));
        endorsed
    }

    /// Adds one more signature to the same statement; a signer who has signed already is not added again. Look at the statement first
    /// ([`Endorsed::peek_unverified`]): this signs whatever it is.
    pub fn add_signature(&mut self, key: &SigningKey, practice: &PracticeId) {
        let signer = key.public().id().0;
        let protected = cose::sign1_header(&signer);
        let signature = key.sign_raw(&cose::sig_structure(&protected, &aad::<T>(practice), &self.payload));
        let made = Sign1 { protected, signer, payload: None, signature };
        match self.signatures.binary_search_by_key(&signer, |s| s.signer) {
            Ok(at) => self.signatures[at] = made,
            Err(at) => self.signatures.insert(at, made),
        }
    }

    /// Parses; verifies nothing.
    ///
    /// # Errors
    /// `SignatureMalformed`, a `Cbor...` error, or `SignatureCount` (none, or more than [`MAX_SIGNATURES`]). Signers out of order or twice are malformed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CryptoError> {
        let (Bytes(payload), raw): (Bytes, Vec<Bytes>) = cbor::decode(bytes)?;
        if raw.is_empty() || raw.len() > MAX_SIGNATURES {
            return Err(CryptoError::SignatureCount);
        }
        let signatures = raw.iter().map(|b| cose::read_sign1(b)).collect::<Result<Vec<_>, _>>()?;
        let ordered = signatures.windows(2).all(|w| w[0].signer < w[1].signer);
        if !ordered || signatures.iter().any(|s| s.payload.is_some()) {
            return Err(CryptoError::SignatureMalformed);
        }
        Ok(Endorsed { payload, signatures, statement: PhantomData })
    }

    /// Verifies every signature and gives the statement with its signers, in order of their ids. Whether these signers suffice is for the caller to
    /// decide.
    ///
    /// # Errors
    /// `SignatureCount` (no signature), `SignerUnknown` (`find` has no key for one), `SignerMismatch` (it gave a key of another id), `SignatureInvalid`
    /// (one does not verify), or a `Cbor...` error when the payload is not such a statement.
    pub fn verify(
        &self,
        find: impl Fn(&KeyId) -> Option<VerifyingKey>,
        practice: &PracticeId,
    ) -> Result<(T, Vec<KeyId>), CryptoError> {
        if self.signatures.is_empty() {
            return Err(CryptoError::SignatureCount);
        }
        let aad = aad::<T>(practice);
        for s in &self.signatures {
            let key = find(&KeyId(s.signer)).ok_or(CryptoError::SignerUnknown)?;
            if key.id().0 != s.signer {
                return Err(CryptoError::SignerMismatch);
            }
            key.verify_raw(&cose::sig_structure(&s.protected, &aad, &self.payload), &s.signature)?;
        }
        Ok((cbor::decode(&self.payload)?, self.signers()))
    }

    /// The statement without any proof of who made it: for showing to a second person and for finding keys, never for acting on.
    ///
    /// # Errors
    /// A `Cbor...` error when the payload is not such a statement.
    pub fn peek_unverified(&self) -> Result<T, CryptoError> {
        cbor::decode(&self.payload)
    }
}

impl<T> Endorsed<T> {
    /// Who signed, as the signatures claim, in order of their ids.
    pub fn signers(&self) -> Vec<KeyId> {
        self.signatures.iter().map(|s| KeyId(s.signer)).collect()
    }

    /// The one encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        let raw: Vec<Bytes> =
            self.signatures.iter().map(|s| Bytes(cose::write_sign1(s.protected.clone(), None, s.signature))).collect();
        cbor::encode(&(Bytes::from(self.payload.as_slice()), raw))
    }

    /// SHA-256 of the whole encoding; changes with every added signature.
    pub fn hash(&self) -> Hash32 {
        sha256(&[&self.to_bytes()])
    }

    /// SHA-256 of the statement's encoding; the same whoever signs.
    pub fn payload_hash(&self) -> Hash32 {
        sha256(&[&self.payload])
    }
}

impl<T> Clone for Endorsed<T> {
    fn clone(&self) -> Self {
        Endorsed { payload: self.payload.clone(), signatures: self.signatures.clone(), statement: PhantomData }
    }
}
impl<T> PartialEq for Endorsed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}
impl<T> Eq for Endorsed<T> {}

impl<T> fmt::Debug for Endorsed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endorsed(by {:?}, {} bytes)", self.signers(), self.payload.len())
    }
}

impl<T> Serialize for Endorsed<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        Bytes(self.to_bytes()).serialize(s)
    }
}
impl<'de, T: Statement> Deserialize<'de> for Endorsed<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Endorsed::from_bytes(&Bytes::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}
