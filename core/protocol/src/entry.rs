//! Entries: one immutable, signed, encrypted version of something in a compartment.
//!
//! Server and keeper check [`EntryBlob::verify`] (no key needed); the client also opens. The sealing context is the header itself, rebuilt by
//! the reader from what it asked for, so a version cannot be opened as another, in another place or under another author.

use serde::{Deserialize, Serialize};
use subrosa_crypto::{CompartmentKey, Context, Signed, SigningKey, Statement, VerifyingKey, cbor, open, pad, seal, sha256, unpad};
use subrosa_model::{Bytes, ChartId, Compartment, DeviceId, EntryId, Hash32, KeyId, MemberId, PracticeId, Timestamp};

use crate::ProtocolError;

/// Largest body of an entry before padding, in bytes. Larger things are attachments.
pub const MAX_BODY: usize = 4 * 1024 * 1024;
/// Smallest padded size of an entry's body, in bytes.
pub const PAD_FLOOR: usize = 4096;

/// Where an entry's version belongs, and who made it. This is the sealing context and part of what is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryContext {
    /// The practice.
    pub practice: PracticeId,
    /// The chart.
    pub chart: ChartId,
    /// The compartment whose key seals it.
    pub compartment: Compartment,
    /// Id of that key.
    pub key: KeyId,
    /// The entry; its versions share the id.
    pub entry: EntryId,
    /// From 1.
    pub version: u32,
    /// Who wrote it.
    pub author: MemberId,
    /// The linked device that acted for the author, if one did.
    pub device: Option<DeviceId>,
    /// Hash of the entry's previous signed version; none for version 1.
    pub prev: Option<Hash32>,
    /// When its author says it was made.
    pub made: Timestamp,
}

impl Context for EntryContext {
    const NAMESPACE: &'static str = "envelope";
}

/// A file that belongs to an entry: sealed in chunks, stored apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentRef {
    /// SHA-256 of the ciphertext.
    pub ciphertext: Hash32,
    /// Length of the ciphertext in bytes.
    pub length: u64,
}

/// What an author signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryHeader {
    /// Where it belongs.
    pub context: EntryContext,
    /// SHA-256 of the sealed container, which holds the random bytes, the commitment and the ciphertext.
    pub sealed: Hash32,
    /// Its attachments.
    pub attachments: Vec<AttachmentRef>,
}

impl Statement for EntryHeader {
    const NAMESPACE: &'static str = "entry";
}

/// What is inside an entry.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryBody {
    /// What kind of content this is, such as `note/1` or `fhir-r4/Condition`.
    pub schema: String,
    /// Media type of `body`.
    pub content_type: String,
    /// What a person sees in a list.
    pub title: String,
    /// When it happened, ISO 8601 as its source gave it.
    pub occurred: Option<String>,
    /// The content, byte for byte.
    pub body: Bytes,
    /// SHA-256 of each attachment's plaintext, its name and media type, in the order of [`EntryHeader::attachments`].
    pub attachments: Vec<AttachmentBody>,
}

impl core::fmt::Debug for EntryBody {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "EntryBody({} bytes)", self.body.len())
    }
}

/// What is said about an attachment inside the sealed body.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentBody {
    /// SHA-256 of the plaintext.
    pub plaintext: Hash32,
    /// File name.
    pub name: String,
    /// Media type.
    pub content_type: String,
    /// Length of the plaintext in bytes.
    pub length: u64,
}

impl core::fmt::Debug for AttachmentBody {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "AttachmentBody({} bytes)", self.length)
    }
}

/// A sealed, signed version on the wire and in the store: CBOR of the signed header and the sealed body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryBlob {
    /// COSE_Sign1 over [`EntryHeader`].
    pub signed: Bytes,
    /// COSE_Encrypt0 of the padded [`EntryBody`].
    pub sealed: Bytes,
}

/// Seals and signs one version.
pub fn seal_entry(
    signer: &SigningKey,
    key: &CompartmentKey,
    context: &EntryContext,
    body: &EntryBody,
    attachments: Vec<AttachmentRef>,
) -> Result<EntryBlob, ProtocolError> {
    if body.body.len() > MAX_BODY {
        return Err(ProtocolError::TooLarge("entry"));
    }
    if key.id() != context.key || body.attachments.len() != attachments.len() {
        return Err(ProtocolError::HashMismatch("entry"));
    }
    let plain = pad(&cbor::encode(body), PAD_FLOOR);
    let sealed = seal(key, context, &plain);
    let header = EntryHeader { context: context.clone(), sealed: sha256(&[&sealed]), attachments };
    let signed = Signed::sign(signer, &context.practice, &header);
    Ok(EntryBlob { signed: signed.to_bytes().into(), sealed: sealed.into() })
}

impl EntryBlob {
    /// The header as it claims to be, and whose key it says it is signed with. Nothing is verified.
    pub fn peek_unverified(&self) -> Result<(EntryHeader, KeyId), ProtocolError> {
        let signed = Signed::<EntryHeader>::from_bytes(&self.signed)?;
        Ok((signed.peek_unverified()?, signed.signer_id()))
    }

    /// Who signed it, unverified.
    pub fn signer_id(&self) -> Result<KeyId, ProtocolError> {
        Ok(Signed::<EntryHeader>::from_bytes(&self.signed)?.signer_id())
    }

    /// Verifies the author's signature and that the sealed part is the one signed.
    pub fn verify(&self, practice: &PracticeId, author: &VerifyingKey) -> Result<EntryHeader, ProtocolError> {
        let header = Signed::<EntryHeader>::from_bytes(&self.signed)?.verify(author, practice)?;
        if header.context.practice != *practice {
            return Err(ProtocolError::WrongPractice);
        }
        if sha256(&[&self.sealed]) != header.sealed {
            return Err(ProtocolError::HashMismatch("entry"));
        }
        if (header.context.version == 1) != header.context.prev.is_none() || header.context.version == 0 {
            return Err(ProtocolError::NotAllowed("version 1 has no predecessor, every other has one"));
        }
        Ok(header)
    }

    /// Hash by which the next version names this one.
    pub fn hash(&self) -> Hash32 {
        sha256(&[b"subrosa/1/version", &self.signed])
    }

    /// Opens the body of a verified header.
    pub fn open(&self, key: &CompartmentKey, header: &EntryHeader) -> Result<EntryBody, ProtocolError> {
        let plain = open(key, &header.context, &self.sealed)?;
        let body: EntryBody = cbor::decode(unpad(&plain)?)?;
        if body.attachments.len() != header.attachments.len() {
            return Err(ProtocolError::HashMismatch("attachment list"));
        }
        Ok(body)
    }
}
