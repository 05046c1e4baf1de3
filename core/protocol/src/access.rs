//! Releases: asking for keys and ciphertexts, and the ledger entry that stands before either leaves the server.
//!
//! A leaf of the access ledger is a salted commitment to an [`AccessEvent`], so that the event's content can be deleted after retention while the
//! log stays whole. A leaf on a chart names how many came before it on that chart and the hash of the last; the last leaf of every batch
//! carries the root of a Merkle map from chart to its newest leaf. So whoever is shown a chart's leaves sees that none is missing.

use serde::{Deserialize, Serialize};
use subrosa_crypto::{Statement, VerifyingKey, cbor, sha256};
use subrosa_ledger::{KeyName, LogKey, MapProof, SignedCheckpoint, tree};
use subrosa_model::{Bytes, ChartId, Compartment, DeviceId, Hash32, MemberId, PracticeId, SessionId, Timestamp};

use crate::ProtocolError;
use crate::keys::LedgerPin;

/// Most charts in one request.
pub const MAX_CHARTS: usize = 5000;

/// Why something is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// To open a chart.
    Open,
    /// To list one's own caseload.
    Roster,
    /// Emergency access by the on-call team. The reason itself is an entry in the chart; this is its hash.
    OnCall {
        /// SHA-256 of the reason as written.
        reason: Hash32,
    },
    /// To see who has looked.
    Audit,
    /// To write.
    Write,
}

/// What a member signs before anything is released to them, so that no look can be put in another's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseRequest {
    /// The practice.
    pub practice: PracticeId,
    /// Who asks.
    pub member: MemberId,
    /// The linked device that asks for them, if one does.
    pub device: Option<DeviceId>,
    /// In which session.
    pub session: SessionId,
    /// Which charts; for [`Purpose::Roster`] empty, the server lists the caseload.
    pub charts: Vec<ChartId>,
    /// Which compartments.
    pub compartments: Vec<Compartment>,
    /// Why.
    pub purpose: Purpose,
    /// 16 random bytes; a request is served once.
    pub nonce: Bytes,
    /// When.
    pub at: Timestamp,
}

impl Statement for ReleaseRequest {
    const NAMESPACE: &'static str = "release";
}

/// One access, as the ledger records it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessEvent {
    /// The practice.
    pub practice: PracticeId,
    /// What happened.
    pub what: What,
    /// Who did it; none for the server's own acts.
    pub member: Option<MemberId>,
    /// By which linked device.
    pub device: Option<DeviceId>,
    /// In which session.
    pub session: Option<SessionId>,
    /// On which chart.
    pub chart: Option<ChartId>,
    /// Which compartments.
    pub compartments: Vec<Compartment>,
    /// When the server received it.
    pub at: Timestamp,
    /// SHA-256 of the member's signed request or of the statement that caused it.
    pub request: Hash32,
    /// Whether a care relation stood at that time.
    pub related: bool,
}

/// What kind of access an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A chart's keys and entries were released.
    Released,
    /// A roster was synchronised; the leaf stands in every listed chart's chain.
    Listed,
    /// Emergency access.
    OnCall,
    /// The history of accesses was shown.
    Audited,
    /// Something was written.
    Written,
    /// A chart was made.
    ChartMade,
    /// A care relation was stated or confirmed.
    Related,
    /// Somebody signed in.
    SignedIn,
    /// A release was refused by the gate.
    Refused,
    /// A chart's keys were destroyed.
    Erased,
    /// Root of the map from chart to newest leaf.
    MapRoot,
}

/// What stands in the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaf {
    /// Format: 1.
    pub v: u8,
    /// Commitment to the event; zeros for a map root.
    pub commitment: Hash32,
    /// The leaf's place in its chart's chain.
    pub link: Option<ChartLink>,
    /// Root of the map from chart to newest leaf, in the last leaf of a batch.
    pub map_root: Option<Hash32>,
}

/// A leaf's place in its chart's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChartLink {
    /// 1 for the chart's first leaf.
    pub count: u64,
    /// Leaf hash of the chart's previous leaf; zeros for the first.
    pub prev: Hash32,
}

