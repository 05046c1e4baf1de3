//! What envelopes and signatures share: contexts and strict COSE (RFC 9052) on deterministic CBOR.

use crate::{CryptoError, cbor};
use coset::iana;
use coset::{
    CborSerializable, CoseEncrypt0, CoseSign1, EncryptionContext, Header, Label, ProtectedHeader, SignatureContext,
    TaggedCborSerializable, cbor::Value,
};
use serde::Serialize;

pub(crate) const VERSION: &str = "subrosa/1";

/// A namespaced context, built by the reader from what it asked for and never from what arrived.
///
/// It becomes `external_aad = cbor(["subrosa/1", NAMESPACE, context])`, so that nothing sealed for one place opens in another and nothing of one
/// kind opens as another kind. A namespace is of lower-case letters, digits and dashes (anything else does not compile), and unique among contexts in
/// the whole program.
pub trait Context: Serialize {
    /// What kind of thing this is the context of.
    const NAMESPACE: &'static str;
}

/// Letters, digits and dashes: no slash or colon, so that no namespace can run into the strings that this crate keeps for itself.
pub(crate) const fn is_namespace(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        if !matches!(bytes[i], b'a'..=b'z' | b'0'..=b'9' | b'-') {
            return false;
        }
        i += 1;
    }
    !bytes.is_empty()
}

/// cbor(["subrosa/1", NAMESPACE, context])
pub(crate) fn external_aad<C: Context>(ctx: &C) -> Vec<u8> {
    const { assert!(is_namespace(C::NAMESPACE), "a namespace is of lower-case letters, digits and dashes") };
    cbor::encode(&(VERSION, C::NAMESPACE, ctx))
}

/// The header fields of ours: private-use labels of RFC 9052 (below -65536), and `ek` of draft-ietf-cose-hpke.
pub(crate) const LABEL_RANDOM: i64 = -65537;
pub(crate) const LABEL_COMMITMENT: i64 = -65538;
pub(crate) const LABEL_EK: i64 = -4;

/// The protected header, in the order of the deterministic encoding.
pub(crate) fn header(alg: coset::Algorithm, kid: &[u8; 32], rest: &[(i64, &[u8])]) -> ProtectedHeader {
    let rest = rest.iter().map(|(label, bytes)| (Label::Int(*label), Value::Bytes(bytes.to_vec()))).collect();
    ProtectedHeader { original_data: None, header: Header { alg: Some(alg), key_id: kid.to_vec(), rest, ..Header::default() } }
}

/// A byte string among the header's other fields.
pub(crate) fn field(header: &Header, label: i64) -> Option<&[u8]> {
    header.rest.iter().find_map(|(l, v)| match v {
        Value::Bytes(bytes) if *l == Label::Int(label) => Some(bytes.as_slice()),
        _ => None,
    })
}

#[allow(clippy::expect_used, reason = "the headers are our own: distinct labels, plain values")]
pub(crate) fn write_encrypt0(protected: ProtectedHeader, ciphertext: Vec<u8>) -> Vec<u8> {
    CoseEncrypt0 { protected, unprotected: Header::default(), ciphertext: Some(ciphertext) }.to_tagged_vec().expect("our headers encode")
}

/// Enc_structure of RFC 9052 section 5.3.
pub(crate) fn enc_structure(protected: &ProtectedHeader, aad: &[u8]) -> Vec<u8> {
    coset::enc_structure_data(EncryptionContext::CoseEncrypt0, protected.clone(), aad)
}

/// Longest protected header of ours: a seal's, with an encapsulated key of 1120 bytes.
const MAX_HEADER: usize = 1280;

/// Another kind of CBOR than a container: says which container was asked for.
fn shape(malformed: CryptoError) -> impl FnOnce(CryptoError) -> CryptoError {
    move |e| if e == CryptoError::CborShape { malformed } else { e }
}

/// Parses COSE_Encrypt0 with its tag: deterministic encoding, empty unprotected header, embedded ciphertext.
pub(crate) fn read_encrypt0(bytes: &[u8]) -> Result<(ProtectedHeader, Vec<u8>), CryptoError> {
    cbor::check_container(bytes, MAX_HEADER).map_err(shape(CryptoError::EnvelopeMalformed))?;
    let cose = CoseEncrypt0::from_tagged_slice(bytes).map_err(|_| CryptoError::EnvelopeMalformed)?;
    match cose.ciphertext {
        Some(ciphertext) if cose.unprotected.is_empty() => Ok((cose.protected, ciphertext)),
        _ => Err(CryptoError::EnvelopeMalformed),
    }
}

/// Are the protected bytes exactly what [`header`] writes for these fields? Anything more, less or otherwise encoded is refused.
pub(crate) fn same_header(arrived: &ProtectedHeader, rebuilt: ProtectedHeader) -> bool {
    rebuilt.to_vec().is_ok_and(|bytes| Some(bytes) == arrived.original_data)
}

#[allow(clippy::expect_used, reason = "the headers are our own: distinct labels, plain values")]
pub(crate) fn write_sign1(protected: ProtectedHeader, payload: Option<Vec<u8>>, signature: [u8; 64]) -> Vec<u8> {
    CoseSign1 { protected, unprotected: Header::default(), payload, signature: signature.to_vec() }.to_tagged_vec().expect("our headers encode")
}

/// Sig_structure of RFC 9052 section 4.4.
pub(crate) fn sig_structure(protected: &ProtectedHeader, aad: &[u8], payload: &[u8]) -> Vec<u8> {
    coset::sig_structure_data(SignatureContext::CoseSign1, protected.clone(), None, aad, payload)
}

/// The parts of a COSE_Sign1 of ours.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sign1 {
    pub(crate) protected: ProtectedHeader,
    pub(crate) signer: [u8; 32],
    pub(crate) payload: Option<Vec<u8>>,
    pub(crate) signature: [u8; 64],
}

pub(crate) fn sign1_header(signer: &[u8; 32]) -> ProtectedHeader {
    header(coset::Algorithm::Assigned(iana::Algorithm::EdDSA), signer, &[])
}

/// Parses COSE_Sign1 with its tag: deterministic encoding, protected {alg: EdDSA, kid: 32 bytes} and nothing else, 64-byte signature.
pub(crate) fn read_sign1(bytes: &[u8]) -> Result<Sign1, CryptoError> {
    let malformed = CryptoError::SignatureMalformed;
    cbor::check_container(bytes, MAX_HEADER).map_err(shape(malformed.clone()))?;
    let cose = CoseSign1::from_tagged_slice(bytes).map_err(|_| malformed.clone())?;
    let signer: [u8; 32] = cose.protected.header.key_id.as_slice().try_into().map_err(|_| malformed.clone())?;
    let signature: [u8; 64] = cose.signature.as_slice().try_into().map_err(|_| malformed.clone())?;
    if !cose.unprotected.is_empty() || !same_header(&cose.protected, sign1_header(&signer)) {
        return Err(malformed);
    }
    Ok(Sign1 { protected: cose.protected, signer, payload: cose.payload, signature })
}
