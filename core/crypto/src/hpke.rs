//! Sealing to a person or device: HPKE base mode (RFC 9180) with X-Wing (X25519 and ML-KEM-768, draft-ietf-hpke-pq), HKDF-SHA-256, AES-256-GCM.
//!
//! The container is a COSE_Encrypt0 whose protected header names a private algorithm number, the recipient key's hash and the encapsulated key.
//! Base mode says nothing about the sender: who made a seal is told by the signed statement that carries its hash.

use crate::cose::{self, Context, LABEL_EK};
use crate::envelope::{TAG_LEN, key_inside};
use crate::hash::sha256;
use crate::random::{self, SystemRandom};
use crate::{CryptoError, Key};
use coset::ProtectedHeader;
use hpke::aead::{AeadTag, AesGcm256};
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subrosa_model::{Bytes, Hash32, KeyId};
use zeroize::Zeroizing;

/// Length of an X-Wing public key in bytes.
pub const HPKE_PUBLIC_LEN: usize = 1216;
/// Length of an X-Wing encapsulated key in bytes.
pub const HPKE_EK_LEN: usize = 1120;

/// COSE algorithm number, private use: HPKE base mode with X-Wing, HKDF-SHA-256 and AES-256-GCM. No number is registered for this suite.
const ALG: i64 = -65601;
/// RFC 9180 section 7.2.1 gives `info` a bound; the library's is 64 KiB less a little.
const MAX_INFO: usize = 60 * 1024;

type PrivateKey = <XWing as Kem>::PrivateKey;
type PublicKey = <XWing as Kem>::PublicKey;
type EncappedKey = <XWing as Kem>::EncappedKey;

/// The secret half of an X-Wing key pair, kept as its 32-byte seed. Wiped when dropped; `Debug` prints only the type.
#[derive(Clone)]
pub struct HpkeSecret {
    secret: PrivateKey,
    public: HpkePublic,
}

impl HpkeSecret {
    /// Draws a new key pair.
    pub fn make() -> Self {
        Self::from_seed(random::make_bytes())
    }

    /// The key pair of a seed: X-Wing's decapsulation key (draft-connolly-cfrg-xwing-kem section 5.2).
    #[allow(clippy::expect_used, reason = "every string of 32 bytes is an X-Wing decapsulation key")]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        let secret = PrivateKey::from_bytes(seed.as_slice()).expect("32 bytes");
        let public = HpkePublic(XWing::sk_to_pk(&secret).to_bytes().to_vec());
        HpkeSecret { secret, public }
    }

    /// The seed, to be sealed into a bundle.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        let mut seed = Zeroizing::new([0; 32]);
        self.secret.write_exact(seed.as_mut_slice());
        seed
    }

    /// The public half.
    pub fn public(&self) -> HpkePublic {
        self.public.clone()
    }
}

impl core::fmt::Debug for HpkeSecret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("HpkeSecret")
    }
}

/// An X-Wing public key of 1216 bytes, checked when made (length, ML-KEM's modulus check).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HpkePublic(Vec<u8>);

impl HpkePublic {
    /// From its bytes.
    ///
    /// # Errors
    /// `PublicKey` unless they are a valid X-Wing public key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CryptoError> {
        PublicKey::from_bytes(bytes).map_err(|_| CryptoError::PublicKey)?;
        Ok(HpkePublic(bytes.to_vec()))
    }

    /// The 1216 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// SHA-256("subrosa/1/hpke-public" || key): what statements name and what seals carry as the recipient.
    pub fn hash(&self) -> Hash32 {
        sha256(&[b"subrosa/1/hpke-public", &self.0])
    }
}

impl core::fmt::Debug for HpkePublic {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "HpkePublic({})", self.hash())
    }
}

impl Serialize for HpkePublic {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        Bytes::from(self.0.as_slice()).serialize(s)
    }
}