impl Leaf {
    /// The leaf of an event.
    pub fn of(event: &AccessEvent, salt: &[u8; 32], link: Option<ChartLink>) -> Self {
        Leaf { v: 1, commitment: commitment(event, salt), link, map_root: None }
    }
    /// The last leaf of a batch.
    pub fn of_map(root: Hash32) -> Self {
        Leaf { v: 1, commitment: Hash32::default(), link: None, map_root: Some(root) }
    }
    /// Its bytes in the log.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }
    /// RFC 6962 leaf hash of those bytes.
    pub fn hash(&self) -> Hash32 {
        tree::leaf_hash(&self.to_bytes())
    }
}

/// The salted commitment to an event.
pub fn commitment(event: &AccessEvent, salt: &[u8; 32]) -> Hash32 {
    sha256(&[b"subrosa/1/event", salt, &cbor::encode(event)])
}

/// Where a chart stands in the map of newest leaves.
pub fn map_key(practice: &PracticeId, chart: &ChartId) -> Hash32 {
    sha256(&[b"subrosa/1/map", practice.as_bytes(), chart.as_bytes()])
}

/// What stands there.
pub fn map_value(leaf: &Hash32, count: u64) -> Hash32 {
    sha256(&[b"subrosa/1/head", leaf.as_bytes(), &count.to_be_bytes()])
}

/// An event with what proves its commitment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedLeaf {
    /// Index in the log.
    pub index: u64,
    /// The leaf's bytes.
    pub leaf: Bytes,
    /// The event, unless its content was deleted after retention.
    pub event: Option<AccessEvent>,
    /// The commitment's salt.
    pub salt: Bytes,
}

impl OpenedLeaf {
    /// Checks the commitment; gives the parsed leaf and its hash.
    pub fn check(&self) -> Result<(Leaf, Hash32), ProtocolError> {
        let leaf: Leaf = cbor::decode(&self.leaf)?;
        if leaf.v != 1 {
            return Err(ProtocolError::Downgrade);
        }
        if let Some(event) = &self.event {
            let salt: &[u8; 32] = self.salt.as_slice().try_into().map_err(|_| ProtocolError::Proof("salt"))?;
            if commitment(event, salt) != leaf.commitment {
                return Err(ProtocolError::Proof("commitment"));
            }
        }
        Ok((leaf, tree::leaf_hash(&self.leaf)))
    }
}

/// A checkpoint of the access ledger that extends what the asker has seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// The signed note.
    pub checkpoint: String,
    /// Proof from the asker's pin to it.
    pub consistency: Vec<Hash32>,
}

/// Name of a practice's access ledger in its checkpoints.
pub fn access_origin(practice: &PracticeId) -> String {
    format!("subrosa.invalid/{practice}/access")
}

/// Name of a practice's directory log in its checkpoints.
pub fn directory_origin(practice: &PracticeId) -> String {
    format!("subrosa.invalid/{practice}/directory")
}

impl Extension {
    fn open(&self, origin: &str, log_key: &VerifyingKey) -> Result<subrosa_ledger::Checkpoint, ProtocolError> {
        let refused = ProtocolError::Proof("checkpoint");
        let name: KeyName = origin.parse().map_err(|_| refused.clone())?;
        let signed = SignedCheckpoint::open(&self.checkpoint, &[LogKey::new(name.clone(), *log_key)]).map_err(|_| refused.clone())?;
        if signed.checkpoint().origin != name {
            return Err(refused);
        }
        Ok(signed.checkpoint().clone())
    }

    /// Verifies the server's signature and that the log extends `pin`. Gives the new pin.
    pub fn verify(&self, origin: &str, log_key: &VerifyingKey, pin: &LedgerPin) -> Result<LedgerPin, ProtocolError> {
        let checkpoint = self.open(origin, log_key)?;
        if checkpoint.size < pin.size {
            return Err(ProtocolError::Fork);
        }
        if pin.size > 0 {
            tree::verify_consistency(pin.size, &pin.root, checkpoint.size, &checkpoint.root, &self.consistency).map_err(|_| ProtocolError::Fork)?;
        }
        Ok(LedgerPin { size: checkpoint.size, root: checkpoint.root })
    }
}

