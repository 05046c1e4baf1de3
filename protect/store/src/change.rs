//! What a journal record says. The format is stored for ever: variants and fields are added, never changed.

use serde::{Deserialize, Serialize};
use subrosa_crypto::{VerifyingKey, cbor};
use subrosa_model::{Bytes, ChartId, Hash32, InvitationId, MemberId, OrderId, RelationId, Timestamp};
use subrosa_protocol::access::AccessEvent;
use subrosa_protocol::api::{InvitationPut, SealedBundle, WrappedBundleKey};
use subrosa_protocol::chart::RosterBlob;
use subrosa_protocol::entry::EntryBlob;
use subrosa_protocol::keys::NewKeys;

use crate::StoreError;

/// One of a practice's two Merkle logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Log {
    /// Accesses.
    Access,
    /// Directory statements.
    Directory,
}

impl Log {
    pub(crate) const fn number(self) -> i64 {
        match self {
            Log::Access => 1,
            Log::Directory => 2,
        }
    }
}

/// How far the use of a member kit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KitUseState {
    /// The wait runs.
    Waiting,
    /// A second person approved.
    Approved,
    /// The share was given.
    Used,
    /// Somebody stopped it.
    Cancelled,
}

/// One durable change of the main database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Change {
    Directory { n: u64, entry: Bytes },
    Leaf { index: u64, leaf: Bytes, event: Option<AccessEvent>, salt: Bytes },
    Checkpoint { log: Log, size: u64, note: String },
    Cosignature { log: Log, size: u64, witness: String, at: Timestamp, note: String },
    Pace { member: MemberId, review: u64, marks: Vec<(ChartId, bool)> },
    Chart { canary: bool, maker: MemberId },
    Erased { order: OrderId },
    KeyRows { kind: String, hashes: Vec<Hash32> },
    Relation { relation: RelationId, member: MemberId, signed: Bytes, counts_from: Option<Timestamp> },
    RelationCounts { relation: RelationId, confirmation: Option<Bytes>, counts_from: Timestamp },
    Entry { blob: EntryBlob },
    RosterRow { blob: RosterBlob },
    Object { hash: Hash32, length: u64 },
    Credential { credential: Hash32, member: MemberId, json: String, active: bool },
    Bundle { member: MemberId, version: u64, sealed: Bytes },
    WayIn { member: MemberId, wrapped: WrappedBundleKey, active: bool },
    Kit { member: MemberId, number: u32, proof: Hash32 },
    KitUse { member: MemberId, number: u32, started: Timestamp, ready_at: Timestamp, session_key: VerifyingKey, state: KitUseState },
    Invitation { by: MemberId, put: InvitationPut, until: Timestamp },
    InvitationAccepted { invitation: InvitationId, keys: NewKeys, mac: Bytes, credential: Option<(Hash32, String)>, bundle: Option<SealedBundle> },
    InvitationClosed { invitation: InvitationId },
    Approval { hash: Hash32, statement: Bytes, open: bool },
}

/// The stored form: format number, then the change.
#[derive(Serialize, Deserialize)]
struct Record(u8, Change);

impl Change {
    /// Word in the journal's `kind` column.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Change::Directory { .. } => "directory",
            Change::Leaf { .. } => "leaf",
            Change::Checkpoint { .. } => "checkpoint",
            Change::Cosignature { .. } => "cosignature",
            Change::Pace { .. } => "pace",
            Change::Chart { .. } => "chart",
            Change::Erased { .. } => "erased",
            Change::KeyRows { .. } => "key-rows",
            Change::Relation { .. } => "relation",
            Change::RelationCounts { .. } => "relation-counts",
            Change::Entry { .. } => "entry",
            Change::RosterRow { .. } => "roster-row",
            Change::Object { .. } => "object",
            Change::Credential { .. } => "credential",
            Change::Bundle { .. } => "bundle",
            Change::WayIn { .. } => "way-in",
            Change::Kit { .. } => "kit",
            Change::KitUse { .. } => "kit-use",
            Change::Invitation { .. } => "invitation",
            Change::InvitationAccepted { .. } => "invitation-accepted",
            Change::InvitationClosed { .. } => "invitation-closed",
            Change::Approval { .. } => "approval",
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Borrowed<'a>(u8, &'a Change);
        cbor::encode(&Borrowed(1, self))
    }

    pub(crate) fn decode(body: &[u8]) -> Result<Self, StoreError> {
        let Record(format, change) = cbor::decode(body).map_err(|e| StoreError::damaged(format!("a journal record ({e})")))?;
        if format != 1 {
            return Err(StoreError::damaged("a journal record of an unknown format"));
        }
        Ok(change)
    }
}
