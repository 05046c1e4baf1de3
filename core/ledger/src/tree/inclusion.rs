use super::source::{cover, range_hash};
use super::{MAX_PROOF, NodeAt, NodeSource, ProofError, node_hash, split_point};
use std::ops::Range;
use subrosa_model::Hash32;

/// The ranges whose hashes are the proof, from the leaf's sibling up (RFC 6962 section 2.1.1).
fn path(index: u64, size: u64) -> Result<Vec<Range<u64>>, ProofError> {
    if index >= size {
        return Err(ProofError::NoSuchLeaf { index, size });
    }
    let Range { mut start, mut end } = 0..size;
    let mut siblings = Vec::new();
    while end - start > 1 {
        let middle = start + split_point(end - start);
        if index < middle {
            siblings.push(middle..end);
            end = middle;
        } else {
            siblings.push(start..middle);
            start = middle;
        }
    }
    siblings.reverse();
    Ok(siblings)
}

/// The complete nodes that [`inclusion_proof`] will ask its source for.
///
/// # Errors
/// [`ProofError::NoSuchLeaf`] unless `index < size`.
pub fn inclusion_nodes(index: u64, size: u64) -> Result<Vec<NodeAt>, ProofError> {
    Ok(path(index, size)?.into_iter().flat_map(cover).collect())
}

/// The proof that leaf `index` is in the tree of `size` leaves: one hash per level, from the leaf's sibling up to the root's child (RFC 6962 section 2.1.1).
///
/// # Errors
/// [`ProofError::NoSuchLeaf`] unless `index < size`; [`ProofError::MissingNode`] when the source lacks one of [`inclusion_nodes`].
pub fn inclusion_proof(
    source: &impl NodeSource,
    index: u64,
    size: u64,
) -> Result<Vec<Hash32>, ProofError> {
    path(index, size)?
        .into_iter()
        .map(|r| range_hash(source, r))
        .collect()
}

/// Checks that `leaf` (a leaf hash) is at `index` in the tree of `size` leaves whose root is `root` (RFC 9162 section 2.1.3.2).
///
/// The root alone does not fix the size: take `size` and `root` from the same signed checkpoint, never `size` from the prover.
///
/// # Errors
/// [`ProofError::NoSuchLeaf`] unless `index < size`; [`ProofError::Length`] when the proof has the wrong number of hashes; [`ProofError::Root`] when it leads elsewhere.
pub fn verify_inclusion(
    leaf: &Hash32,
    index: u64,
    size: u64,
    proof: &[Hash32],
    root: &Hash32,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::NoSuchLeaf { index, size });
    }
    if proof.len() > MAX_PROOF {
        return Err(ProofError::Length);
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if hash == *root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}
