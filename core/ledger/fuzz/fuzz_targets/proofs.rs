//! Proofs from a stranger about a log that is known: only the true ones are believed, whatever the sizes.
#![no_main]
use libfuzzer_sys::fuzz_target;
use subrosa_ledger::tree::{
    Frontier, MemoryNodes, consistency_nodes, consistency_proof, inclusion_nodes, inclusion_proof,
    leaf_hash, verify_consistency, verify_inclusion,
};
use subrosa_ledger::{MapProof, map::OtherLeaf, verify_map};
use subrosa_model::Hash32;

fuzz_target!(
    |input: (u8, u64, u64, Vec<[u8; 32]>, Option<([u8; 32], [u8; 32])>)| {
        let (size, a, b, hashes, other) = input;
        let proof: Vec<Hash32> = hashes.into_iter().map(Hash32).collect();
        let (mut edge, mut nodes, size) = (Frontier::new(), MemoryNodes::new(), u64::from(size));
        for n in 0..size {
            nodes.extend(edge.append(leaf_hash(&n.to_be_bytes())));
        }
        let leaf = leaf_hash(&a.to_be_bytes());
        if verify_inclusion(&leaf, a, size, &proof, &edge.root()).is_ok() {
            assert_eq!(inclusion_proof(&nodes, a, size).as_deref(), Ok(&proof[..]));
        }
        let _ = verify_inclusion(&leaf, a, b, &proof, &edge.root());
        let _ = verify_consistency(a, &leaf, b, &edge.root(), &proof);
        let _ = (inclusion_nodes(a, b), consistency_nodes(a, b));
        if let (Ok(true_proof), Ok(old)) = (
            consistency_proof(&nodes, a, size),
            Frontier::from_source(&nodes, a),
        ) {
            let verdict = verify_consistency(a, &old.root(), size, &edge.root(), &proof);
            assert_eq!(verdict.is_ok(), proof == true_proof);
        }
        let other = other.map(|(key, value)| OtherLeaf {
            key: Hash32(key),
            value: Hash32(value),
        });
        let proof = MapProof {
            siblings: proof,
            other,
        };
        for value in [None, Some(&leaf)] {
            assert!(
                verify_map(&edge.root(), &leaf, value, &proof).is_err(),
                "a root of the log is no root of the map"
            );
        }
    }
);
