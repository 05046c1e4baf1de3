//! Append-only Merkle logs that a patient, an auditor or another machine can check without trusting the server that keeps them.
//!
//! It holds: the RFC 6962 tree ([`tree`]), signed checkpoints and witness cosignatures ([`checkpoint`], [`note`]), static tiles ([`tiles`]), the map from chart to its newest
//! leaf ([`map`]), the offline proof that a patient can keep ([`proof_file`]) and the decisions of a witness ([`witness`]).
//!
//! What it never does: read or write a file, a database or a socket; read a clock (times are parameters); draw randomness; see patient data (leaves are salted commitments
//! made elsewhere); decide who is trusted (keys come from the caller).
//!
//! It follows RFC 6962 section 2.1 with the verification algorithms of RFC 9162 section 2.1, and the C2SP documents signed-note, tlog-checkpoint, tlog-cosignature
//! (Ed25519, `cosignature/v1`), tlog-tiles, tlog-witness and tlog-proof. Two things are narrower than those: checkpoints with extension lines are refused, and an origin must
//! be usable as a key name. Signatures here are Ed25519 only and not post-quantum.
//!
//! ```
//! use subrosa_ledger::tree::{self, Frontier, MemoryNodes};
//! let (mut frontier, mut nodes) = (Frontier::new(), MemoryNodes::new());
//! for leaf in ["opened chart 1", "opened chart 2", "opened chart 3"] {
//!     nodes.extend(frontier.append(tree::leaf_hash(leaf.as_bytes())));
//! }
//! let proof = tree::inclusion_proof(&nodes, 1, frontier.size())?;
//! let leaf = tree::leaf_hash(b"opened chart 2");
//! tree::verify_inclusion(&leaf, 1, frontier.size(), &proof, &frontier.root())?;
//! assert!(tree::verify_inclusion(&leaf, 0, frontier.size(), &proof, &frontier.root()).is_err());
//! # Ok::<(), subrosa_ledger::tree::ProofError>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod checkpoint;
pub mod map;
pub mod note;
pub mod proof_file;
pub mod tiles;
pub mod tree;
pub mod witness;

mod text;

pub use checkpoint::{Checkpoint, Cosignature, SignedCheckpoint};
pub use map::{ChartMap, MapProof, verify_map};
pub use note::{KeyName, LogKey, Note, NoteError, NoteSignature, WitnessKey};
pub use proof_file::{ProofFile, ProofFileError, Proven};
pub use tree::{
    Frontier, MemoryNodes, NodeSource, ProofError, TreeHead, consistency_nodes, consistency_proof,
    inclusion_nodes, inclusion_proof, leaf_hash, node_hash, verify_consistency, verify_inclusion,
};
