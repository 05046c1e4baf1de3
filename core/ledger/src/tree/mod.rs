//! The Merkle tree of RFC 6962 section 2.1: hashes, the growing edge, inclusion and consistency proofs.
//!
//! A *complete node* is a full subtree of `2^level` leaves, named `(level, index)`: it covers the leaves `index << level .. (index + 1) << level` and never changes once it
//! exists. Storage keeps complete nodes only; every proof and every root is computed from them. A caller whose storage is asynchronous asks which nodes a proof needs
//! ([`inclusion_nodes`], [`consistency_nodes`], [`root_nodes`]), fetches them into a [`MemoryNodes`], and then makes the proof from that.

mod consistency;
mod frontier;
mod inclusion;
mod source;

pub use consistency::{TreeHead, consistency_nodes, consistency_proof, verify_consistency};
pub use frontier::Frontier;
pub use inclusion::{inclusion_nodes, inclusion_proof, verify_inclusion};
pub use source::{MemoryNodes, NodeAt, NodeSource, root_at, root_nodes};

use subrosa_crypto::sha256;
use subrosa_model::Hash32;

/// The most hashes that any proof in a tree of 64-bit size can have. Longer ones are refused before any hashing.
pub const MAX_PROOF: usize = 64;

/// Why a proof could not be made or was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The caller asked about a leaf that the tree of that size does not have.
    #[error("leaf {index} does not exist in a ledger of {size} leaves")]
    NoSuchLeaf {
        /// The leaf asked for.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The older tree is larger than the newer one.
    #[error("a ledger of {new} leaves cannot extend one of {old} leaves")]
    SizeOrder {
        /// Size of the older tree.
        old: u64,
        /// Size of the newer tree.
        new: u64,
    },
    /// The node source lacks a complete node that the tree must have.
    #[error("the stored hash at level {level}, place {index} of the ledger is missing")]
    MissingNode {
        /// Height above the leaves.
        level: u8,
        /// Place within the level.
        index: u64,
    },
    /// The proof has more or fewer hashes than this tree needs.
    #[error("the proof does not have the right number of hashes for this ledger size")]
    Length,
    /// The hashes do not add up to the root.
    #[error("the proof does not lead to the signed root of the ledger")]
    Root,
    /// A compact range whose number of hashes does not fit its size.
    #[error("the stored edge of the ledger does not fit its size")]
    Frontier,
    /// An absence proof that shows a leaf which does not lie on the path of the key asked for.
    #[error("the proof of absence is about another part of the map")]
    WrongPath,
}

impl ProofError {
    /// A stable name for programs and tests.
    pub fn code(&self) -> &'static str {
        match self {
            ProofError::NoSuchLeaf { .. } => "ledger-no-such-leaf",
            ProofError::SizeOrder { .. } => "ledger-size-order",
            ProofError::MissingNode { .. } => "ledger-node-missing",
            ProofError::Length => "ledger-proof-length",
            ProofError::Root => "ledger-proof-root",
            ProofError::Frontier => "ledger-frontier",
            ProofError::WrongPath => "ledger-map-path",
        }
    }
}

/// The hash of a leaf: `SHA-256(0x00 || leaf)` (RFC 6962 section 2.1).
pub fn leaf_hash(leaf: &[u8]) -> Hash32 {
    sha256(&[&[0x00], leaf])
}

/// The hash of an inner node: `SHA-256(0x01 || left || right)` (RFC 6962 section 2.1).
pub fn node_hash(left: &Hash32, right: &Hash32) -> Hash32 {
    sha256(&[&[0x01], left.as_bytes(), right.as_bytes()])
}

/// The root of a tree without leaves: `SHA-256("")` (RFC 6962 section 2.1).
pub fn empty_root() -> Hash32 {
    sha256(&[])
}

/// The largest power of two below `n`, for `n >= 2`: where RFC 6962 splits a list of `n` leaves.
fn split_point(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}