/// A leaf with its inclusion proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvenLeaf {
    /// The leaf.
    pub opened: OpenedLeaf,
    /// RFC 6962 inclusion proof under the checkpoint.
    pub inclusion: Vec<Hash32>,
}

impl ProvenLeaf {
    /// Checks commitment and inclusion under `pin`.
    pub fn verify(&self, pin: &LedgerPin) -> Result<(Leaf, Hash32), ProtocolError> {
        let (leaf, hash) = self.opened.check()?;
        tree::verify_inclusion(&hash, self.opened.index, pin.size, &self.inclusion, &pin.root).map_err(|_| ProtocolError::Proof("inclusion"))?;
        Ok((leaf, hash))
    }
}

/// Proof that a chart's newest leaf is the one shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadProof {
    /// The newest leaf of the chart's chain, with its event.
    pub head: ProvenLeaf,
    /// The log's last leaf: the map root.
    pub map_leaf: ProvenLeaf,
    /// The chart's place in the map.
    pub map: MapProof,
}

impl HeadProof {
    /// Checks that `head` is the chart's newest leaf under `pin`; gives its count and hash.
    pub fn verify(&self, practice: &PracticeId, chart: &ChartId, pin: &LedgerPin) -> Result<(ChartLink, Hash32), ProtocolError> {
        let (leaf, hash) = self.head.verify(pin)?;
        let link = leaf.link.ok_or(ProtocolError::Proof("head"))?;
        let (map_leaf, _) = self.map_leaf.verify(pin)?;
        if self.map_leaf.opened.index + 1 != pin.size {
            return Err(ProtocolError::Proof("the map root is not the last leaf"));
        }
        let root = map_leaf.map_root.ok_or(ProtocolError::Proof("map root"))?;
        let (key, value) = (map_key(practice, chart), map_value(&hash, link.count));
        subrosa_ledger::verify_map(&root, &key, Some(&value), &self.map).map_err(|_| ProtocolError::Proof("map"))?;
        Ok((link, hash))
    }
}

/// Everything that was ever recorded on a chart, newest first, and proof that nothing recorded is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChartHistory {
    /// A checkpoint that extends the asker's pin.
    pub extension: Extension,
    /// Proof of the newest leaf; none if the chart has no leaf.
    pub head: HeadProof,
    /// The older leaves, newest first. Their hashes chain from the head, so they need no proofs of their own.
    pub older: Vec<OpenedLeaf>,
}

impl ChartHistory {
    /// Verifies head and chain down to the chart's first leaf. Gives every event (none where its content was deleted), newest first, and the new pin.
    pub fn verify(
        &self,
        practice: &PracticeId,
        chart: &ChartId,
        log_key: &VerifyingKey,
        pin: &LedgerPin,
    ) -> Result<(Vec<Option<AccessEvent>>, LedgerPin), ProtocolError> {
        let pin = self.extension.verify(&access_origin(practice), log_key, pin)?;
        let (mut link, _) = self.head.verify(practice, chart, &pin)?;
        let mut events = vec![self.head.head.opened.event.clone()];
        for opened in &self.older {
            let (leaf, hash) = opened.check()?;
            let older = leaf.link.ok_or(ProtocolError::Proof("chain"))?;
            if hash != link.prev || older.count + 1 != link.count {
                return Err(ProtocolError::Proof("chain"));
            }
            events.push(opened.event.clone());
            link = older;
        }
        if link.count != 1 || link.prev != Hash32::default() {
            return Err(ProtocolError::Proof("the chain does not reach the chart's first leaf"));
        }
        if events.iter().flatten().any(|e| e.chart.is_some_and(|c| c != *chart) || e.practice != *practice) {
            return Err(ProtocolError::Proof("an event of another chart"));
        }
        Ok((events, pin))
    }
}
