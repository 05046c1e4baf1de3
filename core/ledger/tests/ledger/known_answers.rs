use crate::common::Log;
use subrosa_ledger::tree::{empty_root, leaf_hash, verify_consistency, verify_inclusion};

/// The eight leaves of the Certificate Transparency reference tests, and the roots of the first one, two, ... eight of them.
const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}

#[test]
fn the_empty_tree_has_the_root_of_rfc_6962() {
    assert_eq!(
        empty_root().to_string(),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}

#[test]
fn the_reference_leaves_have_the_reference_roots() {
    let log = Log::of_leaves(LEAVES.map(hex));
    for (size, root) in (1..).zip(ROOTS) {
        assert_eq!(log.roots[size].to_string(), root, "size {size}");
    }
    assert_eq!(leaf_hash(b"").to_string(), ROOTS[0]);
}

/// Verification vectors in the JSON format of github.com/transparency-dev/merkle (`testdata`): point SUBROSA_MERKLE_VECTORS at that folder.
#[test]
fn the_vectors_of_transparency_dev_are_judged_as_they_say() {
    let Some(folder) = std::env::var_os("SUBROSA_MERKLE_VECTORS").map(std::path::PathBuf::from)
    else {
        println!("skipped: SUBROSA_MERKLE_VECTORS is not set");
        return;
    };
    let mut judged = (0, 0);
    let mut folders = vec![folder.join("inclusion"), folder.join("consistency")];
    while let Some(at) = folders.pop() {
        for item in std::fs::read_dir(at).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let case: serde_json::Value =
                serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let accepted = if case.get("leafIdx").is_some() {
                judged.0 += 1;
                judge_inclusion(&case)
            } else {
                judged.1 += 1;
                judge_consistency(&case)
            };
            // They call a proof from the true empty tree useless and refuse it; tlog-witness accepts it, and so do we.
            let from_empty = case["size1"] == 0
                && case["size2"] != 0
                && hash(&case["root1"]) == Some(empty_root())
                && no_hashes(&case["proof"]);
            let wanted = from_empty || !case["wantErr"].as_bool().unwrap();
            assert_eq!(accepted, Some(()).filter(|()| wanted), "{}", path.display());
        }
    }
    println!(
        "{} inclusion and {} consistency vectors",
        judged.0, judged.1
    );
    assert!(judged.0 > 0 && judged.1 > 0);
}

/// Some of the vectors use short texts as roots, which a `Hash32` cannot hold: they are hashed, so that equal ones stay equal. An empty one is no hash.
fn hash(value: &serde_json::Value) -> Option<subrosa_model::Hash32> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(value.as_str()?)
        .ok()
        .filter(|b| !b.is_empty())?;
    Some(subrosa_model::Hash32::from_slice(&bytes).unwrap_or_else(|| leaf_hash(&bytes)))
}

fn proof(value: &serde_json::Value) -> Option<Vec<subrosa_model::Hash32>> {
    match value.as_array() {
        Some(hashes) => hashes.iter().map(hash).collect(),
        None => Some(vec![]),
    }
}

fn no_hashes(value: &serde_json::Value) -> bool {
    proof(value).is_some_and(|hashes| hashes.is_empty())
}

fn judge_inclusion(case: &serde_json::Value) -> Option<()> {
    let (leaf, root, proof) = (
        hash(&case["leafHash"])?,
        hash(&case["root"])?,
        proof(&case["proof"])?,
    );
    verify_inclusion(
        &leaf,
        case["leafIdx"].as_u64()?,
        case["treeSize"].as_u64()?,
        &proof,
        &root,
    )
    .ok()
}

fn judge_consistency(case: &serde_json::Value) -> Option<()> {
    let (old, new, proof) = (
        hash(&case["root1"])?,
        hash(&case["root2"])?,
        proof(&case["proof"])?,
    );
    verify_consistency(
        case["size1"].as_u64()?,
        &old,
        case["size2"].as_u64()?,
        &new,
        &proof,
    )
    .ok()
}
