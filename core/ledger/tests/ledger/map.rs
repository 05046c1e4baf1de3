use proptest::prelude::*;
use std::collections::BTreeMap;
use subrosa_crypto::sha256;
use subrosa_ledger::map::{EMPTY, OtherLeaf};
use subrosa_ledger::{ChartMap, MapProof, ProofError, verify_map};
use subrosa_model::Hash32;

fn key(n: u64) -> Hash32 {
    sha256(&[b"key", &n.to_be_bytes()])
}

fn value(n: u64) -> Hash32 {
    sha256(&[b"value", &n.to_be_bytes()])
}

fn map_of(n: u64) -> ChartMap {
    (0..n).map(|i| (key(i), value(i))).collect()
}

/// A key whose first bits are given and whose other bits are all alike.
fn key_starting(bits: &str, rest: u8) -> Hash32 {
    let mut key = Hash32([rest; 32]);
    for (i, bit) in bits.bytes().enumerate() {
        let mask = 0x80 >> (i % 8);
        if bit == b'1' {
            key.0[i / 8] |= mask
        } else {
            key.0[i / 8] &= !mask
        }
    }
    key
}

fn inner(left: Hash32, right: Hash32) -> Hash32 {
    sha256(&[&[3], &left.0, &right.0])
}

fn leaf(key: Hash32, value: Hash32) -> Hash32 {
    sha256(&[&[2], &key.0, &value.0])
}

#[test]
fn the_empty_map_has_the_zero_root_and_proves_every_absence() {
    let map = ChartMap::new();
    assert_eq!(map.root(), EMPTY);
    assert!(verify_map(&EMPTY, &key(1), None, &map.prove(&key(1))).is_ok());
    assert!(verify_map(&EMPTY, &key(1), Some(&value(1)), &map.prove(&key(1))).is_err());
}

#[test]
fn roots_are_those_worked_out_by_hand_from_the_definition() {
    let (a, b, c) = (
        key_starting("000", 0),
        key_starting("001", 0xff),
        key_starting("1", 0),
    );
    let (va, vb, vc) = (value(1), value(2), value(3));
    let one: ChartMap = [(a, va)].into_iter().collect();
    assert_eq!(one.root(), leaf(a, va));
    let two: ChartMap = [(a, va), (b, vb)].into_iter().collect();
    let pair = inner(leaf(a, va), leaf(b, vb));
    assert_eq!(two.root(), inner(inner(pair, EMPTY), EMPTY));
    let three: ChartMap = [(c, vc), (b, vb), (a, va)].into_iter().collect();
    assert_eq!(three.root(), inner(inner(pair, EMPTY), leaf(c, vc)));
}

#[test]
fn two_keys_that_differ_in_their_last_bit_only_are_told_apart() {
    let (a, mut b) = (key(1), key(1));
    b.0[31] ^= 1;
    let map: ChartMap = [(a, value(1)), (b, value(2))].into_iter().collect();
    let proof = map.prove(&a);
    assert_eq!(proof.siblings.len(), 256);
    assert!(verify_map(&map.root(), &a, Some(&value(1)), &proof).is_ok());
    assert!(verify_map(&map.root(), &b, Some(&value(1)), &proof).is_err());
    assert!(verify_map(&map.root(), &b, Some(&value(2)), &map.prove(&b)).is_ok());
}

#[test]
fn an_older_state_that_was_kept_still_proves_what_it_held() {
    let mut map = map_of(100);
    let (before, root) = (map.clone(), map.root());
    assert_eq!(map.insert(key(5), value(500)), Some(value(5)));
    assert_eq!(map.insert(key(100), value(100)), None);
    assert_eq!((before.root(), before.len(), map.len()), (root, 100, 101));
    assert!(verify_map(&root, &key(5), Some(&value(5)), &before.prove(&key(5))).is_ok());
    assert!(verify_map(&root, &key(5), Some(&value(5)), &map.prove(&key(5))).is_err());
    assert!(verify_map(&map.root(), &key(5), Some(&value(500)), &map.prove(&key(5))).is_ok());
}

#[test]
fn absence_cannot_be_shown_with_a_leaf_from_elsewhere() {
    let map = map_of(1000);
    let present = key(3);
    let proof = map.prove(&present);
    let honest_end = OtherLeaf {
        key: present,
        value: value(3),
    };
    let claim = |other| {
        verify_map(
            &map.root(),
            &present,
            None,
            &MapProof {
                siblings: proof.siblings.clone(),
                other,
            },
        )
    };
    assert_eq!(claim(Some(honest_end)), Err(ProofError::WrongPath));
    assert_eq!(
        claim(Some(OtherLeaf {
            key: key(4),
            value: value(4)
        })),
        Err(ProofError::WrongPath)
    );
    assert_eq!(claim(None), Err(ProofError::Root));
    // The path of another key does not help either.
    for other in (0..50).filter(|n| *n != 3) {
        assert!(verify_map(&map.root(), &present, None, &map.prove(&key(other))).is_err());
    }
}

