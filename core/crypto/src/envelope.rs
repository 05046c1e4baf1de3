//! The envelope: COSE_Encrypt0 under a one-use key with a key commitment.
//!
//! From the key, 32 random bytes and the context, HKDF-Expand gives 64 bytes: a one-use AES-256-GCM key, so that the nonce can be zero, and a
//! commitment. AES-GCM alone does not commit to its key: a ciphertext can be made that opens under two keys. The commitment is compared first.

use crate::cose::{self, Context, LABEL_COMMITMENT, LABEL_RANDOM};
use crate::hash::{expand, sha256};
use crate::{CryptoError, Key, random};
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use coset::{ProtectedHeader, iana};
use subrosa_model::{Hash32, KeyId};
use zeroize::Zeroizing;

/// Length of the AES-GCM tag in bytes.
pub(crate) const TAG_LEN: usize = 16;

/// AES-256-GCM in place under a key that is used once (or a nonce that is used once under it); appends the tag.
#[allow(clippy::expect_used, reason = "AES-GCM fails only above 64 GiB, which no buffer of ours reaches")]
pub(crate) fn encrypt_in_place(key: &[u8; 32], nonce: &[u8; 12], aad: &[u8], buffer: &mut Vec<u8>, from: usize) {
    let cipher = Aes256Gcm::new(key.into());
    let tag = cipher.encrypt_inout_detached(<&Nonce<_>>::from(nonce), aad, (&mut buffer[from..]).into()).expect("below 64 GiB");
    buffer.extend_from_slice(&tag);
}

/// Checks the tag at the end of `buffer` and decrypts in place; on success the buffer holds the plaintext, on failure nothing.
pub(crate) fn decrypt_in_place(key: &[u8; 32], nonce: &[u8; 12], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), CryptoError> {
    let at = buffer.len().checked_sub(TAG_LEN).ok_or(CryptoError::Tag)?;
    let tag: [u8; TAG_LEN] = buffer[at..].try_into().map_err(|_| CryptoError::Tag)?;
    buffer.truncate(at);
    let cipher = Aes256Gcm::new(key.into());
    let done = cipher.decrypt_inout_detached(<&Nonce<_>>::from(nonce), aad, buffer.as_mut_slice().into(), <&Tag<_>>::from(&tag));
    done.map_err(|_| {
        buffer.clear();
        CryptoError::Tag
    })
}

/// Equal? In time that does not depend on where they differ.
pub(crate) fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    core::hint::black_box(a.iter().zip(b).fold(0u8, |acc, (x, y)| acc | (x ^ y))) == 0
}

/// The two halves of HKDF-Expand(key, "subrosa/1/" || namespace || random || SHA-256(aad), 64): one-use key and commitment.
struct OneUse(Zeroizing<[u8; 64]>);

impl OneUse {
    fn derive<P>(key: &Key<P>, namespace: &str, random: &[u8; 32], aad: &[u8]) -> Self {
        OneUse(expand::<64>(key.expose(), &[b"subrosa/1/", namespace.as_bytes(), random, &sha256(&[aad]).0]))
    }
    fn key(&self) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(&self.0[..32]);
        key
    }
    fn commitment(&self) -> [u8; 32] {
        let mut commitment = [0; 32];
        commitment.copy_from_slice(&self.0[32..]);
        commitment
    }
}

fn header(id: &KeyId, random: &[u8; 32], commitment: &[u8; 32]) -> ProtectedHeader {
    let alg = coset::Algorithm::Assigned(iana::Algorithm::A256GCM);
    cose::header(alg, &id.0, &[(LABEL_RANDOM, random), (LABEL_COMMITMENT, commitment)])
}

/// Seals `plaintext` for a context. The result is a COSE_Encrypt0 about 170 bytes longer than the plaintext; pad first ([`crate::pad`]) where the
/// length tells something.
pub fn seal<P, C: Context>(key: &Key<P>, ctx: &C, plaintext: &[u8]) -> Vec<u8> {
    seal_with(key, ctx, plaintext, &random::make_bytes())
}

