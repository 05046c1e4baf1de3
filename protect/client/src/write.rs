//! Writing: new entries, new versions, and the roster row that follows the identity.

use serde::{Deserialize, Serialize};
use subrosa_crypto::random;
use subrosa_model::{Bytes, ChartId, Compartment, EntryId, Hash32};
use subrosa_protocol::api::{EntriesAnswer, EntryOutcome, NewEntries};
use subrosa_protocol::chart::{RosterBlob, RosterContext, RosterRow};
use subrosa_protocol::entry::{AttachmentBody, AttachmentRef, EntryBlob, EntryBody, EntryContext, seal_entry};

use crate::charts::{HeldKey, IdentityDraft};
use crate::local::HeadPin;
use crate::vault::Vault;
use crate::ClientError;

/// What somebody writes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewBody {
    /// What kind of content, such as `note/1`.
    pub schema: String,
    /// Media type of `body`.
    pub content_type: String,
    /// What a person sees in a list.
    pub title: String,
    /// When it happened, ISO 8601.
    pub occurred: Option<String>,
    /// The content.
    #[serde(with = "serde_bytes")]
    pub body: Vec<u8>,
}

impl core::fmt::Debug for NewBody {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "NewBody({} bytes)", self.body.len())
    }
}

impl NewBody {
    /// A note in plain text, schema `note/1`.
    pub fn note(title: &str, text: &str) -> Self {
        NewBody {
            schema: "note/1".to_owned(),
            content_type: "text/plain; charset=utf-8".to_owned(),
            title: title.to_owned(),
            occurred: None,
            body: text.as_bytes().to_vec(),
        }
    }

    pub(crate) fn into_entry(self, attachments: Vec<AttachmentBody>) -> EntryBody {
        EntryBody {
            schema: self.schema,
            content_type: self.content_type,
            title: self.title,
            occurred: self.occurred,
            body: self.body.into(),
            attachments,
        }
    }
}

/// What became of something written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The entry.
    pub entry: EntryId,
    /// Its new version.
    pub version: u32,
    /// That version's hash.
    pub hash: Hash32,
    /// `Conflict` when somebody else was quicker: both are kept, and both are shown when the chart is opened.
    pub outcome: EntryOutcome,
}

/// A version that is ready to be sent.
pub(crate) struct Ready {
    pub(crate) blob: EntryBlob,
    pub(crate) entry: EntryId,
    pub(crate) version: u32,
    pub(crate) hash: Hash32,
}

impl Vault {
    /// Writes a new entry.
    ///
    /// # Errors
    /// [`ClientError::NoKey`], [`ClientError::Never`], the server's refusal.
    pub async fn write(&mut self, chart: ChartId, compartment: Compartment, body: NewBody) -> Result<Written, ClientError> {
        self.write_as(chart, compartment, EntryId(random::make_bytes()), body).await
    }

