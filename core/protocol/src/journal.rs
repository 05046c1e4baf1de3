//! What a journal record says. The format is stored for ever: variants and fields are added, never changed.
//!
//! The server's store writes it; keeper, restore and `verify` read it without any store.

use serde::{Deserialize, Serialize};
use subrosa_crypto::{VerifyingKey, cbor};
use subrosa_model::{Bytes, ChartId, Hash32, InvitationId, MemberId, OrderId, RelationId, Timestamp};
use crate::access::AccessEvent;
use crate::api::{InvitationPut, SealedBundle, WrappedBundleKey};
use crate::chart::RosterBlob;
use crate::entry::EntryBlob;
use crate::keys::NewKeys;

use crate::ProtocolError;

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
    /// The number in database columns.
    pub const fn number(self) -> i64 {
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
#[allow(missing_docs)]
pub enum Change {
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
    pub fn kind(&self) -> &'static str {
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

    /// The stored bytes: format number, then the change.
    pub fn encode(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Borrowed<'a>(u8, &'a Change);
        cbor::encode(&Borrowed(1, self))
    }

    /// Reads stored bytes.
    pub fn decode(body: &[u8]) -> Result<Self, ProtocolError> {
        let Record(format, change) = cbor::decode(body)?;
        if format != 1 {
            return Err(ProtocolError::Downgrade);
        }
        Ok(change)
    }
}
