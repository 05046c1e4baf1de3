use super::{EMPTY, goes_right, map_inner, map_leaf};
use crate::tree::ProofError;
use serde::{Deserialize, Serialize};
use subrosa_model::Hash32;

/// What the map says about one key: the hashes beside its path, and what stands at its end when that is another leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapProof {
    /// The hashes beside the path, from the root down: 0 to 256.
    pub siblings: Vec<Hash32>,
    /// The other leaf that stands where this key would: absence only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<OtherLeaf>,
}

/// A leaf of the map that is shown to prove the absence of another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherLeaf {
    /// Its key.
    pub key: Hash32,
    /// Its value.
    pub value: Hash32,
}

/// Checks that the map with this root holds `key` with `value`, or, for `None`, does not hold `key`.
///
/// # Errors
/// [`ProofError::Length`] for more than 256 hashes; [`ProofError::WrongPath`] when the other leaf does not stand on the path of the key, is the key itself, or is shown for a
/// key that is present; [`ProofError::Root`] when the hashes lead elsewhere.
pub fn verify_map(
    root: &Hash32,
    key: &Hash32,
    value: Option<&Hash32>,
    proof: &MapProof,
) -> Result<(), ProofError> {
    let depth = proof.siblings.len();
    if depth > 256 {
        return Err(ProofError::Length);
    }
    let end = match (value, &proof.other) {
        (Some(value), None) => map_leaf(key, value),
        (None, None) => EMPTY,
        (Some(_), Some(_)) => return Err(ProofError::WrongPath),
        (None, Some(other)) => {
            let same_path =
                (0..depth).all(|bit| goes_right(key, bit) == goes_right(&other.key, bit));
            if other.key == *key || !same_path {
                return Err(ProofError::WrongPath);
            }
            map_leaf(&other.key, &other.value)
        }
    };
    let found = proof
        .siblings
        .iter()
        .enumerate()
        .rev()
        .fold(end, |hash, (bit, sibling)| {
            if goes_right(key, bit) {
                map_inner(sibling, &hash)
            } else {
                map_inner(&hash, sibling)
            }
        });
    if found == *root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}
