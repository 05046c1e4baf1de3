//! What a caller says to [`crate::Store::commit`], and what it gets back.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use subrosa_crypto::VerifyingKey;
use subrosa_ledger::map::ChartMap;
use subrosa_model::{Bytes, ChartId, Hash32, InvitationId, MemberId, OrderId, RelationId, Timestamp};
use subrosa_protocol::access::AccessEvent;
use subrosa_protocol::api::{EntryOutcome, InvitationPut, SealedBundle, WrappedBundleKey};
use subrosa_protocol::chart::{CareRelation, CustodyContext, RosterBlob, Wrap};
use subrosa_protocol::entry::EntryBlob;
use subrosa_protocol::keys::{EpochSeal, NewKeys};

use crate::change::{KitUseState, Log};

/// What has to be read under the lock before a decision can be made.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    /// Every chart that an event or write of the plan names; none twice. Operations that share a chart never share a batch.
    pub charts: Vec<ChartId>,
    /// Whose pace and relations.
    pub member: Option<MemberId>,
    /// Own charts count if they were opened after this.
    pub own_since: Timestamp,
    /// Directory sequence of the member's last pace review.
    pub review: u64,
    /// Names the request, so that repeating it does nothing.
    pub idempotency: Option<Hash32>,
}

/// What was read under the lock.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// Statements in the directory log. A decision made from an older directory must refuse.
    pub directory_size: u64,
    /// Leaves in the access ledger.
    pub ledger_size: u64,
    /// Last journal sequence.
    pub journal: u64,
    /// Those of the charts asked for that exist.
    pub charts: BTreeMap<ChartId, ChartState>,
    /// Relations of the member to the charts asked for.
    pub relations: Vec<RelationRow>,
    /// Different foreign charts that the member opened since the review.
    pub foreign: BTreeSet<ChartId>,
    /// Different own charts that the member opened in the window.
    pub own: BTreeSet<ChartId>,
}

/// A chart as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartState {
    /// Its id.
    pub chart: ChartId,
    /// Whether it is a canary.
    pub canary: bool,
    /// When it was made.
    pub made: Timestamp,
    /// Who made it.
    pub maker: MemberId,
    /// When it was erased, if it was.
    pub erased: Option<Timestamp>,
    /// Leaves in its chain.
    pub leaves: u64,
}

/// A care relation as the store holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationRow {
    /// What it says (verified before it was stored).
    pub relation: CareRelation,
    /// As it was signed.
    pub signed: Bytes,
    /// Hash of the signed bytes, by which a confirmation names it.
    pub hash: Hash32,
    /// From when it counts.
    pub counts_from: Option<Timestamp>,
}

/// What is to be written if the decision is yes, all or nothing.
#[derive(Debug, Clone)]
pub struct Plan<V> {
    /// Durable changes, in order.
    pub writes: Vec<Write>,
    /// Ledger leaves, in order. At most one per chart.
    pub events: Vec<AccessEvent>,
    /// Charts that count towards the member's pace.
    pub pace: Vec<PaceMark>,
    /// Whether the request is remembered under its idempotency key.
    pub remember: bool,
    /// What the caller wants to know.
    pub verdict: V,
}

impl<V> Plan<V> {
    /// Yes; the request is remembered.
    pub fn accept(verdict: V) -> Self {
        Plan { writes: Vec::new(), events: Vec::new(), pace: Vec::new(), remember: true, verdict }
    }
    /// No; nothing is remembered. An event may still be added.
    pub fn refuse(verdict: V) -> Self {
        Plan { remember: false, ..Self::accept(verdict) }
    }
    /// Adds a change.
    pub fn write(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }
    /// Adds a leaf.
    pub fn event(mut self, event: AccessEvent) -> Self {
        self.events.push(event);
        self
    }
    /// Adds a chart to the member's pace.
    pub fn pace(mut self, mark: PaceMark) -> Self {
        self.pace.push(mark);
        self
    }
}

/// A chart that counts towards a member's pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaceMark {
    /// Which chart.
    pub chart: ChartId,
    /// Whether no care relation stood.
    pub foreign: bool,
}

/// What became of an operation.
#[derive(Debug, Clone)]
pub enum Done<V> {
    /// It was decided and, if the plan said so, written.
    New {
        /// What was written.
        receipt: Receipt,
        /// The plan's verdict.
        verdict: V,
    },
    /// The same request was carried out before; nothing was decided now.
    Repeated {
        /// What was written then; with the newest snapshot.
        receipt: Receipt,
    },
}

/// What was written.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// Last journal sequence.
    pub journal: u64,
    /// When.
    pub at: Timestamp,
    /// Index of each event's leaf.
    pub leaves: Vec<u64>,
    /// What became of each [`Write::Entry`].
    pub outcomes: Vec<EntryOutcome>,
    /// The checkpoint that covers all of it; none while the ledger is empty.
    pub snapshot: Option<Snapshot>,
}

/// A receipt as it is remembered.
#[derive(Serialize, Deserialize)]
pub(crate) struct Remembered {
    pub(crate) journal: u64,
    pub(crate) at: Timestamp,
    pub(crate) leaves: Vec<u64>,
    pub(crate) outcomes: Vec<EntryOutcome>,
}

/// The access ledger at one checkpoint, with the map from chart to newest leaf at that moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub(crate) size: u64,
    pub(crate) root: Hash32,
    pub(crate) note: String,
    pub(crate) map: ChartMap,
}

