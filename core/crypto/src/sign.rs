//! Ed25519 (RFC 8032) with strict verification, and the two signed forms: [`Signed`] by one, [`Endorsed`] by several.

use crate::hash::sha256;
use crate::{CryptoError, random};
use ed25519_dalek::Signer;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subrosa_model::{Bytes, KeyId};
use zeroize::Zeroizing;

mod endorsed;
mod signed;
#[cfg(test)]
mod tests;
pub use endorsed::{Endorsed, MAX_SIGNATURES};
pub use signed::Signed;

/// Something that can be signed. The namespace goes into what is signed, so that no statement can pass for one of another kind; it is of lower-case
/// letters, digits and dashes (anything else does not compile), and unique among statements in the whole program.
pub trait Statement: Serialize + DeserializeOwned {
    /// What kind of statement this is.
    const NAMESPACE: &'static str;
}

/// An Ed25519 signing key. Wiped when dropped; `Debug` prints only the signer id.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// Draws a new key.
    pub fn make() -> Self {
        Self::from_seed(random::make_bytes())
    }

    /// The key of a seed (RFC 8032 section 5.1.5: the private key).
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        SigningKey(ed25519_dalek::SigningKey::from_bytes(&seed))
    }

    /// The seed, to be sealed into a bundle.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    pub fn public(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key().to_bytes())
    }

    /// Signs bytes as they are. For forms that others define (signed notes, checkpoints, request signatures); our own statements use [`Signed`].
    pub fn sign_raw(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl core::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SigningKey({})", self.public().id())
    }
}

/// An Ed25519 public key, checked when made: on the curve and not of small order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerifyingKey([u8; 32]);

impl VerifyingKey {
    /// From its bytes.
    ///
    /// # Errors
    /// `PublicKey` when they are no point of the curve, are not in the one encoding, or are a point of small order (under which one signature fits
    /// many messages).
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, CryptoError> {
        let key = VerifyingKey(bytes);
        let point = key.point()?;
        if point.is_weak() || point.to_edwards().compress().to_bytes() != bytes {
            return Err(CryptoError::PublicKey);
        }
        Ok(key)
    }

    fn point(&self) -> Result<ed25519_dalek::VerifyingKey, CryptoError> {
        ed25519_dalek::VerifyingKey::from_bytes(&self.0).map_err(|_| CryptoError::PublicKey)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The signer's public name: SHA-256("subrosa/1/signer" || key).
    pub fn id(&self) -> KeyId {
        KeyId(sha256(&[b"subrosa/1/signer", &self.0]).0)
    }

    /// Verifies a signature over bytes as they are (see [`SigningKey::sign_raw`]), strictly: no small-order points, no unreduced scalars, and so no
    /// second signature that anyone could make from the first.
    ///
    /// # Errors
    /// `SignatureInvalid`.
    pub fn verify_raw(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), CryptoError> {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.point()?.verify_strict(message, &signature).map_err(|_| CryptoError::SignatureInvalid)
    }
}

impl core::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "VerifyingKey({})", self.id())
    }
}

impl Serialize for VerifyingKey {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        Bytes::from(&self.0[..]).serialize(s)
    }
}

impl<'de> Deserialize<'de> for VerifyingKey {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let bytes = Bytes::deserialize(d)?;
        let bytes = bytes.as_slice().try_into().map_err(|_| serde::de::Error::custom(CryptoError::PublicKey))?;
        VerifyingKey::from_bytes(bytes).map_err(serde::de::Error::custom)
    }
}
