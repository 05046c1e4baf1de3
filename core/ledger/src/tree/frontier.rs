use super::source::fold;
use super::{NodeSource, ProofError, TreeHead, node_hash, root_nodes};
use serde::{Deserialize, Serialize};
use subrosa_model::Hash32;

/// The growing edge of a log (a compact range): its size, and the hashes of the complete subtrees that its leaves fall into, largest first. 64 hashes at most, enough to
/// append and to compute the root; it is what a writer keeps in its locked head row.
///
/// Serialised as `{size, hashes}`; read back only when the number of hashes fits the size.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Wire", try_from = "Wire")]
pub struct Frontier {
    size: u64,
    hashes: Vec<Hash32>,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    size: u64,
    hashes: Vec<Hash32>,
}

impl From<Frontier> for Wire {
    fn from(f: Frontier) -> Wire {
        Wire {
            size: f.size,
            hashes: f.hashes,
        }
    }
}

impl TryFrom<Wire> for Frontier {
    type Error = ProofError;
    fn try_from(w: Wire) -> Result<Self, ProofError> {
        Frontier::from_parts(w.size, w.hashes)
    }
}

impl Frontier {
    /// The largest size accepted from outside: what a signed 64-bit database column holds.
    pub const MAX_SIZE: u64 = i64::MAX as u64;

    /// The edge of a log without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// From a size and the hashes at [`root_nodes`]`(size)`, in that order.
    ///
    /// # Errors
    /// [`ProofError::Frontier`] when there are more or fewer hashes than the size has subtrees, or the size is above [`Self::MAX_SIZE`].
    pub fn from_parts(size: u64, hashes: Vec<Hash32>) -> Result<Self, ProofError> {
        if size > Self::MAX_SIZE || hashes.len() != size.count_ones() as usize {
            return Err(ProofError::Frontier);
        }
        Ok(Self { size, hashes })
    }

    /// The edge that the log had at `size`, from its stored nodes.
    ///
    /// # Errors
    /// [`ProofError::MissingNode`] when the source lacks one of [`root_nodes`]; [`ProofError::Frontier`] above [`Self::MAX_SIZE`].
    pub fn from_source(source: &impl NodeSource, size: u64) -> Result<Self, ProofError> {
        let hashes = root_nodes(size)
            .into_iter()
            .map(|(level, index)| {
                source
                    .node(level, index)
                    .ok_or(ProofError::MissingNode { level, index })
            })
            .collect::<Result<Vec<_>, _>>()?;
        Self::from_parts(size, hashes)
    }

    /// Adds one leaf (already hashed by [`leaf_hash`](super::leaf_hash)) and returns every complete node that came to be, as `(level, index, hash)`, the leaf itself first.
    /// Storing all of them is enough to make any proof later.
    pub fn append(&mut self, leaf: Hash32) -> Vec<(u8, u64, Hash32)> {
        let (mut level, mut index, mut hash) = (0u8, self.size, leaf);
        let mut made = vec![(level, index, hash)];
        while index & 1 == 1 {
            let Some(left) = self.hashes.pop() else { break };
            hash = node_hash(&left, &hash);
            index >>= 1;
            level += 1;
            made.push((level, index, hash));
        }
        self.hashes.push(hash);
        self.size += 1;
        made
    }

    /// How many leaves the log has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The hashes of the complete subtrees, largest first; they belong at [`root_nodes`]`(size)`.
    pub fn hashes(&self) -> &[Hash32] {
        &self.hashes
    }

    /// The root of the log as it stands.
    pub fn root(&self) -> Hash32 {
        fold(&self.hashes)
    }

    /// Size and root together.
    pub fn head(&self) -> TreeHead {
        TreeHead {
            size: self.size,
            root: self.root(),
        }
    }
}
