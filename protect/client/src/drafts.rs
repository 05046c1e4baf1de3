//! Drafts: what is being written and not finished, sealed, one overwritten slot per author and entry.

use serde::{Deserialize, Serialize};
use subrosa_crypto::{Context, DRAFT_STEP, DraftKey, cbor, open, pad_to_step, seal, unpad};
use subrosa_model::{ChartId, Compartment, EntryId, KeyId, MemberId, PracticeId};
use subrosa_protocol::api::{Draft, Drafts};
use zeroize::Zeroizing;

use crate::ClientError;
use crate::charts::HeldKey;
use crate::vault::Vault;
use crate::write::NewBody;

/// A draft as it is worked on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftBody {
    /// The entry that it will become ([`Vault::write_as`]) or that it amends.
    pub entry: EntryId,
    /// The chart.
    pub chart: ChartId,
    /// The compartment.
    pub compartment: Compartment,
    /// What has been written so far.
    pub body: NewBody,
}

/// A draft that lies on the server, not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DraftInfo {
    /// The entry that it belongs to.
    pub entry: EntryId,
    /// The chart.
    pub chart: ChartId,
    /// The compartment.
    pub compartment: Compartment,
}

#[derive(Debug, Serialize)]
struct DraftContext {
    practice: PracticeId,
    chart: ChartId,
    compartment: Compartment,
    key: KeyId,
    entry: EntryId,
    author: MemberId,
}

impl Context for DraftContext {
    const NAMESPACE: &'static str = "draft";
}

fn draft_key(held: &HeldKey, entry: EntryId, author: MemberId) -> DraftKey {
    held.key.derive_subkey("draft", &[entry.as_bytes(), author.as_bytes()])
}

impl Vault {
    fn draft_context(&self, draft: &DraftInfo, key: KeyId) -> DraftContext {
        DraftContext {
            practice: self.practice,
            chart: draft.chart,
            compartment: draft.compartment,
            key,
            entry: draft.entry,
            author: self.member,
        }
    }

    /// Stores a draft over its earlier state. At most every 20 seconds; its size shows in steps of 16 KiB only.
    ///
    /// # Errors
    /// [`ClientError::NoKey`], [`ClientError::Never`], refusals.
    pub async fn save_draft(&mut self, draft: &DraftBody) -> Result<(), ClientError> {
        let held = self.writing_key(draft.chart, draft.compartment).await?;
        let info = DraftInfo { entry: draft.entry, chart: draft.chart, compartment: draft.compartment };
        let plain = Zeroizing::new(pad_to_step(&Zeroizing::new(cbor::encode(&draft.body)), DRAFT_STEP));
        let sealed = seal(&draft_key(&held, draft.entry, self.member), &self.draft_context(&info, held.id), &plain);
        self.put_draft(Draft { entry: draft.entry, chart: draft.chart, compartment: draft.compartment, key: held.id, sealed: sealed.into() }).await
    }

    async fn put_draft(&self, draft: Draft) -> Result<(), ClientError> {
        self.conn.tell("PUT", &format!("/v1/drafts/{}", draft.entry), Some(&draft), Some(&self.session)).await
    }

    async fn draft_list(&self) -> Result<Vec<Draft>, ClientError> {
        let list: Drafts = self.conn.get("/v1/drafts", Some(&self.session)).await?;
        Ok(list.drafts)
    }

    /// One's own drafts, without opening them.
    ///
    /// # Errors
    /// Refusals.
    pub async fn drafts(&self) -> Result<Vec<DraftInfo>, ClientError> {
        let info = |d: &Draft| DraftInfo { entry: d.entry, chart: d.chart, compartment: d.compartment };
        Ok(self.draft_list().await?.iter().map(info).collect())
    }

    /// Opens a draft. Fetches its chart's keys if they are not held, which counts as opening the chart.
    ///
    /// # Errors
    /// [`ClientError::SwappedEntry`] when what the server sends is not this draft; as [`Vault::open_chart`].
    pub async fn open_draft(&mut self, info: &DraftInfo) -> Result<DraftBody, ClientError> {
        let drafts = self.draft_list().await?;
        let draft = drafts.into_iter().find(|d| d.entry == info.entry).ok_or(ClientError::Unknown("draft"))?;
        if draft.chart != info.chart || draft.compartment != info.compartment {
            return Err(ClientError::SwappedEntry);
        }
        let held = |vault: &Vault| vault.chart_keys.get(&(info.chart, info.compartment)).and_then(|k| k.iter().find(|k| k.id == draft.key)).cloned();
        if held(self).is_none() {
            self.open_for_writing(info.chart, info.compartment).await?;
        }
        let held = held(self).ok_or(ClientError::NoKey)?;
        let plain = open(&draft_key(&held, info.entry, self.member), &self.draft_context(info, held.id), &draft.sealed).map_err(|_| ClientError::SwappedEntry)?;
        let body: NewBody = cbor::decode(unpad(&plain)?)?;
        Ok(DraftBody { entry: info.entry, chart: info.chart, compartment: info.compartment, body })
    }

    /// Removes a draft, for instance because it has been written.
    ///
    /// # Errors
    /// Refusals.
    pub async fn discard_draft(&mut self, info: &DraftInfo) -> Result<(), ClientError> {
        let key = KeyId::default();
        self.put_draft(Draft { entry: info.entry, chart: info.chart, compartment: info.compartment, key, sealed: Vec::new().into() }).await
    }
}

#[cfg(test)]
fn vector_context(key: &subrosa_crypto::CompartmentKey, owner: crate::local::Owner, chart: ChartId, entry: EntryId) -> (DraftKey, DraftContext) {
    let held = HeldKey { version: 1, key: key.clone(), id: key.id(), targets: Vec::new(), shared: Vec::new(), write: false };
    let context = DraftContext { practice: owner.practice, chart, compartment: Compartment::Record, key: key.id(), entry, author: owner.member };
    (draft_key(&held, entry, owner.member), context)
}

#[cfg(test)]
pub(crate) fn seal_vector(key: &subrosa_crypto::CompartmentKey, owner: crate::local::Owner, chart: ChartId, entry: EntryId, body: &NewBody) -> Vec<u8> {
    let (key, context) = vector_context(key, owner, chart, entry);
    seal(&key, &context, &pad_to_step(&cbor::encode(body), DRAFT_STEP))
}

#[cfg(test)]
pub(crate) fn open_vector(
    key: &subrosa_crypto::CompartmentKey,
    owner: crate::local::Owner,
    chart: ChartId,
    entry: EntryId,
    sealed: &[u8],
) -> Result<NewBody, ClientError> {
    let (key, context) = vector_context(key, owner, chart, entry);
    Ok(cbor::decode(unpad(&open(&key, &context, sealed)?)?)?)
}
