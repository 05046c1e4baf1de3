use std::collections::{BTreeMap, BTreeSet};

use subrosa_crypto::sha256;
use subrosa_ledger::{ChartMap, Frontier, KeyName, LogKey, SignedCheckpoint, leaf_hash};
use subrosa_model::{ChartId, Hash32, OrderId, PracticeId};
use subrosa_protocol::ProtocolError;
use subrosa_protocol::access::{self, ChartLink, OpenedLeaf};
use subrosa_protocol::directory::{Directory, OrderKind};
use subrosa_protocol::journal::{Change, Log};
use subrosa_protocol::keys::LedgerPin;

use crate::Record;

/// Verifies a journal from its first record on, without any key: directory signatures, the two logs and their checkpoints, each chart's chain and the
/// map over them, and every author's signature. Server-made rows (ways in, sessions, marks) are parsed only.
#[derive(Debug)]
pub struct Verifier {
    practice: PracticeId,
    next: u64,
    directory: Directory,
    access: Frontier,
    statements: Frontier,
    links: BTreeMap<ChartId, ChartLink>,
    map: ChartMap,
    charts: BTreeSet<ChartId>,
    keys: BTreeMap<ChartId, BTreeSet<Hash32>>,
    objects: BTreeMap<Hash32, u64>,
    erased: BTreeMap<ChartId, OrderId>,
    entries: u64,
    newest: BTreeMap<Log, String>,
    found: Vec<Found>,
}

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Found {
    /// Sequence number of the record.
    pub seq: u64,
    /// Stable code.
    pub code: &'static str,
    /// What does not hold, in words.
    pub what: String,
}

impl Verifier {
    /// Nothing verified yet.
    pub fn new(practice: PracticeId) -> Self {
        Verifier {
            practice,
            next: 1,
            directory: Directory::new(practice),
            access: Frontier::new(),
            statements: Frontier::new(),
            links: BTreeMap::new(),
            map: ChartMap::new(),
            charts: BTreeSet::new(),
            keys: BTreeMap::new(),
            objects: BTreeMap::new(),
            erased: BTreeMap::new(),
            entries: 0,
            newest: BTreeMap::new(),
            found: Vec::new(),
        }
    }

    /// Takes the next record. What does not hold is kept in [`Verifier::found`] and returned as `false`; the rest is verified on.
    pub fn take(&mut self, record: &Record) -> bool {
        let before = self.found.len();
        if record.seq != self.next {
            self.note(record.seq, "out-of-sequence", "records are missing before this one");
        }
        self.next = record.seq + 1;
        match Change::decode(&record.body) {
            Ok(change) if change.kind() != record.kind => self.note(record.seq, "kind", "the record is not what its label says"),
            Ok(change) => {
                if let Err(e) = self.change(record, change) {
                    self.note(record.seq, e.code(), &e.to_string());
                }
            }
            Err(e) => self.note(record.seq, e.code(), "the record cannot be read"),
        }
        self.found.len() == before
    }

    fn note(&mut self, seq: u64, code: &'static str, what: &str) {
        self.found.push(Found { seq, code, what: what.to_owned() });
    }