#[test]
fn a_node_of_the_log_is_no_node_of_the_map() {
    let (l, r) = (value(1), value(2));
    assert_ne!(subrosa_ledger::node_hash(&l, &r), inner(l, r));
    assert_ne!(subrosa_ledger::leaf_hash(&[l.0, r.0].concat()), leaf(l, r));
}

#[test]
fn the_map_of_a_practice_with_33_000_charts_is_built_within_a_second() {
    let pairs: Vec<_> = (0..33_000).map(|i| (key(i), value(i))).collect();
    let start = std::time::Instant::now();
    let map: ChartMap = pairs.iter().copied().collect();
    let took = start.elapsed();
    println!(
        "33,000 keys in {took:?}; the longest path of 1,000 is {:?}",
        { (0..1000).map(|n| map.prove(&key(n)).siblings.len()).max() }
    );
    assert_eq!(map.len(), 33_000);
    // Twice the promise, so that a busy machine does not fail the test.
    assert!(took.as_secs_f32() < 2.0, "{took:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_map_does_not_depend_on_the_order_of_its_history(writes in prop::collection::vec((0u64..40, any::<u64>()), 0..120)) {
        let mut last = BTreeMap::new();
        let mut map = ChartMap::new();
        for (k, v) in &writes {
            prop_assert_eq!(map.insert(key(*k), value(*v)), last.insert(key(*k), value(*v)));
        }
        let again: ChartMap = last.iter().rev().map(|(k, v)| (*k, *v)).collect();
        prop_assert_eq!(map.root(), again.root());
        prop_assert_eq!(map.pairs(), last.iter().map(|(k, v)| (*k, *v)).collect::<Vec<_>>());
        prop_assert_eq!(map.len(), last.len());
        for k in 0..40 {
            prop_assert_eq!(map.get(&key(k)), last.get(&key(k)).copied());
        }
    }

    #[test]
    fn what_is_held_and_what_is_not_are_both_proven_and_no_lie_is(n in 0u64..300, k in 0u64..400, bit in 0usize..256) {
        let map = map_of(n);
        let (root, key, proof) = (map.root(), key(k), map.prove(&key(k)));
        let truth = map.get(&key);
        prop_assert_eq!(truth.is_some(), k < n);
        prop_assert!(verify_map(&root, &key, truth.as_ref(), &proof).is_ok());

        let (lie, mut wrong_root) = (if truth.is_some() { None } else { Some(value(k)) }, root);
        prop_assert!(verify_map(&root, &key, lie.as_ref(), &proof).is_err());
        prop_assert!(verify_map(&root, &key, Some(&value(k + 1)), &proof).is_err());
        wrong_root.0[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(verify_map(&wrong_root, &key, truth.as_ref(), &proof).is_err());
        for i in 0..proof.siblings.len() {
            let mut changed = proof.clone();
            changed.siblings[i].0[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(verify_map(&root, &key, truth.as_ref(), &changed).is_err());
            changed = proof.clone();
            changed.siblings.remove(i);
            prop_assert!(verify_map(&root, &key, truth.as_ref(), &changed).is_err());
            changed = proof.clone();
            changed.siblings.insert(i, EMPTY);
            prop_assert!(verify_map(&root, &key, truth.as_ref(), &changed).is_err());
        }
        if let Some(other) = proof.other {
            let mut changed = proof.clone();
            changed.other = Some(OtherLeaf { value: value(k + 7000), ..other });
            prop_assert!(verify_map(&root, &key, None, &changed).is_err());
            changed.other = None;
            prop_assert!(verify_map(&root, &key, None, &changed).is_err());
        }
        let text = serde_json::to_string(&proof).unwrap();
        prop_assert_eq!(serde_json::from_str::<MapProof>(&text).unwrap(), proof);
    }
}

#[test]
fn a_proof_deeper_than_a_key_is_long_is_refused() {
    let proof = MapProof {
        siblings: vec![EMPTY; 257],
        other: None,
    };
    assert_eq!(
        verify_map(&EMPTY, &key(1), None, &proof),
        Err(ProofError::Length)
    );
}