impl Snapshot {
    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }
    /// Root over them.
    pub fn root(&self) -> Hash32 {
        self.root
    }
    /// The signed checkpoint.
    pub fn note(&self) -> &str {
        &self.note
    }
}

/// A half of a compartment key, sealed to one of two groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustodyHalf {
    /// Where it belongs.
    pub context: CustodyContext,
    /// The sealed half.
    pub sealed: Bytes,
}

/// A durable change. What is signed was verified by the caller; the store checks only that it fits what it holds.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "short-lived, and few at a time")]
pub enum Write {
    /// New directory statements behind the first `at_size`, with the seals of their epochs.
    Directory {
        /// Size of the log before.
        at_size: u64,
        /// Statements in order.
        entries: Vec<Bytes>,
        /// Seals of the epochs among them.
        seals: Vec<EpochSeal>,
    },
    /// A member's sealed bundle.
    Bundle {
        /// Whose.
        member: MemberId,
        /// From 1.
        version: u64,
        /// The sealed bundle.
        sealed: Bytes,
    },
    /// A new chart.
    Chart {
        /// Its id.
        chart: ChartId,
        /// Whether nobody has a reason to touch it.
        canary: bool,
        /// Who made it.
        maker: MemberId,
    },
    /// Wrapped compartment keys of existing charts.
    Wraps {
        /// Wraps.
        wraps: Vec<Wrap>,
    },
    /// Custody halves of compartment keys of existing charts.
    Custody {
        /// Halves.
        halves: Vec<CustodyHalf>,
    },
    /// A care relation.
    Relation {
        /// As signed.
        signed: Bytes,
        /// From when it counts, if it does already.
        counts_from: Option<Timestamp>,
    },
    /// A care relation counts from now on.
    RelationCounts {
        /// Which.
        relation: RelationId,
        /// The confirmation as signed; none where time alone did it.
        confirmation: Option<Bytes>,
        /// From when.
        counts_from: Timestamp,
    },
    /// A version of an entry.
    Entry {
        /// The version.
        blob: EntryBlob,
    },
    /// A chart's roster row; replaces the one before.
    RosterRow {
        /// The row.
        blob: RosterBlob,
    },
    /// An attachment's ciphertext, after [`crate::Store::put_object`].
    Object {
        /// SHA-256 of the ciphertext.
        hash: Hash32,
        /// Its length in bytes.
        length: u64,
    },
    /// A passkey; replaces what was stored of it before.
    Credential {
        /// SHA-256 of the credential id.
        credential: Hash32,
        /// Whose.
        member: MemberId,
        /// Its public state as JSON.
        json: String,
        /// Whether it may sign in.
        active: bool,
    },
    /// A way into a member's bundle; replaces the same way of before.
    WayIn {
        /// Whose.
        member: MemberId,
        /// The wrapped bundle key.
        wrapped: WrappedBundleKey,
        /// Whether it may be used.
        active: bool,
    },
    /// A member kit; replaces the member's older one. The share goes to the key store.
    Kit {
        /// Whose.
        member: MemberId,
        /// Counts the kits printed.
        number: u32,
        /// Hash that its holder shows the preimage of.
        proof: Hash32,
        /// The server's share.
        share: Bytes,
    },
    /// How far the use of a kit is.
    KitUse {
        /// Whose.
        member: MemberId,
        /// Which kit.
        number: u32,
        /// When it began.
        started: Timestamp,
        /// When the share may be given.
        ready_at: Timestamp,
        /// The session key to bind the first session to.
        session_key: VerifyingKey,
        /// How far it is.
        state: KitUseState,
    },
    /// An invitation or pairing.
    Invitation {
        /// Who invites.
        by: MemberId,
        /// What was sent.
        put: InvitationPut,
        /// Until when it can be accepted.
        until: Timestamp,
    },
    /// An invitation was followed. Once only.
    InvitationAccepted {
        /// Which.
        invitation: InvitationId,
        /// The new keys.
        keys: NewKeys,
        /// Their MAC.
        mac: Bytes,
        /// The new passkey: hash of its id, and its public state as JSON.
        credential: Option<(Hash32, String)>,
        /// The new member's bundle and way in.
        bundle: Option<SealedBundle>,
    },
    /// An invitation is finished or withdrawn.
    InvitationClosed {
        /// Which.
        invitation: InvitationId,
    },
    /// A directory statement that waits for a second signature, or no longer does.
    Approval {
        /// Names it: hash of what is signed.
        hash: Hash32,
        /// The statement with the signatures so far.
        statement: Bytes,
        /// Whether it still waits.
        open: bool,
    },
    /// Password of the backup repository. Lies in the key store.
    Repository {
        /// The password.
        sealed: Bytes,
    },
    /// A witness saw a checkpoint.
    Cosignature {
        /// Of which log.
        log: Log,
        /// Size of the checkpoint.
        size: u64,
        /// The witness's name.
        witness: String,
        /// When it says it signed.
        at: Timestamp,
        /// The checkpoint with all its signatures.
        note: String,
    },
    /// Made by [`crate::Store::erase`] only.
    #[doc(hidden)]
    Erased {
        /// Which chart.
        chart: ChartId,
        /// On which order.
        order: OrderId,
    },
}