    fn change(&mut self, record: &Record, change: Change) -> Result<(), ProtocolError> {
        match change {
            Change::Directory { n, entry } => {
                if n != self.directory.size() {
                    return Err(ProtocolError::OutOfSequence);
                }
                self.directory.apply(&entry)?;
                self.statements.append(leaf_hash(&entry));
                Ok(())
            }
            Change::Leaf { index, leaf, event, salt } => self.leaf(record.chart, OpenedLeaf { index, leaf, event, salt }),
            Change::Checkpoint { log, size, note } => self.checkpoint(log, size, note),
            Change::Chart { .. } => {
                self.charts.extend(record.chart);
                Ok(())
            }
            Change::KeyRows { hashes, .. } => {
                if let Some(chart) = record.chart {
                    self.keys.entry(chart).or_default().extend(hashes);
                }
                Ok(())
            }
            Change::Entry { blob } => {
                let (header, kid) = blob.peek_unverified()?;
                let (author, key) = self.directory.past_signer(&kid).ok_or(ProtocolError::WrongSigner)?;
                let header_again = blob.verify(&self.practice, &key)?;
                if header.context.author != author || record.chart != Some(header_again.context.chart) {
                    return Err(ProtocolError::WrongSigner);
                }
                self.entries += 1;
                Ok(())
            }
            Change::RosterRow { blob } => {
                let (_, key) = self.directory.past_signer(&blob.signer_id()?).ok_or(ProtocolError::WrongSigner)?;
                blob.verify(&self.practice, &key).map(|_| ())
            }
            Change::Object { hash, length } => {
                self.objects.insert(hash, length);
                Ok(())
            }
            Change::Erased { order } => {
                let chart = record.chart.ok_or(ProtocolError::Unknown("chart"))?;
                // Only what the directory orders for this very chart, and no hold forbids, is taken for an erasure.
                let ordered = self.directory.orders().get(&order).is_some_and(|o| o.kind == OrderKind::EraseChart { chart });
                if !ordered {
                    return Err(ProtocolError::Unknown("order"));
                }
                if self.directory.holds().get(&chart).is_some_and(|h| h.until.is_none_or(|until| until > record.at)) {
                    return Err(ProtocolError::NotAllowed("a hold forbids this erasure"));
                }
                self.erased.insert(chart, order);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn leaf(&mut self, chart: Option<ChartId>, opened: OpenedLeaf) -> Result<(), ProtocolError> {
        let (leaf, hash) = opened.check()?;
        if opened.index != self.access.size() {
            return Err(ProtocolError::Proof("leaves are missing"));
        }
        self.access.append(hash);
        if let Some(root) = leaf.map_root
            && root != self.map.root()
        {
            return Err(ProtocolError::Proof("the map of charts does not fit the leaves"));
        }
        if let Some(link) = leaf.link {
            // After retention an event's content may be gone; the record still names the chart, and the map check holds it to that.
            let chart = chart.ok_or(ProtocolError::Unknown("chart"))?;
            if opened.event.as_ref().is_some_and(|e| e.chart != Some(chart)) {
                return Err(ProtocolError::Proof("an event of another chart"));
            }
            let before = self.links.get(&chart).copied().unwrap_or(ChartLink { count: 0, prev: Hash32::default() });
            if link.count != before.count + 1 || link.prev != before.prev {
                return Err(ProtocolError::Proof("a chart's chain has a gap"));
            }
            self.links.insert(chart, ChartLink { count: link.count, prev: hash });
            self.map.insert(access::map_key(&self.practice, &chart), access::map_value(&hash, link.count));
        }
        Ok(())
    }

    fn checkpoint(&mut self, log: Log, size: u64, note: String) -> Result<(), ProtocolError> {
        let (frontier, origin) = match log {
            Log::Access => (&self.access, access::access_origin(&self.practice)),
            Log::Directory => (&self.statements, access::directory_origin(&self.practice)),
        };
        let key = self.directory.log_key().ok_or(ProtocolError::Proof("checkpoint"))?;
        let name: KeyName = origin.parse().map_err(|_| ProtocolError::Proof("checkpoint"))?;
        let signed = SignedCheckpoint::open(&note, &[LogKey::new(name.clone(), *key)]).map_err(|_| ProtocolError::Proof("checkpoint"))?;
        let said = signed.checkpoint();
        if said.origin != name || said.size != size || size != frontier.size() || said.root != frontier.root() {
            return Err(ProtocolError::Fork);
        }
        self.newest.insert(log, note);
        Ok(())
    }

    /// What did not hold so far.
    pub fn found(&self) -> &[Found] {
        &self.found
    }
    /// The directory as replayed.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }
    /// Sequence number of the next record.
    pub fn next(&self) -> u64 {
        self.next
    }
    /// Head of the access ledger.
    pub fn ledger(&self) -> LedgerPin {
        LedgerPin { size: self.access.size(), root: self.access.root() }
    }
    /// Newest checkpoint of a log, verified.
    pub fn newest(&self, log: Log) -> Option<&str> {
        self.newest.get(&log).map(String::as_str)
    }
    /// Charts that were made.
    pub fn charts(&self) -> &BTreeSet<ChartId> {
        &self.charts
    }
    /// Charts whose keys were destroyed, and by which order.
    pub fn erased(&self) -> &BTreeMap<ChartId, OrderId> {
        &self.erased
    }
    /// Hashes of the key-store rows that each chart must have, unless it was erased.
    pub fn keys(&self) -> &BTreeMap<ChartId, BTreeSet<Hash32>> {
        &self.keys
    }
    /// Attachments that must be there: hash and length.
    pub fn objects(&self) -> &BTreeMap<Hash32, u64> {
        &self.objects
    }
    /// Versions verified.
    pub fn entries(&self) -> u64 {
        self.entries
    }
    /// One number for everything verified: changes when anything does.
    pub fn digest(&self) -> Hash32 {
        let pin = self.ledger();
        sha256(&[self.directory.head().as_bytes(), pin.root.as_bytes(), &self.next.to_be_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use subrosa_crypto::{Endorsed, HpkeSecret, SigningKey};
    use subrosa_model::{MemberId, Role, TeamId, TeamKind, Timestamp};
    use subrosa_protocol::directory::{Act, Policy};

    const CHART: ChartId = ChartId([1; 16]);
    const OTHER: ChartId = ChartId([2; 16]);
    const ORDER: OrderId = OrderId([3; 16]);

    struct Journal {
        verifier: Verifier,
        directory: Directory,
        seq: u64,
    }

    impl Journal {
        fn take(&mut self, chart: Option<ChartId>, change: Change) -> bool {
            self.seq += 1;
            let record = Record { seq: self.seq, kind: change.kind().to_owned(), at: Timestamp(5), chart, body: change.encode().into() };
            self.verifier.take(&record)
        }
        fn state(&mut self, act: Act, key: &SigningKey) {
            let entry = Endorsed::sign(&[key], &self.directory.practice(), &self.directory.next(Timestamp(5), act)).to_bytes();
            let n = self.directory.size();
            self.directory.apply(&entry).unwrap();
            assert!(self.take(None, Change::Directory { n, entry: entry.into() }));
        }
    }

    fn ordered(hold: bool) -> Journal {
        let practice = PracticeId([9; 16]);
        let mut j = Journal { verifier: Verifier::new(practice), directory: Directory::new(practice), seq: 0 };
        let (root, owner, member) = (SigningKey::make(), SigningKey::make(), MemberId([4; 16]));
        let hpke = HpkeSecret::make().public();
        let found = Act::Found { root: root.public(), backup: hpke.clone(), log_key: SigningKey::make().public(), suite_min: 1, policy: Policy::solo("UTC") };
        j.state(found, &root);
        j.state(Act::AdmitMember { member, name: "Owner".into(), role: Role::Owner, sign: owner.public(), hpke }, &root);
        j.state(Act::MakeTeam { team: TeamId([5; 16]), kind: TeamKind::Care, name: "Care".into(), members: BTreeSet::from([member]) }, &owner);
        if hold {
            j.state(Act::Hold { chart: CHART, until: None }, &owner);
        }
        j.state(Act::Order { order: ORDER, kind: subrosa_protocol::directory::OrderKind::EraseChart { chart: CHART } }, &owner);
        j
    }

    #[test]
    fn an_erasure_is_taken_for_the_chart_that_was_ordered_and_no_other() {
        assert!(ordered(false).take(Some(CHART), Change::Erased { order: ORDER }));
        assert!(!ordered(false).take(Some(OTHER), Change::Erased { order: ORDER }));
        assert!(!ordered(false).take(Some(CHART), Change::Erased { order: OrderId([8; 16]) }));
    }

    #[test]
    fn an_erasure_under_a_hold_does_not_hold() {
        assert!(!ordered(true).take(Some(CHART), Change::Erased { order: ORDER }));
    }
}
