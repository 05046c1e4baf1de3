use super::{ProofError, empty_root, node_hash};
use std::collections::HashMap;
use std::ops::Range;
use subrosa_model::Hash32;

/// Where a complete node is: `(level, index)`. Level 0 is the leaves; the node covers the leaves `index << level .. (index + 1) << level`.
pub type NodeAt = (u8, u64);

/// Something that holds complete nodes: a table, a set of tiles, a map filled by a query.
pub trait NodeSource {
    /// The hash of the complete node at this place, or `None` when it is not held.
    fn node(&self, level: u8, index: u64) -> Option<Hash32>;
}

impl<S: NodeSource + ?Sized> NodeSource for &S {
    fn node(&self, level: u8, index: u64) -> Option<Hash32> {
        (**self).node(level, index)
    }
}

/// Complete nodes in memory: what a query fetched, or a whole small log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryNodes(HashMap<NodeAt, Hash32>);

impl MemoryNodes {
    /// Holds nothing yet.
    pub fn new() -> Self {
        Self::default()
    }
    /// Keeps one node; an earlier hash at the same place is replaced.
    pub fn insert(&mut self, level: u8, index: u64, hash: Hash32) {
        self.0.insert((level, index), hash);
    }
    /// How many nodes are held.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl NodeSource for MemoryNodes {
    fn node(&self, level: u8, index: u64) -> Option<Hash32> {
        self.0.get(&(level, index)).copied()
    }
}

/// Takes the `(level, index, hash)` triples that [`Frontier::append`](super::Frontier::append) returns or that a table holds.
impl Extend<(u8, u64, Hash32)> for MemoryNodes {
    fn extend<I: IntoIterator<Item = (u8, u64, Hash32)>>(&mut self, nodes: I) {
        self.0.extend(
            nodes
                .into_iter()
                .map(|(level, index, hash)| ((level, index), hash)),
        );
    }
}

impl FromIterator<(u8, u64, Hash32)> for MemoryNodes {
    fn from_iter<I: IntoIterator<Item = (u8, u64, Hash32)>>(nodes: I) -> Self {
        let mut held = Self::new();
        held.extend(nodes);
        held
    }
}

/// The complete nodes that together cover `leaves`, largest first. The start must be a multiple of a power of two not below the length: true of every range that RFC 6962
/// splits off, and of a whole tree.
pub(super) fn cover(leaves: Range<u64>) -> impl Iterator<Item = NodeAt> {
    let Range { mut start, end } = leaves;
    std::iter::from_fn(move || {
        if start >= end {
            return None;
        }
        let level = 63 - (end - start).leading_zeros();
        let at = (level as u8, start >> level);
        start += 1 << level;
        Some(at)
    })
}

/// The RFC 6962 hash of a range, from its complete nodes.
pub(super) fn range_hash(
    source: &impl NodeSource,
    leaves: Range<u64>,
) -> Result<Hash32, ProofError> {
    let held = cover(leaves)
        .map(|(level, index)| {
            source
                .node(level, index)
                .ok_or(ProofError::MissingNode { level, index })
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(fold(&held))
}

/// Joins the hashes of neighbouring complete subtrees, largest first, into the root over all of them.
pub(super) fn fold(subtrees: &[Hash32]) -> Hash32 {
    let mut from_the_right = subtrees.iter().rev();
    match from_the_right.next() {
        None => empty_root(),
        Some(last) => from_the_right.fold(*last, |right, left| node_hash(left, &right)),
    }
}

/// The complete nodes from which [`root_at`] computes the root of the tree of `size` leaves, largest first: at most 64. In the same order they are the hashes of the
/// [`Frontier`](super::Frontier) of that size.
pub fn root_nodes(size: u64) -> Vec<NodeAt> {
    cover(0..size).collect()
}

/// The root that the tree had when it held `size` leaves.
///
/// # Errors
/// [`ProofError::MissingNode`] when the source lacks one of [`root_nodes`].
pub fn root_at(source: &impl NodeSource, size: u64) -> Result<Hash32, ProofError> {
    range_hash(source, 0..size)
}
