use crate::common::{Log, leaf};
use proptest::prelude::*;
use subrosa_ledger::tree::*;
use subrosa_model::Hash32;

fn flipped(hash: &Hash32, bit: usize) -> Hash32 {
    let mut changed = *hash;
    changed.0[bit / 8 % 32] ^= 1 << (bit % 8);
    changed
}

/// Every proof that is the given one with a small lie in it.
fn lies(proof: &[Hash32], bit: usize) -> Vec<Vec<Hash32>> {
    let mut lies = Vec::new();
    for i in 0..proof.len() {
        let mut one = proof.to_vec();
        one[i] = flipped(&one[i], bit);
        lies.push(one);
        let mut short = proof.to_vec();
        short.remove(i);
        lies.push(short);
        let mut doubled = proof.to_vec();
        doubled.insert(i, proof[i]);
        lies.push(doubled);
        if i > 0 {
            let mut swapped = proof.to_vec();
            swapped.swap(i - 1, i);
            lies.push(swapped);
        }
    }
    lies.push([proof, &[Hash32([0; 32])]].concat());
    lies.push([&[Hash32([0; 32])], proof].concat());
    lies
}

#[test]
fn every_leaf_of_every_small_tree_is_proven_with_just_the_nodes_that_were_asked_for() {
    let log = Log::of(70);
    for size in 1..=70 {
        for index in 0..size {
            let asked = inclusion_nodes(index, size).unwrap();
            let fetched: MemoryNodes = asked
                .iter()
                .map(|&(level, i)| (level, i, log.nodes.node(level, i).unwrap()))
                .collect();
            assert_eq!(fetched.len(), asked.len(), "asked for twice");
            let proof = inclusion_proof(&fetched, index, size).unwrap();
            verify_inclusion(
                &leaf_hash(&leaf(index)),
                index,
                size,
                &proof,
                &log.roots[size as usize],
            )
            .unwrap();
        }
    }
}

#[test]
fn every_small_tree_is_shown_to_extend_every_smaller_one() {
    let log = Log::of(70);
    for new in 0..=70u64 {
        for old in 0..=new {
            let asked = consistency_nodes(old, new).unwrap();
            let fetched: MemoryNodes = asked
                .iter()
                .map(|&(level, i)| (level, i, log.nodes.node(level, i).unwrap()))
                .collect();
            let proof = consistency_proof(&fetched, old, new).unwrap();
            let (was, is) = (log.roots[old as usize], log.roots[new as usize]);
            verify_consistency(old, &was, new, &is, &proof).unwrap();
        }
    }
}

#[test]
fn the_edge_can_be_rebuilt_from_stored_nodes_at_any_size() {
    let log = Log::of(70);
    let mut edge = Frontier::new();
    for size in 0..70u64 {
        assert_eq!(Frontier::from_source(&log.nodes, size).unwrap(), edge);
        assert_eq!(root_at(&log.nodes, size).unwrap(), log.roots[size as usize]);
        edge.append(leaf_hash(&leaf(size)));
    }
}

#[test]
fn an_edge_that_does_not_fit_its_size_is_not_read_back() {
    let edge = Log::of(6).frontier;
    let text = serde_json::to_string(&edge).unwrap();
    assert_eq!(serde_json::from_str::<Frontier>(&text).unwrap(), edge);
    assert!(serde_json::from_str::<Frontier>(&text.replace("\"size\":6", "\"size\":7")).is_err());
    assert_eq!(
        Frontier::from_parts(1 << 63, vec![Hash32([1; 32])]),
        Err(ProofError::Frontier)
    );
}

#[test]
fn a_missing_node_is_named_and_not_guessed() {
    let log = Log::of(5);
    let held: MemoryNodes = [(0, 1, log.nodes.node(0, 1).unwrap())]
        .into_iter()
        .collect();
    assert_eq!(
        inclusion_proof(&held, 0, 5),
        Err(ProofError::MissingNode { level: 1, index: 1 })
    );
}

#[test]
fn questions_about_what_is_not_there_are_refused() {
    let log = Log::of(5);
    assert_eq!(
        inclusion_proof(&log.nodes, 5, 5),
        Err(ProofError::NoSuchLeaf { index: 5, size: 5 })
    );
    assert_eq!(
        inclusion_nodes(0, 0),
        Err(ProofError::NoSuchLeaf { index: 0, size: 0 })
    );
    assert_eq!(
        consistency_nodes(6, 5),
        Err(ProofError::SizeOrder { old: 6, new: 5 })
    );
}

