use subrosa_crypto::SigningKey;
use subrosa_ledger::tree::{Frontier, MemoryNodes, leaf_hash};
use subrosa_ledger::{Checkpoint, KeyName, LogKey, SignedCheckpoint, WitnessKey};
use subrosa_model::{Hash32, Timestamp};

pub const NOW: Timestamp = Timestamp(1_793_000_000_000);

pub fn name(text: &str) -> KeyName {
    text.parse().unwrap()
}

pub fn origin() -> KeyName {
    name("ledger.example/practice-7")
}

pub fn log_secret() -> SigningKey {
    SigningKey::from_seed([7; 32])
}

pub fn log_key() -> LogKey {
    LogKey::new(origin(), log_secret().public())
}

pub fn witness_secret(n: u8) -> SigningKey {
    SigningKey::from_seed([100 + n; 32])
}

pub fn witness_name(n: u8) -> KeyName {
    name(&format!("keeper.example/w{n}"))
}

pub fn witness_key(n: u8) -> WitnessKey {
    WitnessKey::new(witness_name(n), witness_secret(n).public())
}

pub fn leaf(n: u64) -> Vec<u8> {
    format!("leaf number {n}").into_bytes()
}

/// A log with leaves `leaf(0)..leaf(size)`: every node, and the root at every size.
pub struct Log {
    pub nodes: MemoryNodes,
    pub frontier: Frontier,
    pub roots: Vec<Hash32>,
}

impl Log {
    pub fn of(size: u64) -> Self {
        Self::of_leaves((0..size).map(leaf))
    }

    pub fn of_leaves(leaves: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut log = Log {
            nodes: MemoryNodes::new(),
            frontier: Frontier::new(),
            roots: vec![],
        };
        log.roots.push(log.frontier.root());
        for leaf in leaves {
            log.nodes.extend(log.frontier.append(leaf_hash(&leaf)));
            log.roots.push(log.frontier.root());
        }
        log
    }

    pub fn checkpoint(&self, size: u64) -> SignedCheckpoint {
        Checkpoint {
            origin: origin(),
            size,
            root: self.roots[size as usize],
        }
        .sign(&log_secret())
    }
}
