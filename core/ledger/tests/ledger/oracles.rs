//! Other people's implementations must come to the same result, in both directions.
use crate::common::*;
use base64::Engine as _;
use proptest::prelude::*;
use signed_note::{Note as TheirNote, StandardSigner, StandardVerifier, VerifierList};
use subrosa_ledger::tiles::{Tile, TileKind, tiles_between, write_tile};
use subrosa_ledger::tree::*;
use subrosa_ledger::{Checkpoint, SignedCheckpoint};
use subrosa_model::Hash32;
use tlog_tiles as theirs;

/// Our nodes under the numbering of tlog_tiles.
struct Reader<'a>(&'a MemoryNodes);

impl theirs::HashReader for Reader<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<theirs::Hash>, theirs::Error> {
        let node = |i: &u64| {
            let (level, index) = theirs::split_stored_hash_index(*i);
            theirs::Hash(
                self.0
                    .node(level, index)
                    .expect("they ask only for complete nodes")
                    .0,
            )
        };
        Ok(indexes.iter().map(node).collect())
    }
}

fn ours(hashes: &[theirs::Hash]) -> Vec<Hash32> {
    hashes.iter().map(|h| Hash32(h.0)).collect()
}

fn as_theirs(hashes: &[Hash32]) -> Vec<theirs::Hash> {
    hashes.iter().map(|h| theirs::Hash(h.0)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn tlog_tiles_makes_and_accepts_the_same_proofs(size in 1u64..700, at in any::<u64>(), was in any::<u64>()) {
        let log = Log::of(size);
        let root = theirs::Hash(log.roots[size as usize].0);
        prop_assert_eq!(theirs::tree_hash(size, &Reader(&log.nodes)).unwrap(), root);

        let index = at % size;
        let proof = inclusion_proof(&log.nodes, index, size).unwrap();
        prop_assert_eq!(&ours(&theirs::prove_record(size, index, &Reader(&log.nodes)).unwrap()), &proof);
        theirs::check_record(&as_theirs(&proof), size, root, index, theirs::record_hash(&leaf(index))).unwrap();

        let old = 1 + was % size;
        let proof = consistency_proof(&log.nodes, old, size).unwrap();
        prop_assert_eq!(&ours(&theirs::prove_tree(size, old, &Reader(&log.nodes)).unwrap()), &proof);
        theirs::check_tree(&as_theirs(&proof), size, root, old, theirs::Hash(log.roots[old as usize].0)).unwrap();
    }

    #[test]
    fn ct_merkle_makes_and_accepts_the_same_proofs(size in 1u64..300, at in any::<u64>(), was in any::<u64>()) {
        let log = Log::of(size);
        let mut tree = ct_merkle::mem_backed_tree::MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
        (0..size).for_each(|n| tree.push(leaf(n)));
        let root = tree.root();
        prop_assert_eq!(root.as_bytes().as_slice(), log.roots[size as usize].as_bytes());

        let index = at % size;
        let proof = inclusion_proof(&log.nodes, index, size).unwrap();
        let theirs = tree.prove_inclusion(index as usize);
        prop_assert_eq!(theirs.as_bytes(), &flat(&proof));
        root.verify_inclusion(&leaf(index), index, &theirs).unwrap();

        let old = 1 + was % size;
        let proof = consistency_proof(&log.nodes, old, size).unwrap();
        if old < size {
            let theirs = tree.prove_consistency((size - old) as usize);
            prop_assert_eq!(theirs.as_bytes(), &flat(&proof));
        }
    }

    #[test]
    fn tlog_tiles_names_and_fills_the_same_tiles(old in 0u64..70_000, more in 0u64..2_000) {
        let new = old + more;
        let mut mine: Vec<String> = tiles_between(old, new)
            .filter(|tile| tile.kind() != TileKind::Entries)
            .map(|tile| tile.to_string())
            .collect();
        // Their paths have the height, which C2SP fixes at 8, as an element of its own.
        let mut other: Vec<String> = theirs::Tile::new_tiles(8, old, new)
            .iter()
            .map(|tile| tile.path().replace("tile/8/", "tile/"))
            .collect();
        mine.sort();
        other.sort();
        prop_assert_eq!(mine, other);
    }

    #[test]
    fn tlog_tiles_writes_the_same_path(level in 0u8..5, index in 0u64..10_000_000, width in 1u16..=256) {
        let mine = Tile::new(TileKind::Hashes(level), index, width).unwrap();
        let other = theirs::Tile::new(8, level, index, u32::from(width), false).path();
        prop_assert_eq!(mine.to_string(), other.replace("tile/8/", "tile/"));
    }
}

fn flat(hashes: &[Hash32]) -> Vec<u8> {
    hashes.iter().flat_map(|h| h.0).collect()
}

#[test]
fn tlog_tiles_fills_a_tile_with_the_same_bytes() {
    let log = Log::of(700);
    for (level, index, width) in [(0, 0, 256), (0, 2, 188), (0, 1, 256), (1, 0, 2)] {
        let mine = Tile::new(TileKind::Hashes(level), index, width).unwrap();
        let other = theirs::Tile::new(8, level, index, u32::from(width), false);
        assert_eq!(
            write_tile(&log.nodes, &mine).unwrap(),
            other.read_data(&Reader(&log.nodes)).unwrap()
        );
    }
}

#[test]
fn signed_note_accepts_our_checkpoint_and_tlog_tiles_reads_it() {
    let log = Log::of(5);
    let mut signed = log.checkpoint(5);
    let line = signed
        .cosign(&witness_name(1), &witness_secret(1), NOW)
        .unwrap();
    signed
        .add_cosignatures(&format!("{line}\n"), &[witness_key(1)])
        .unwrap();

    let note = TheirNote::from_bytes(signed.to_string().as_bytes()).unwrap();
    let verifier = StandardVerifier::new(&log_key().to_string()).unwrap();
    let (verified, unknown) = note
        .verify(&VerifierList::new(vec![Box::new(verifier)]))
        .unwrap();
    assert_eq!((verified.len(), unknown.len()), (1, 1));
    assert_eq!(unknown[0].name(), witness_name(1).as_str());
    assert_eq!(unknown[0].id(), witness_key(1).id());

    let read = theirs::Checkpoint::from_bytes(note.text()).unwrap();
    assert_eq!((read.origin(), read.size()), (origin().as_str(), 5));
    assert_eq!(read.hash().0, log.roots[5].0);
    assert_eq!(note.to_bytes(), signed.to_string().into_bytes());
}

#[test]
fn we_accept_a_checkpoint_that_signed_note_signed_and_make_the_same_one() {
    let log = Log::of(9);
    let secret = [&[1u8][..], log_secret().seed().as_slice()].concat();
    let skey = format!(
        "PRIVATE+KEY+{}+{:08x}+{}",
        origin(),
        log_key().id(),
        base64::engine::general_purpose::STANDARD.encode(secret)
    );
    let text = theirs::Checkpoint::new(origin().as_str(), 9, theirs::Hash(log.roots[9].0), "")
        .unwrap()
        .to_bytes();
    let mut note = TheirNote::new(&text, &[]).unwrap();
    note.add_sigs(&[&StandardSigner::new(&skey).unwrap()])
        .unwrap();
    let note = String::from_utf8(note.to_bytes()).unwrap();

    let opened = SignedCheckpoint::open(&note, &[log_key()]).unwrap();
    assert_eq!(
        opened.checkpoint(),
        &Checkpoint {
            origin: origin(),
            size: 9,
            root: log.roots[9]
        }
    );
    assert_eq!(
        log.checkpoint(9).to_string(),
        note,
        "Ed25519 is deterministic"
    );
}
