//! The map from a key (a chart, as a hash) to a value (the hash of its newest leaf), with one root: a compact sparse Merkle tree.
//!
//! A log proves that a leaf is there, not that nothing was left out. Each batch of the access ledger ends with the root of this map, so that the newest leaf of a chart, or
//! that a chart has none, can be proven under the same checkpoint.
//!
//! The tree follows the bits of the key, most significant first. An empty subtree hashes to 32 zero bytes; a subtree with one key is that leaf, wherever it stands,
//! `SHA-256(0x02 || key || value)`; any other is `SHA-256(0x03 || left || right)`. The prefixes differ from those of the log (0x00, 0x01), so no hash of one is a hash of the
//! other. One root fixes, for every key, its one value or its absence.
//!
//! Keys must be spread evenly: hash the id. A proof of absence may show the key and the value of one other leaf, so neither may mean anything by itself.

mod proof;

pub use proof::{MapProof, OtherLeaf, verify_map};

use std::sync::Arc;
use subrosa_crypto::sha256;
use subrosa_model::Hash32;

/// The root of the map that holds nothing.
pub const EMPTY: Hash32 = Hash32([0; 32]);

pub(crate) fn map_leaf(key: &Hash32, value: &Hash32) -> Hash32 {
    sha256(&[&[0x02], key.as_bytes(), value.as_bytes()])
}

pub(crate) fn map_inner(left: &Hash32, right: &Hash32) -> Hash32 {
    sha256(&[&[0x03], left.as_bytes(), right.as_bytes()])
}

/// Bit `depth` of a key, the most significant first; `depth < 256`.
pub(crate) fn goes_right(key: &Hash32, depth: usize) -> bool {
    key.0[depth / 8] >> (7 - depth % 8) & 1 == 1
}

#[derive(Debug, Clone, Default)]
enum Node {
    #[default]
    Empty,
    Leaf {
        key: Hash32,
        value: Hash32,
        hash: Hash32,
    },
    Inner(Arc<Inner>),
}

#[derive(Debug, Clone)]
struct Inner {
    hash: Hash32,
    left: Node,
    right: Node,
}

impl Node {
    fn leaf(key: Hash32, value: Hash32) -> Self {
        Node::Leaf {
            key,
            value,
            hash: map_leaf(&key, &value),
        }
    }

    fn inner(left: Node, right: Node) -> Self {
        let hash = map_inner(&left.hash(), &right.hash());
        Node::Inner(Arc::new(Inner { hash, left, right }))
    }

    fn hash(&self) -> Hash32 {
        match self {
            Node::Empty => EMPTY,
            Node::Leaf { hash, .. } => *hash,
            Node::Inner(inner) => inner.hash,
        }
    }

    /// Sets a key below this node, which stands at `depth`; tells the value it had.
    fn set(&mut self, depth: usize, key: Hash32, value: Hash32) -> Option<Hash32> {
        match self {
            Node::Empty => {
                *self = Node::leaf(key, value);
                None
            }
            Node::Leaf {
                key: held,
                value: before,
                ..
            } if *held == key => {
                let before = *before;
                *self = Node::leaf(key, value);
                Some(before)
            }
            Node::Leaf { key: held, .. } => {
                let held = *held;
                *self = Node::split(
                    depth,
                    (held, std::mem::take(self)),
                    (key, Node::leaf(key, value)),
                );
                None
            }
            Node::Inner(inner) => {
                let inner = Arc::make_mut(inner);
                let child = if goes_right(&key, depth) {
                    &mut inner.right
                } else {
                    &mut inner.left
                };
                let before = child.set(depth + 1, key, value);
                inner.hash = map_inner(&inner.left.hash(), &inner.right.hash());
                before
            }
        }
    }

    /// The smallest subtree at `depth` that holds two leaves with different keys.
    fn split(depth: usize, a: (Hash32, Node), b: (Hash32, Node)) -> Self {
        match (goes_right(&a.0, depth), goes_right(&b.0, depth)) {
            (false, true) => Node::inner(a.1, b.1),
            (true, false) => Node::inner(b.1, a.1),
            (false, false) => Node::inner(Node::split(depth + 1, a, b), Node::Empty),
            (true, true) => Node::inner(Node::Empty, Node::split(depth + 1, a, b)),
        }
    }

    fn walk(&self, visit: &mut impl FnMut(Hash32, Hash32)) {
        match self {
            Node::Empty => {}
            Node::Leaf { key, value, .. } => visit(*key, *value),
            Node::Inner(inner) => {
                inner.left.walk(visit);
                inner.right.walk(visit);
            }
        }
    }
}

/// The map, in memory. Cloning is cheap and shares what does not change, so that the states of recent batches can be kept for proofs. Storage keeps the pairs; the tree is
/// built again from them (`collect`).
#[derive(Debug, Clone, Default)]
pub struct ChartMap {
    top: Node,
    len: usize,
}

impl ChartMap {
    /// Holds nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the value of a key and returns the one it had. About `log2(len)` hashes.
    pub fn insert(&mut self, key: Hash32, value: Hash32) -> Option<Hash32> {
        let before = self.top.set(0, key, value);
        self.len += usize::from(before.is_none());
        before
    }

    /// The value of a key.
    pub fn get(&self, key: &Hash32) -> Option<Hash32> {
        let (mut node, mut depth) = (&self.top, 0);
        loop {
            match node {
                Node::Empty => return None,
                Node::Leaf {
                    key: held, value, ..
                } => return (held == key).then_some(*value),
                Node::Inner(inner) => {
                    node = if goes_right(key, depth) {
                        &inner.right
                    } else {
                        &inner.left
                    };
                    depth += 1;
                }
            }
        }
    }

    /// One hash over the whole map; [`EMPTY`] when it holds nothing.
    pub fn root(&self) -> Hash32 {
        self.top.hash()
    }

    /// How many keys it holds.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All keys and values, by key.
    pub fn pairs(&self) -> Vec<(Hash32, Hash32)> {
        let mut pairs = Vec::with_capacity(self.len);
        self.top.walk(&mut |key, value| pairs.push((key, value)));
        pairs
    }

    /// The proof of what this map says about a key: its value, or that it has none. Checked by [`verify_map`].
    pub fn prove(&self, key: &Hash32) -> MapProof {
        let (mut node, mut siblings) = (&self.top, Vec::new());
        loop {
            match node {
                Node::Empty => {
                    return MapProof {
                        siblings,
                        other: None,
                    };
                }
                Node::Leaf { key: held, .. } if held == key => {
                    return MapProof {
                        siblings,
                        other: None,
                    };
                }
                Node::Leaf { key, value, .. } => {
                    return MapProof {
                        siblings,
                        other: Some(OtherLeaf {
                            key: *key,
                            value: *value,
                        }),
                    };
                }
                Node::Inner(inner) => {
                    let (next, sibling) = match goes_right(key, siblings.len()) {
                        true => (&inner.right, &inner.left),
                        false => (&inner.left, &inner.right),
                    };
                    siblings.push(sibling.hash());
                    node = next;
                }
            }
        }
    }
}

impl Extend<(Hash32, Hash32)> for ChartMap {
    fn extend<I: IntoIterator<Item = (Hash32, Hash32)>>(&mut self, pairs: I) {
        pairs.into_iter().for_each(|(key, value)| {
            self.insert(key, value);
        });
    }
}

impl FromIterator<(Hash32, Hash32)> for ChartMap {
    fn from_iter<I: IntoIterator<Item = (Hash32, Hash32)>>(pairs: I) -> Self {
        let mut map = Self::new();
        map.extend(pairs);
        map
    }
}
