//! Tiles and bundles from a stranger: no panic, and a bundle that is accepted is written back the same.
#![no_main]
use libfuzzer_sys::fuzz_target;
use subrosa_ledger::tiles::{Tile, TileKind, TileSet, parse_bundle, tile_of, write_bundle};
use subrosa_ledger::tree::NodeSource;

fuzz_target!(|input: (u8, u64, u16, u64, Vec<u8>)| {
    let (level, index, width, size, content) = input;
    if let Ok(entries) = parse_bundle(&content, width) {
        if entries.len() <= 256 {
            assert_eq!(write_bundle(&entries).unwrap(), content);
        }
    }
    let mut set = TileSet::new();
    if let Ok(tile) = Tile::new(TileKind::Hashes(level), index, width) {
        assert_eq!(tile.to_string().parse::<Tile>(), Ok(tile));
        let _ = set.insert(&tile, &content);
        set.insert(&tile, &vec![7; usize::from(width) * 32])
            .unwrap();
        let (tree_level, first) = tile.nodes().next().unwrap();
        assert!(set.node(tree_level, first).is_some());
    }
    let _ = set.node(level, index);
    let _ = tile_of(level, index, size);
});
