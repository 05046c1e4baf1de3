//! Attachments: files of an entry, sealed in chunks, stored apart, opened only if every byte is what the signed entry announced.

use serde::Serialize;
use subrosa_crypto::{Context, sha256, stream};
use subrosa_model::{ChartId, Compartment, EntryId, KeyId, MemberId, PracticeId};
use subrosa_protocol::access::Purpose;
use subrosa_protocol::api::ObjectAsk;
use subrosa_protocol::entry::{AttachmentBody, AttachmentRef};
use zeroize::Zeroizing;

use crate::ClientError;
use crate::charts::HeldKey;
use crate::open::OpenVersion;
use crate::vault::Vault;
use crate::write::{NewBody, Written};

/// Largest file, in bytes: what the server takes in one piece.
pub const MAX_FILE: usize = 31 * 1024 * 1024;

/// A file to attach.
#[derive(Clone)]
pub struct NewFile {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl core::fmt::Debug for NewFile {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "NewFile({} bytes)", self.bytes.len())
    }
}

/// The sealing context of an attachment.
#[derive(Debug, Serialize)]
struct AttachmentContext {
    practice: PracticeId,
    chart: ChartId,
    compartment: Compartment,
    key: KeyId,
    entry: EntryId,
    author: MemberId,
}

impl Context for AttachmentContext {
    const NAMESPACE: &'static str = "attachment";
}

impl Vault {
    /// Writes a new entry with files. The files go first; the entry names them by hash and length.
    ///
    /// # Errors
    /// [`ClientError::Invalid`] for a file of more than 31 MiB; as [`Vault::write`].
    pub async fn write_with_files(
        &mut self,
        chart: ChartId,
        compartment: Compartment,
        entry: EntryId,
        body: NewBody,
        files: &[NewFile],
    ) -> Result<Written, ClientError> {
        self.turn_epochs_if_needed().await?;
        let key = self.writing_key(chart, compartment).await?;
        let (refs, bodies) = self.upload(chart, compartment, entry, &key, files).await?;
        let ready = self.seal_version_with(chart, compartment, &key, entry, None, body, (refs, bodies))?;
        self.send_one(chart, compartment, ready).await
    }

    pub(crate) async fn upload(
        &self,
        chart: ChartId,
        compartment: Compartment,
        entry: EntryId,
        key: &HeldKey,
        files: &[NewFile],
    ) -> Result<(Vec<AttachmentRef>, Vec<AttachmentBody>), ClientError> {
        let (mut refs, mut bodies) = (Vec::new(), Vec::new());
        for file in files {
            if file.bytes.len() > MAX_FILE {
                return Err(ClientError::Invalid("a file has at most 31 MiB"));
            }
            let context = AttachmentContext { practice: self.practice, chart, compartment, key: key.id, entry, author: self.member };
            let (plaintext, sealed) = stream::seal(&key.key, &context, &file.bytes);
            let ciphertext = sha256(&[&sealed]);
            refs.push(AttachmentRef { ciphertext, length: sealed.len() as u64 });
            bodies.push(AttachmentBody {
                plaintext,
                name: file.name.clone(),
                content_type: file.content_type.clone(),
                length: file.bytes.len() as u64,
            });
            self.conn.put_bytes(&format!("/v1/objects/{ciphertext}"), sealed, &self.session).await?;
        }
        Ok((refs, bodies))
    }

    /// Fetches and opens a file of a version that was opened before. Nothing is given out unless the whole of it is what the author sealed.
    ///
    /// # Errors
    /// [`ClientError::SwappedEntry`] for other bytes than announced; as [`Vault::open_chart`].
    pub async fn open_file(
        &mut self,
        chart: ChartId,
        compartment: Compartment,
        entry: EntryId,
        version: &OpenVersion,
        number: usize,
    ) -> Result<Zeroizing<Vec<u8>>, ClientError> {
        let file = version.files.get(number).ok_or(ClientError::Unknown("attachment"))?;
        let body = version.body.attachments.get(number).ok_or(ClientError::Unknown("attachment"))?;
        let held = self.chart_keys.get(&(chart, compartment)).and_then(|k| k.iter().find(|k| k.id == version.key)).cloned().ok_or(ClientError::NoKey)?;
        let request = self.sign_request(&[chart], &[compartment], Purpose::Open, 0);
        let ask = ObjectAsk { request: request.ask.request, entry };
        let sealed = self.conn.fetch_bytes(&format!("/v1/objects/{}", file.ciphertext), &ask, &self.session).await?;
        if sealed.len() as u64 != file.length || sha256(&[&sealed]) != file.ciphertext {
            return Err(ClientError::SwappedEntry);
        }
        let context = AttachmentContext { practice: self.practice, chart, compartment, key: held.id, entry, author: version.author };
        let plain = stream::open(&held.key, &context, &body.plaintext, &sealed).map_err(|_| ClientError::SwappedEntry)?;
        if plain.len() as u64 != body.length {
            return Err(ClientError::SwappedEntry);
        }
        Ok(plain)
    }
}

#[cfg(test)]
fn vector_context(key: &subrosa_crypto::CompartmentKey, owner: crate::local::Owner, chart: ChartId, entry: EntryId) -> AttachmentContext {
    AttachmentContext { practice: owner.practice, chart, compartment: Compartment::Record, key: key.id(), entry, author: owner.member }
}

#[cfg(test)]
pub(crate) fn seal_vector(key: &subrosa_crypto::CompartmentKey, owner: crate::local::Owner, chart: ChartId, entry: EntryId, content: &[u8]) -> Vec<u8> {
    stream::seal(key, &vector_context(key, owner, chart, entry), content).1
}

#[cfg(test)]
pub(crate) fn open_vector(
    key: &subrosa_crypto::CompartmentKey,
    owner: crate::local::Owner,
    chart: ChartId,
    entry: EntryId,
    content: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, ClientError> {
    Ok(stream::open(key, &vector_context(key, owner, chart, entry), &sha256(&[content]), sealed)?)
}