pub(crate) fn seal_with<P, C: Context>(key: &Key<P>, ctx: &C, plaintext: &[u8], random: &[u8; 32]) -> Vec<u8> {
    let aad = cose::external_aad(ctx);
    let one_use = OneUse::derive(key, C::NAMESPACE, random, &aad);
    let protected = header(&key.id(), random, &one_use.commitment());
    let mut buffer = Vec::with_capacity(plaintext.len() + TAG_LEN);
    buffer.extend_from_slice(plaintext);
    encrypt_in_place(&one_use.key(), &[0; 12], &cose::enc_structure(&protected, &aad), &mut buffer, 0);
    cose::write_encrypt0(protected, buffer)
}

/// Opens what [`seal`] made for the same key and context.
///
/// # Errors
/// `EnvelopeMalformed` or a `Cbor...` error (not an envelope of ours), `KeyMismatch` (sealed under a key of another id), `Commitment` (another context,
/// or altered), `Tag` (altered).
pub fn open<P, C: Context>(key: &Key<P>, ctx: &C, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let (info, protected, mut buffer) = parse(sealed)?;
    if info.key_id != key.id() {
        return Err(CryptoError::KeyMismatch);
    }
    let aad = cose::external_aad(ctx);
    let one_use = OneUse::derive(key, C::NAMESPACE, &info.random, &aad);
    if !same(&one_use.commitment(), &info.commitment) {
        return Err(CryptoError::Commitment);
    }
    decrypt_in_place(&one_use.key(), &[0; 12], &cose::enc_structure(&protected, &aad), &mut buffer)?;
    Ok(Zeroizing::new(buffer))
}

/// Seals a key under another key.
pub fn seal_key<P, Q, C: Context>(kek: &Key<P>, ctx: &C, key: &Key<Q>) -> Vec<u8> {
    seal(kek, ctx, key.expose())
}

/// Opens what [`seal_key`] made, and checks that the key inside is the one that was named.
///
/// # Errors
/// As [`open`]; `WrongKeyInside` when it is not a key or its id is not `expect`.
pub fn open_key<P, Q, C: Context>(kek: &Key<P>, ctx: &C, sealed: &[u8], expect: &KeyId) -> Result<Key<Q>, CryptoError> {
    key_inside(&open(kek, ctx, sealed)?, expect)
}

pub(crate) fn key_inside<Q>(bytes: &[u8], expect: &KeyId) -> Result<Key<Q>, CryptoError> {
    let key = Key::from_slice(bytes).map_err(|_| CryptoError::WrongKeyInside)?;
    if key.id() == *expect { Ok(key) } else { Err(CryptoError::WrongKeyInside) }
}

/// What anyone can read on the outside of an envelope: enough for a server or keeper to compare it with a signed statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvelopeInfo {
    /// The id of the key that opens it, as claimed.
    pub key_id: KeyId,
    /// The random bytes of the one-use key.
    pub random: [u8; 32],
    /// The commitment to key and context, as claimed.
    pub commitment: [u8; 32],
    /// SHA-256 of ciphertext and tag.
    pub ciphertext_hash: Hash32,
    /// Length of ciphertext and tag in bytes.
    pub ciphertext_len: u64,
}

/// Reads the outside of an envelope without opening it. Checks its form only; nothing in the answer is proven.
///
/// # Errors
/// `EnvelopeMalformed` or a `Cbor...` error.
pub fn inspect(sealed: &[u8]) -> Result<EnvelopeInfo, CryptoError> {
    let (parsed, _, ciphertext) = parse(sealed)?;
    Ok(EnvelopeInfo {
        key_id: parsed.key_id,
        random: parsed.random,
        commitment: parsed.commitment,
        ciphertext_hash: sha256(&[&ciphertext]),
        ciphertext_len: ciphertext.len() as u64,
    })
}

