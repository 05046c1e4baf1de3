use super::{HEIGHT, TOP, Tile, TileError, TileKind, WIDTH};
use crate::tree::{NodeSource, node_hash};
use std::collections::HashMap;
use subrosa_model::Hash32;

/// The content of a tile of hashes: its nodes' hashes one after the other, 32 bytes each.
///
/// # Errors
/// [`TileError::MissingNode`] when the source lacks one of [`Tile::nodes`]; [`TileError::Path`] for a tile of entries.
pub fn write_tile(source: &impl NodeSource, tile: &Tile) -> Result<Vec<u8>, TileError> {
    if tile.kind() == TileKind::Entries {
        return Err(TileError::Path);
    }
    let mut content = Vec::with_capacity(usize::from(tile.width()) * Hash32::LEN);
    for (level, index) in tile.nodes() {
        content.extend_from_slice(
            source
                .node(level, index)
                .ok_or(TileError::MissingNode)?
                .as_bytes(),
        );
    }
    Ok(content)
}

/// The tile that holds (or from which follows) the complete node at `(level, index)` in a tree of `size` leaves; `None` when that tree has no such node.
pub fn tile_of(level: u8, index: u64, size: u64) -> Option<Tile> {
    let (row, inside) = (u32::from(level) / HEIGHT, u32::from(level) % HEIGHT);
    let row = u8::try_from(row).ok().filter(|row| *row <= TOP)?;
    let end = index.checked_add(1)?.checked_mul(1 << inside)?;
    let filled = size >> (HEIGHT * u32::from(row));
    if end > filled {
        return None;
    }
    let place = (index << inside) / WIDTH;
    let width = (filled - place * WIDTH).min(WIDTH) as u16;
    Tile::new(TileKind::Hashes(row), place, width).ok()
}

/// Tiles of hashes that were fetched, as a source of nodes: the levels between those of the tiles are computed.
#[derive(Debug, Clone, Default)]
pub struct TileSet(HashMap<(u8, u64), Vec<Hash32>>);

impl TileSet {
    /// Holds nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps a tile. Of two widths of one tile the wider stays.
    ///
    /// # Errors
    /// [`TileError::Length`] when the content is not 32 bytes for each of its places; [`TileError::Path`] for a tile of entries.
    pub fn insert(&mut self, tile: &Tile, content: &[u8]) -> Result<(), TileError> {
        let TileKind::Hashes(row) = tile.kind() else {
            return Err(TileError::Path);
        };
        if content.len() != usize::from(tile.width()) * Hash32::LEN {
            return Err(TileError::Length);
        }
        let hashes: Vec<_> = content
            .chunks_exact(Hash32::LEN)
            .filter_map(Hash32::from_slice)
            .collect();
        let held = self.0.entry((row, tile.index())).or_default();
        if hashes.len() > held.len() {
            *held = hashes;
        }
        Ok(())
    }
}

impl NodeSource for TileSet {
    fn node(&self, level: u8, index: u64) -> Option<Hash32> {
        let (row, inside) = (level / HEIGHT as u8, u32::from(level) % HEIGHT);
        let start = index.checked_mul(1 << inside)?;
        let first = (start % WIDTH) as usize;
        let held = self.0.get(&(row, start / WIDTH))?;
        let mut hashes = held.get(first..first + (1 << inside))?.to_vec();
        while hashes.len() > 1 {
            hashes = hashes
                .chunks_exact(2)
                .map(|pair| node_hash(&pair[0], &pair[1]))
                .collect();
        }
        hashes.first().copied()
    }
}