impl<'de> Deserialize<'de> for HpkePublic {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        HpkePublic::from_bytes(&Bytes::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

fn header(recipient: &Hash32, ek: &[u8]) -> ProtectedHeader {
    cose::header(coset::Algorithm::PrivateUse(ALG), &recipient.0, &[(LABEL_EK, ek)])
}

fn info<C: Context>(ctx: &C) -> Result<Vec<u8>, CryptoError> {
    let info = cose::external_aad(ctx);
    if info.len() > MAX_INFO { Err(CryptoError::ContextTooLong) } else { Ok(info) }
}

/// Seals `plaintext` to a public key for a context, which becomes both HPKE's `info` and the external data of COSE.
///
/// # Errors
/// `ContextTooLong` above 60 KiB of context; `PublicKey` when encapsulation fails.
pub fn seal_to<C: Context>(to: &HpkePublic, ctx: &C, plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let info = info(ctx)?;
    let public = PublicKey::from_bytes(&to.0).map_err(|_| CryptoError::PublicKey)?;
    let (ek, mut sender) =
        hpke::setup_sender_with_rng::<AesGcm256, HkdfSha256, XWing>(&OpModeS::Base, &public, &info, &mut SystemRandom)
            .map_err(|_| CryptoError::PublicKey)?;
    let protected = header(&to.hash(), &ek.to_bytes());
    let aad = cose::enc_structure(&protected, &info);
    let mut buffer = Vec::with_capacity(plaintext.len() + TAG_LEN);
    buffer.extend_from_slice(plaintext);
    let tag = sender.seal_inout_detached(buffer.as_mut_slice().into(), &aad).map_err(|_| CryptoError::PublicKey)?;
    buffer.extend_from_slice(&tag.to_bytes());
    Ok(cose::write_encrypt0(protected, buffer))
}

/// Opens what [`seal_to`] made for this key and context.
///
/// # Errors
/// `EnvelopeMalformed` or a `Cbor...` error; `KeyMismatch` (sealed to another key); `Tag` (another context, or altered); `ContextTooLong`.
pub fn open_from<C: Context>(secret: &HpkeSecret, ctx: &C, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let info = info(ctx)?;
    let (protected, mut buffer) = cose::read_encrypt0(sealed)?;
    let malformed = || CryptoError::EnvelopeMalformed;
    let recipient = Hash32::from_slice(&protected.header.key_id).ok_or_else(malformed)?;
    let ek = cose::field(&protected.header, LABEL_EK).ok_or_else(malformed)?;
    let at = buffer.len().checked_sub(TAG_LEN).ok_or_else(malformed)?;
    if ek.len() != HPKE_EK_LEN || !cose::same_header(&protected, header(&recipient, ek)) {
        return Err(malformed());
    }
    if recipient != secret.public.hash() {
        return Err(CryptoError::KeyMismatch);
    }
    let ek = EncappedKey::from_bytes(ek).map_err(|_| malformed())?;
    let tag = AeadTag::<AesGcm256>::from_bytes(&buffer[at..]).map_err(|_| malformed())?;
    buffer.truncate(at);
    let mut receiver = hpke::setup_receiver::<AesGcm256, HkdfSha256, XWing>(&OpModeR::Base, &secret.secret, &ek, &info)
        .map_err(|_| CryptoError::Tag)?;
    let mut plaintext = Zeroizing::new(buffer);
    let aad = cose::enc_structure(&protected, &info);
    receiver.open_inout_detached(plaintext.as_mut_slice().into(), &aad, &tag).map_err(|_| CryptoError::Tag)?;
    Ok(plaintext)
}

/// Seals a key to a public key.
///
/// # Errors
/// As [`seal_to`].
pub fn seal_key_to<Q, C: Context>(to: &HpkePublic, ctx: &C, key: &Key<Q>) -> Result<Vec<u8>, CryptoError> {
    seal_to(to, ctx, key.expose())
}

/// Opens what [`seal_key_to`] made, and checks that the key inside is the one that was named.
///
/// # Errors
/// As [`open_from`]; `WrongKeyInside` when it is not a key or its id is not `expect`.
pub fn open_key_from<Q, C: Context>(secret: &HpkeSecret, ctx: &C, sealed: &[u8], expect: &KeyId) -> Result<Key<Q>, CryptoError> {
    key_inside(&open_from(secret, ctx, sealed)?, expect)
}

/// Whom a seal is for, as it claims: the hash of the recipient's public key.
///
/// # Errors
/// `EnvelopeMalformed` or a `Cbor...` error.
pub fn recipient_of(sealed: &[u8]) -> Result<Hash32, CryptoError> {
    let (protected, _) = cose::read_encrypt0(sealed)?;
    let recipient = Hash32::from_slice(&protected.header.key_id).ok_or(CryptoError::EnvelopeMalformed)?;
    match cose::field(&protected.header, LABEL_EK) {
        Some(ek) if ek.len() == HPKE_EK_LEN && cose::same_header(&protected, header(&recipient, ek)) => Ok(recipient),
        _ => Err(CryptoError::EnvelopeMalformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CompartmentKey;

    #[derive(serde::Serialize)]
    struct Wrap(u8);
    impl Context for Wrap {
        const NAMESPACE: &'static str = "test-wrap";
    }

    #[test]
    fn a_seal_opens_for_its_recipient_and_context_only() {
        let (alice, bob) = (HpkeSecret::make(), HpkeSecret::make());
        let sealed = seal_to(&alice.public(), &Wrap(1), b"said in confidence").unwrap();
        assert_eq!(open_from(&alice, &Wrap(1), &sealed).unwrap().as_slice(), b"said in confidence");
        assert_eq!(open_from(&alice, &Wrap(2), &sealed), Err(CryptoError::Tag));
        assert_eq!(open_from(&bob, &Wrap(1), &sealed), Err(CryptoError::KeyMismatch));
        assert_eq!(recipient_of(&sealed), Ok(alice.public().hash()));
    }

    #[test]
    fn a_key_pair_comes_back_from_its_seed_and_a_key_from_its_seal() {
        let alice = HpkeSecret::make();
        let again = HpkeSecret::from_seed(*alice.seed());
        let key = CompartmentKey::make();
        let sealed = seal_key_to(&again.public(), &Wrap(1), &key).unwrap();
        let back: CompartmentKey = open_key_from(&alice, &Wrap(1), &sealed, &key.id()).unwrap();
        assert_eq!(back.id(), key.id());
        let wrong = open_key_from::<crate::purpose::Compartment, _>(&alice, &Wrap(1), &sealed, &CompartmentKey::make().id());
        assert_eq!(wrong.err(), Some(CryptoError::WrongKeyInside));
    }

    #[test]
    fn public_keys_are_checked_at_the_door() {
        assert_eq!(HpkePublic::from_bytes(&[0; 1215]), Err(CryptoError::PublicKey));
        assert_eq!(HpkePublic::from_bytes(&[0xff; 1216]), Err(CryptoError::PublicKey), "coefficients above the modulus");
        let public = HpkeSecret::make().public();
        let json = serde_json::to_string(&public).unwrap();
        assert_eq!(serde_json::from_str::<HpkePublic>(&json).unwrap(), public);
        assert!(crate::cbor::decode::<HpkePublic>(&crate::cbor::encode(&Bytes::from(&[0xff; 1216][..]))).is_err());
    }
}