    /// Writes a new entry under an id that the caller drew before, for instance the one of its draft.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn write_as(&mut self, chart: ChartId, compartment: Compartment, entry: EntryId, body: NewBody) -> Result<Written, ClientError> {
        self.turn_epochs_if_needed().await?;
        let key = self.writing_key(chart, compartment).await?;
        let ready = self.seal_version(chart, compartment, &key, entry, None, body)?;
        self.send_one(chart, compartment, ready).await
    }

    /// Writes a new version of an entry, following the newest one that this vault has seen (it opens the chart if it has seen none).
    /// In `identity`, use [`Self::amend_identity`], so that the roster follows.
    ///
    /// # Errors
    /// As [`Self::write`]; [`ClientError::Unknown`] for an entry that is not there.
    pub async fn amend(&mut self, chart: ChartId, compartment: Compartment, entry: EntryId, body: NewBody) -> Result<Written, ClientError> {
        self.turn_epochs_if_needed().await?;
        let prev = self.head_of(chart, compartment, entry).await?;
        let key = self.writing_key(chart, compartment).await?;
        let ready = self.seal_version(chart, compartment, &key, entry, Some(prev), body)?;
        self.send_one(chart, compartment, ready).await
    }

    /// Writes a new version of the identity entry and the roster row drawn from it.
    ///
    /// # Errors
    /// As [`Self::amend`].
    pub async fn amend_identity(&mut self, chart: ChartId, entry: EntryId, identity: &IdentityDraft) -> Result<Written, ClientError> {
        self.turn_epochs_if_needed().await?;
        let prev = self.head_of(chart, Compartment::Identity, entry).await?;
        self.write_identity(chart, entry, Some(prev), identity).await
    }

    pub(crate) async fn write_first_identity(&mut self, chart: ChartId, identity: &IdentityDraft) -> Result<Written, ClientError> {
        self.write_identity(chart, EntryId(random::make_bytes()), None, identity).await
    }

    async fn write_identity(&mut self, chart: ChartId, entry: EntryId, prev: Option<HeadPin>, identity: &IdentityDraft) -> Result<Written, ClientError> {
        let key = self.writing_key(chart, Compartment::Identity).await?;
        let ready = self.seal_version(chart, Compartment::Identity, &key, entry, prev, identity.body.clone())?;
        let row = self.seal_row(chart, &key, ready.hash, &identity.row)?;
        let written = self.send_versions(chart, Compartment::Identity, vec![ready], vec![row], random::make_bytes::<16>().to_vec().into()).await?;
        if let (EntryOutcome::Head, Some(prev)) = (written.outcome, prev) {
            self.pins.superseded.insert(prev.hash);
        }
        self.roster.put(chart, identity.row.clone());
        Ok(written)
    }

    async fn head_of(&mut self, chart: ChartId, compartment: Compartment, entry: EntryId) -> Result<HeadPin, ClientError> {
        let known = |vault: &Vault| vault.pins.heads.get(&chart).and_then(|h| h.get(&entry)).copied().filter(|h| h.compartment == compartment);
        if known(self).is_none() {
            self.open_for_writing(chart, compartment).await?;
        }
        known(self).ok_or(ClientError::Unknown("entry"))
    }

    pub(crate) fn seal_version(
        &self,
        chart: ChartId,
        compartment: Compartment,
        key: &HeldKey,
        entry: EntryId,
        prev: Option<HeadPin>,
        body: NewBody,
    ) -> Result<Ready, ClientError> {
        self.seal_version_with(chart, compartment, key, entry, prev, body, (Vec::new(), Vec::new()))
    }

    #[allow(clippy::too_many_arguments)]
    pub(crate) fn seal_version_with(
        &self,
        chart: ChartId,
        compartment: Compartment,
        key: &HeldKey,
        entry: EntryId,
        prev: Option<HeadPin>,
        body: NewBody,
        (refs, files): (Vec<AttachmentRef>, Vec<AttachmentBody>),
    ) -> Result<Ready, ClientError> {
        let version = prev.map_or(1, |p| p.version + 1);
        let context = EntryContext {
            practice: self.practice,
            chart,
            compartment,
            key: key.id,
            entry,
            version,
            author: self.member,
            device: self.device,
            prev: prev.map(|p| p.hash),
            made: self.now(),
        };
        let blob = seal_entry(&self.keys.sign, &key.key, &context, &body.into_entry(files), refs)?;
        Ok(Ready { hash: blob.hash(), blob, entry, version })
    }

    pub(crate) fn seal_row(&self, chart: ChartId, key: &HeldKey, drawn_from: Hash32, row: &RosterRow) -> Result<RosterBlob, ClientError> {
        let context = RosterContext { practice: self.practice, chart, key: key.id, drawn_from };
        Ok(RosterBlob::make(&self.keys.sign, &key.key, context, row)?)
    }

    pub(crate) async fn send_one(&mut self, chart: ChartId, compartment: Compartment, ready: Ready) -> Result<Written, ClientError> {
        self.send_versions(chart, compartment, vec![ready], Vec::new(), random::make_bytes::<16>().to_vec().into()).await
    }

    /// Sends versions of one compartment and pins what became head. Gives the outcome of the last.
    async fn send_versions(
        &mut self,
        chart: ChartId,
        compartment: Compartment,
        ready: Vec<Ready>,
        rows: Vec<RosterBlob>,
        idempotency: Bytes,
    ) -> Result<Written, ClientError> {
        let named: Vec<(EntryId, u32, Hash32)> = ready.iter().map(|r| (r.entry, r.version, r.hash)).collect();
        let body = NewEntries { entries: ready.into_iter().map(|r| r.blob).collect(), rows, idempotency };
        let answer = self.send_entries(&body).await?;
        let mut last = None;
        for ((entry, version, hash), outcome) in named.into_iter().zip(answer.outcomes) {
            if outcome != EntryOutcome::Conflict {
                self.pins.heads.entry(chart).or_default().insert(entry, HeadPin { compartment, version, hash });
            }
            last = Some(Written { entry, version, hash, outcome });
        }
        last.ok_or(ClientError::BadAnswer("outcomes"))
    }

    /// Sends entries; once more with the same idempotency key if no answer came, which is harmless.
    pub(crate) async fn send_entries(&self, body: &NewEntries) -> Result<EntriesAnswer, ClientError> {
        let first = self.conn.post("/v1/entries", body, Some(&self.session)).await;
        let answer: EntriesAnswer = match first {
            Err(ClientError::Unreachable) => self.conn.post("/v1/entries", body, Some(&self.session)).await?,
            other => other?,
        };
        if answer.outcomes.len() == body.entries.len() { Ok(answer) } else { Err(ClientError::BadAnswer("outcomes")) }
    }
}