struct Parsed {
    key_id: KeyId,
    random: [u8; 32],
    commitment: [u8; 32],
}

fn parse(sealed: &[u8]) -> Result<(Parsed, ProtectedHeader, Vec<u8>), CryptoError> {
    let (protected, ciphertext) = cose::read_encrypt0(sealed)?;
    let bytes32 = |b: Option<&[u8]>| b.and_then(|b| b.try_into().ok()).ok_or(CryptoError::EnvelopeMalformed);
    let key_id = KeyId(bytes32(Some(&protected.header.key_id))?);
    let random = bytes32(cose::field(&protected.header, LABEL_RANDOM))?;
    let commitment = bytes32(cose::field(&protected.header, LABEL_COMMITMENT))?;
    if ciphertext.len() < TAG_LEN || !cose::same_header(&protected, header(&key_id, &random, &commitment)) {
        return Err(CryptoError::EnvelopeMalformed);
    }
    Ok((Parsed { key_id, random, commitment }, protected, ciphertext))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CompartmentKey, EpochKey};

    #[derive(serde::Serialize)]
    struct Note {
        chart: u8,
    }
    impl Context for Note {
        const NAMESPACE: &'static str = "test-note";
    }
    #[derive(serde::Serialize)]
    struct Other {
        chart: u8,
    }
    impl Context for Other {
        const NAMESPACE: &'static str = "test-other";
    }

    #[test]
    fn what_is_sealed_opens_with_the_same_key_and_context() {
        let key = CompartmentKey::make();
        for text in [&b""[..], b"x", &[7; 5000]] {
            assert_eq!(open(&key, &Note { chart: 1 }, &seal(&key, &Note { chart: 1 }, text)).unwrap().as_slice(), text);
        }
    }

    #[test]
    fn another_context_namespace_or_key_is_refused_by_name() {
        let key = CompartmentKey::make();
        let sealed = seal(&key, &Note { chart: 1 }, b"said in confidence");
        assert_eq!(open(&key, &Note { chart: 2 }, &sealed), Err(CryptoError::Commitment));
        assert_eq!(open(&key, &Other { chart: 1 }, &sealed), Err(CryptoError::Commitment));
        assert_eq!(open(&CompartmentKey::make(), &Note { chart: 1 }, &sealed), Err(CryptoError::KeyMismatch));
    }

    #[test]
    fn an_altered_ciphertext_fails_at_the_tag_and_an_altered_random_at_the_commitment() {
        let key = CompartmentKey::make();
        let sealed = seal(&key, &Note { chart: 1 }, b"said in confidence");
        let mut last = sealed.clone();
        *last.last_mut().unwrap() ^= 1;
        assert_eq!(open(&key, &Note { chart: 1 }, &last), Err(CryptoError::Tag));
        let random = inspect(&sealed).unwrap().random;
        let at = sealed.windows(32).position(|w| w == random).unwrap();
        let mut early = sealed;
        early[at] ^= 1;
        assert_eq!(open(&key, &Note { chart: 1 }, &early), Err(CryptoError::Commitment));
    }

    #[test]
    fn a_key_comes_out_only_under_its_own_name() {
        let (kek, key) = (EpochKey::make(), CompartmentKey::make());
        let wrap = seal_key(&kek, &Note { chart: 1 }, &key);
        let back: CompartmentKey = open_key(&kek, &Note { chart: 1 }, &wrap, &key.id()).unwrap();
        assert_eq!(back.expose(), key.expose());
        let other = CompartmentKey::make().id();
        assert_eq!(open_key::<_, crate::purpose::Compartment, _>(&kek, &Note { chart: 1 }, &wrap, &other).err(), Some(CryptoError::WrongKeyInside));
        let text = seal(&kek, &Note { chart: 1 }, b"not a key");
        assert_eq!(open_key::<_, crate::purpose::Compartment, _>(&kek, &Note { chart: 1 }, &text, &other).err(), Some(CryptoError::WrongKeyInside));
    }
}
