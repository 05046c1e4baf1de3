use crate::common::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use subrosa_ledger::tiles::*;
use subrosa_ledger::tree::*;

#[test]
fn paths_are_those_of_the_specification() {
    let cases = [
        ("tile/0/x001/x234/067", TileKind::Hashes(0), 1_234_067, 256),
        ("tile/2/000.p/1", TileKind::Hashes(2), 0, 1),
        (
            "tile/entries/x273/001.p/112",
            TileKind::Entries,
            273_001,
            112,
        ),
    ];
    for (path, kind, index, width) in cases {
        let tile = Tile::new(kind, index, width).unwrap();
        assert_eq!(tile.to_string(), path);
        assert_eq!(path.parse::<Tile>().unwrap(), tile);
    }
}

#[test]
fn other_spellings_of_a_path_are_refused() {
    for path in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/00/001",
        "tile/+0/001",
        "tile/8/000",
        "tile/63/000",
        "tile/64/000",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/257",
        "tile/0/001.p/01",
        "tile/0/001.p/",
        "/tile/0/001",
        "tile/0/001/",
        "tile/0/xx01/001",
        "tile/data/001",
        "tile/0/..",
        "tile/0/x001",
        "tile/entries/-01",
        "tile/7/001",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert_eq!(path.parse::<Tile>(), Err(TileError::Path), "{path:?}");
    }
}

#[test]
fn seventy_thousand_leaves_have_the_tiles_of_the_specification() {
    let count = |kind, partial| {
        tiles_between(0, 70_000)
            .filter(|t| t.kind() == kind && t.is_partial() == partial)
            .collect::<Vec<_>>()
    };
    assert_eq!(count(TileKind::Hashes(0), false).len(), 273);
    assert_eq!(count(TileKind::Hashes(0), true)[0].width(), 112);
    assert_eq!(count(TileKind::Hashes(1), false).len(), 1);
    assert_eq!(count(TileKind::Hashes(1), true)[0].width(), 17);
    assert_eq!(count(TileKind::Hashes(2), true)[0].width(), 1);
    assert_eq!(count(TileKind::Entries, false).len(), 273);
    assert_eq!(
        tiles_between(0, 256)
            .map(|t| t.to_string())
            .collect::<Vec<_>>(),
        ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]
    );
    assert_eq!(tiles_between(300, 300).count(), 0);
    assert_eq!(tiles_between(300, 200).count(), 0);
}

/// Everything that proofs about this tree need, fetched as tiles.
fn fetch(log: &Log, wanted: impl IntoIterator<Item = NodeAt>, size: u64) -> TileSet {
    let tiles: BTreeSet<Tile> = wanted
        .into_iter()
        .map(|(level, index)| tile_of(level, index, size).unwrap())
        .collect();
    let mut set = TileSet::new();
    for tile in tiles {
        set.insert(&tile, &write_tile(&log.nodes, &tile).unwrap())
            .unwrap();
    }
    set
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn proofs_made_from_tiles_are_the_same(size in 1u64..2000, at in any::<u64>(), was in any::<u64>()) {
        let log = Log::of(size);
        let (index, old) = (at % size, 1 + was % size);
        let set = fetch(&log, inclusion_nodes(index, size).unwrap(), size);
        prop_assert_eq!(inclusion_proof(&set, index, size), inclusion_proof(&log.nodes, index, size));
        let set = fetch(&log, consistency_nodes(old, size).unwrap(), size);
        prop_assert_eq!(consistency_proof(&set, old, size), consistency_proof(&log.nodes, old, size));
        let set = fetch(&log, root_nodes(size), size);
        prop_assert_eq!(root_at(&set, size), Ok(log.roots[size as usize]));
    }

    #[test]
    fn growing_in_steps_writes_every_tile_that_growing_at_once_does(steps in prop::collection::vec(1u64..700, 1..6)) {
        let (mut size, mut written) = (0, BTreeSet::new());
        for step in steps {
            written.extend(tiles_between(size, size + step));
            size += step;
        }
        for tile in tiles_between(0, size) {
            prop_assert!(written.contains(&tile), "{}", tile);
        }
    }

    #[test]
    fn every_path_is_read_back(level in 0u8..7, index in any::<u64>(), width in 1u16..=256, entries in any::<bool>()) {
        let kind = if entries { TileKind::Entries } else { TileKind::Hashes(level) };
        if let Ok(tile) = Tile::new(kind, index, width) {
            prop_assert_eq!(tile.to_string().parse::<Tile>(), Ok(tile));
            prop_assert_eq!(tile.places().count(), usize::from(width));
        }
    }

    #[test]
    fn bundles_hold_their_entries_and_no_more(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..=256), cut in any::<prop::sample::Index>()) {
        let content = write_bundle(&entries).unwrap();
        let width = entries.len() as u16;
        let read = parse_bundle(&content, width).unwrap();
        prop_assert!(read.iter().zip(&entries).all(|(a, b)| a == b));
        prop_assert!(parse_bundle(&content, width + 1).is_err());
        prop_assert!(parse_bundle(&content, width - 1).is_err());
        prop_assert!(parse_bundle(&content[..cut.index(content.len())], width).is_err());
    }
}

#[test]
fn a_tile_of_another_length_is_refused_and_a_narrower_one_does_not_replace_a_wider() {
    let log = Log::of(40);
    let (wide, narrow) = (
        Tile::new(TileKind::Hashes(0), 0, 40).unwrap(),
        Tile::new(TileKind::Hashes(0), 0, 8).unwrap(),
    );
    let content = write_tile(&log.nodes, &wide).unwrap();
    let mut set = TileSet::new();
    assert_eq!(set.insert(&wide, &content[1..]), Err(TileError::Length));
    assert_eq!(set.insert(&narrow, &content), Err(TileError::Length));
    set.insert(&wide, &content).unwrap();
    set.insert(&narrow, &content[..8 * 32]).unwrap();
    assert_eq!(set.node(0, 39), log.nodes.node(0, 39));
    assert_eq!(set.node(3, 4), log.nodes.node(3, 4));
    assert_eq!(set.node(3, 5), None);
    assert_eq!(
        (
            set.node(8, 0),
            set.node(255, u64::MAX),
            set.node(7, u64::MAX)
        ),
        (None, None, None)
    );
}

#[test]
fn nodes_that_a_tree_does_not_have_are_in_no_tile() {
    assert_eq!(tile_of(0, 5, 5), None);
    assert_eq!(tile_of(3, 0, 7), None);
    assert_eq!(tile_of(200, 0, u64::MAX), None);
    assert_eq!(tile_of(0, u64::MAX, u64::MAX), None);
    assert_eq!(tile_of(9, 0, 512).unwrap().to_string(), "tile/1/000.p/2");
}

#[test]
fn what_is_too_large_for_a_bundle_is_refused() {
    assert_eq!(
        write_bundle(&[vec![0; MAX_ENTRY + 1]]),
        Err(TileError::EntryTooLarge)
    );
    assert_eq!(
        write_bundle(&vec![[0u8; 1]; 257]),
        Err(TileError::EntryTooLarge)
    );
    assert_eq!(write_bundle::<Vec<u8>>(&[]), Err(TileError::Length));
    assert!(write_bundle(&[vec![0; MAX_ENTRY]]).is_ok());
}
