//! Stored formats, frozen: what was once written must be readable for ever, and is written the same again.
//!
//! A vector is only ever added. Run with SUBROSA_FREEZE=1 to write those that do not exist yet; none is overwritten.
use crate::common::*;
use std::path::Path;
use subrosa_crypto::sha256;
use subrosa_ledger::tiles::{Tile, write_bundle, write_tile};
use subrosa_ledger::tree::{consistency_proof, inclusion_proof};
use subrosa_ledger::witness::{AddCheckpoint, decide};
use subrosa_ledger::*;

/// The frozen text, after checking that `actual` is the same.
fn frozen(file: &str, actual: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors")
        .join(file);
    if std::env::var_os("SUBROSA_FREEZE").is_some() && !path.exists() {
        std::fs::write(&path, actual).unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert_eq!(text, actual, "{file} is written differently now");
    text
}

fn cosigned(log: &Log, size: u64) -> SignedCheckpoint {
    let mut signed = log.checkpoint(size);
    for n in [1, 2] {
        let line = signed
            .cosign(
                &witness_name(n),
                &witness_secret(n),
                NOW.plus(i64::from(n) * 1000),
            )
            .unwrap();
        signed
            .add_cosignatures(&format!("{line}\n"), &[witness_key(n)])
            .unwrap();
    }
    signed
}

#[test]
fn leaves_and_roots() {
    let log = Log::of(20);
    let mut lines = String::new();
    for n in 0..20u64 {
        lines += &format!("leaf {n} {}\n", leaf_hash(&leaf(n)));
    }
    for (size, root) in log.roots.iter().enumerate() {
        lines += &format!("root {size} {root}\n");
    }
    frozen("tree.txt", &lines);
}

#[test]
fn the_edge_of_a_log() {
    let text = frozen(
        "frontier.json",
        &(serde_json::to_string(&Log::of(13).frontier).unwrap() + "\n"),
    );
    let edge: Frontier = serde_json::from_str(&text).unwrap();
    assert_eq!(edge.root(), Log::of(13).roots[13]);
}

#[test]
fn a_cosigned_checkpoint_and_its_keys() {
    let keys = format!("{}\n{}\n{}\n", log_key(), witness_key(1), witness_key(2));
    let keys = frozen("keys.txt", &keys);
    let keys: Vec<&str> = keys.lines().collect();
    let note = frozen("checkpoint.txt", &cosigned(&Log::of(20), 20).to_string());
    let opened = SignedCheckpoint::open(&note, &[keys[0].parse().unwrap()]).unwrap();
    let seen = opened
        .cosignatures(&[keys[1].parse().unwrap(), keys[2].parse().unwrap()])
        .unwrap();
    assert_eq!(seen.len(), 2);
}

#[test]
fn a_proof_file() {
    let log = Log::of(20);
    let proof = inclusion_proof(&log.nodes, 13, 20).unwrap();
    let file = ProofFile::new(&leaf(13), 13, proof, &cosigned(&log, 20)).unwrap();
    let file: ProofFile = frozen("leaf-13.tlog-proof", &file.to_string())
        .parse()
        .unwrap();
    let proven = file
        .verify(&[log_key()], &[witness_key(1), witness_key(2)], 2)
        .unwrap();
    assert_eq!(proven.leaf, leaf(13));
}

#[test]
fn a_request_to_a_witness_and_its_answer() {
    let log = Log::of(20);
    let request = AddCheckpoint::new(
        7,
        consistency_proof(&log.nodes, 7, 20).unwrap(),
        &log.checkpoint(20),
    );
    let request: AddCheckpoint = frozen("add-checkpoint.txt", &request.to_string())
        .parse()
        .unwrap();
    let last = subrosa_ledger::tree::TreeHead {
        size: 7,
        root: log.roots[7],
    };
    let decision = decide(
        &request,
        &[log_key()],
        &last,
        &witness_name(1),
        &witness_secret(1),
        NOW,
    )
    .unwrap();
    frozen("add-checkpoint-answer.txt", &decision.line);
}

#[test]
fn a_map_and_its_proofs() {
    let key = |n: u64| sha256(&[b"chart", &n.to_be_bytes()]);
    let value = |n: u64| sha256(&[b"head", &n.to_be_bytes()]);
    let map: ChartMap = (0..50).map(|n| (key(n), value(n))).collect();
    frozen("map-root.txt", &format!("{}\n", map.root()));
    let held = frozen(
        "map-present.json",
        &(serde_json::to_string(&map.prove(&key(9))).unwrap() + "\n"),
    );
    let held: MapProof = serde_json::from_str(&held).unwrap();
    verify_map(&map.root(), &key(9), Some(&value(9)), &held).unwrap();
    let absent = (50..)
        .find(|n| map.prove(&key(*n)).other.is_some())
        .unwrap();
    let proof = frozen(
        "map-absent.json",
        &(serde_json::to_string(&map.prove(&key(absent))).unwrap() + "\n"),
    );
    let proof: MapProof = serde_json::from_str(&proof).unwrap();
    verify_map(&map.root(), &key(absent), None, &proof).unwrap();
}

#[test]
fn a_tile_and_a_bundle() {
    let log = Log::of(300);
    let tile: Tile = "tile/0/001.p/44".parse().unwrap();
    let entries: Vec<_> = (256..300).map(leaf).collect();
    let text = format!(
        "{tile} {}\ntile/entries/001.p/44 {}\n",
        sha256(&[&write_tile(&log.nodes, &tile).unwrap()]),
        sha256(&[&write_bundle(&entries).unwrap()])
    );
    frozen("tiles.txt", &text);
}
