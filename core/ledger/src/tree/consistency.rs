use super::source::{cover, range_hash};
use super::{MAX_PROOF, NodeAt, NodeSource, ProofError, empty_root, node_hash, split_point};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use subrosa_model::Hash32;

/// A log at one moment: how many leaves, and the root over them. What a client pins and a witness remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TreeHead {
    /// Number of leaves.
    pub size: u64,
    /// Root over them.
    pub root: Hash32,
}

impl TreeHead {
    /// The head of a log without leaves; every log extends it.
    pub fn empty() -> Self {
        TreeHead {
            size: 0,
            root: empty_root(),
        }
    }

    /// Checks that `newer` contains everything this head contains, unchanged, and only adds to it.
    ///
    /// # Errors
    /// As [`verify_consistency`].
    pub fn verify_extended_by(&self, newer: &TreeHead, proof: &[Hash32]) -> Result<(), ProofError> {
        verify_consistency(self.size, &self.root, newer.size, &newer.root, proof)
    }
}

impl Default for TreeHead {
    fn default() -> Self {
        Self::empty()
    }
}

/// The ranges whose hashes are the proof, lowest first (RFC 6962 section 2.1.2).
fn path(old: u64, new: u64) -> Result<Vec<Range<u64>>, ProofError> {
    if old > new {
        return Err(ProofError::SizeOrder { old, new });
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let Range { mut start, mut end } = 0..new;
    let mut ranges = Vec::new();
    while old != end {
        let middle = start + split_point(end - start);
        if old <= middle {
            ranges.push(middle..end);
            end = middle;
        } else {
            ranges.push(start..middle);
            start = middle;
        }
    }
    // When the old tree is itself a complete subtree on the left edge, its root is known to the verifier and left out.
    if start != 0 {
        ranges.push(start..end);
    }
    ranges.reverse();
    Ok(ranges)
}

/// The complete nodes that [`consistency_proof`] will ask its source for. None when `old` is 0 or equals `new`.
///
/// # Errors
/// [`ProofError::SizeOrder`] when `old > new`.
pub fn consistency_nodes(old: u64, new: u64) -> Result<Vec<NodeAt>, ProofError> {
    Ok(path(old, new)?.into_iter().flat_map(cover).collect())
}

/// The proof that the tree of `new` leaves extends the tree of `old` leaves (RFC 6962 section 2.1.2). Empty when `old` is 0 or equals `new`.
///
/// # Errors
/// [`ProofError::SizeOrder`] when `old > new`; [`ProofError::MissingNode`] when the source lacks one of [`consistency_nodes`].
pub fn consistency_proof(
    source: &impl NodeSource,
    old: u64,
    new: u64,
) -> Result<Vec<Hash32>, ProofError> {
    path(old, new)?
        .into_iter()
        .map(|r| range_hash(source, r))
        .collect()
}

/// Checks that the tree `(new_size, new_root)` extends the tree `(old_size, old_root)` (RFC 9162 section 2.1.4.2).
///
/// The empty tree is extended by any other with an empty proof, but only when `old_root` is the hash of the empty tree. Sizes must come from where the roots come from.
///
/// # Errors
/// [`ProofError::SizeOrder`] when `old_size > new_size`; [`ProofError::Length`] for a wrong number of hashes; [`ProofError::Root`] when the proof leads elsewhere.
pub fn verify_consistency(
    old_size: u64,
    old_root: &Hash32,
    new_size: u64,
    new_root: &Hash32,
    proof: &[Hash32],
) -> Result<(), ProofError> {
    if old_size > new_size {
        return Err(ProofError::SizeOrder {
            old: old_size,
            new: new_size,
        });
    }
    if new_size == 0 && *new_root != empty_root() {
        return Err(ProofError::Root);
    }
    if old_size == new_size {
        return match (proof.is_empty(), old_root == new_root) {
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        };
    }
    if old_size == 0 {
        return match (proof.is_empty(), *old_root == empty_root()) {
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        };
    }
    if proof.is_empty() || proof.len() > MAX_PROOF {
        return Err(ProofError::Length);
    }
    let (first, rest) = if old_size.is_power_of_two() {
        (*old_root, proof)
    } else {
        (proof[0], &proof[1..])
    };
    let (mut node, mut last) = (old_size - 1, new_size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (first, first);
    for sibling in rest {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if old_hash == *old_root && new_hash == *new_root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}