#[test]
fn only_the_true_empty_root_is_extended_by_everything() {
    let log = Log::of(3);
    assert!(verify_consistency(0, &empty_root(), 3, &log.roots[3], &[]).is_ok());
    assert!(verify_consistency(0, &log.roots[1], 3, &log.roots[3], &[]).is_err());
    assert!(verify_consistency(0, &empty_root(), 0, &log.roots[1], &[]).is_err());
    assert!(verify_consistency(0, &log.roots[1], 0, &log.roots[1], &[]).is_err());
    assert!(verify_consistency(0, &empty_root(), 3, &log.roots[3], &[log.roots[1]]).is_err());
}

#[test]
fn sizes_at_the_end_of_64_bits_neither_overflow_nor_hang() {
    let hash = Hash32([5; 32]);
    for size in [u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) + 1] {
        assert!(inclusion_nodes(size - 1, size).unwrap().len() <= 64);
        assert!(inclusion_nodes(0, size).unwrap().len() <= 64 * 64);
        assert!(consistency_nodes(size - 1, size).unwrap().len() <= 64);
        for length in [0, 1, 63, 64, 65, 1000] {
            let proof = vec![hash; length];
            assert!(verify_inclusion(&hash, size - 1, size, &proof, &hash).is_err());
            assert!(verify_inclusion(&hash, 0, size, &proof, &hash).is_err());
            assert!(verify_consistency(size / 2 + 1, &hash, size, &hash, &proof).is_err());
            assert!(verify_consistency(1, &hash, size, &hash, &proof).is_err());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_lie_about_inclusion_is_believed(size in 1u64..600, at in any::<u64>(), other in any::<u64>(), bit in 0usize..256) {
        let (log, index) = (Log::of(size), at % size);
        let (hash, root) = (leaf_hash(&leaf(index)), log.roots[size as usize]);
        let proof = inclusion_proof(&log.nodes, index, size).unwrap();
        prop_assert!(verify_inclusion(&hash, index, size, &proof, &root).is_ok());

        for lie in lies(&proof, bit) {
            prop_assert!(verify_inclusion(&hash, index, size, &lie, &root).is_err());
        }
        prop_assert!(verify_inclusion(&flipped(&hash, bit), index, size, &proof, &root).is_err());
        prop_assert!(verify_inclusion(&hash, index, size, &proof, &flipped(&root, bit)).is_err());
        let elsewhere = other % size;
        if elsewhere != index {
            prop_assert!(verify_inclusion(&hash, elsewhere, size, &proof, &root).is_err());
        }
        // A checkpoint of another size has another root: the proof is not carried over.
        let shrunk = 1 + other % size;
        if shrunk != size {
            let root = log.roots[shrunk as usize];
            prop_assert!(verify_inclusion(&hash, index, shrunk, &proof, &root).is_err());
            prop_assert!(verify_inclusion(&hash, index, size, &proof, &root).is_err());
        }
        prop_assert!(verify_inclusion(&hash, index + size, size, &proof, &root).is_err());
    }

    #[test]
    fn no_lie_about_consistency_is_believed(new in 2u64..600, at in any::<u64>(), other in any::<u64>(), bit in 0usize..256) {
        let log = Log::of(new);
        let old = 1 + at % (new - 1);
        let (was, is) = (log.roots[old as usize], log.roots[new as usize]);
        let proof = consistency_proof(&log.nodes, old, new).unwrap();
        prop_assert!(verify_consistency(old, &was, new, &is, &proof).is_ok());

        for lie in lies(&proof, bit) {
            prop_assert!(verify_consistency(old, &was, new, &is, &lie).is_err());
        }
        prop_assert!(verify_consistency(old, &flipped(&was, bit), new, &is, &proof).is_err());
        prop_assert!(verify_consistency(old, &was, new, &flipped(&is, bit), &proof).is_err());
        prop_assert!(verify_consistency(new, &is, old, &was, &proof).is_err());
        let elsewhere = 1 + other % (new - 1);
        if elsewhere != old {
            let root = log.roots[elsewhere as usize];
            prop_assert!(verify_consistency(old, &root, new, &is, &proof).is_err());
            prop_assert!(verify_consistency(elsewhere, &root, new, &is, &proof).is_err());
        }
    }

    #[test]
    fn a_log_that_changed_one_old_leaf_cannot_show_that_it_only_grew(new in 2u64..300, at in any::<u64>(), changed in any::<u64>()) {
        let old = 1 + at % (new - 1);
        let changed = changed % old;
        let honest = Log::of(old);
        let forged = Log::of_leaves((0..new).map(|n| if n == changed { b"another story".to_vec() } else { leaf(n) }));
        let proof = consistency_proof(&forged.nodes, old, new).unwrap();
        prop_assert!(verify_consistency(old, &honest.roots[old as usize], new, &forged.roots[new as usize], &proof).is_err());
    }
}
