//! C2SP tlog-tiles: the tree and its leaves as static resources, 256 hashes wide, that can be copied, cached and checked by anyone.
//!
//! A tile is not trusted for itself: a proof made from tiles ([`TileSet`] is a [`NodeSource`](crate::NodeSource)) is checked against a signed checkpoint like any other.

mod bundle;
mod set;

pub use bundle::{MAX_ENTRY, parse_bundle, write_bundle};
pub use set::{TileSet, tile_of, write_tile};

use core::fmt;
use core::ops::Range;
use core::str::FromStr;

/// Hashes in a full tile.
pub const WIDTH: u64 = 256;
/// Levels of the tree in one level of tiles.
const HEIGHT: u32 = 8;
/// The highest level of tiles that a tree of 64-bit size has.
const TOP: u8 = 7;

/// Why a tile was not accepted or could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TileError {
    /// Not the path of a tile that a tree of 64-bit size can have, or not in its one canonical form.
    #[error("this is not the path of a tile")]
    Path,
    /// The content does not fit the width in the path.
    #[error("the tile does not have the length that its path says")]
    Length,
    /// An entry longer than 65,535 bytes, or more than 256 in one bundle.
    #[error("an entry is too large for an entry bundle")]
    EntryTooLarge,
    /// A hash that the tile needs is not stored.
    #[error("a stored hash that the tile needs is missing")]
    MissingNode,
}

impl TileError {
    /// A stable name for programs and tests.
    pub fn code(&self) -> &'static str {
        match self {
            TileError::Path => "tile-path",
            TileError::Length => "tile-length",
            TileError::EntryTooLarge => "tile-entry-too-large",
            TileError::MissingNode => "tile-node-missing",
        }
    }
}

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes of complete nodes at level `8 * n` of the tree; `n` is 0 to 7.
    Hashes(u8),
    /// The leaves themselves.
    Entries,
}

/// The name of one tile: what it holds, its place, and how many of its 256 places are filled. `Display` and `FromStr` are the path below the log's prefix, such as
/// `tile/0/x001/234` or `tile/entries/002.p/17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    kind: TileKind,
    index: u64,
    width: u16,
}

impl Tile {
    /// Names a tile.
    ///
    /// # Errors
    /// [`TileError::Path`] when the width is not 1 to 256, or no tree of 64-bit size has a tile there.
    pub fn new(kind: TileKind, index: u64, width: u16) -> Result<Self, TileError> {
        let level = match kind {
            TileKind::Hashes(level) if level > TOP => return Err(TileError::Path),
            TileKind::Hashes(level) => u32::from(level),
            TileKind::Entries => 0,
        };
        let places = u64::MAX >> (HEIGHT * level);
        let filled = index
            .checked_mul(WIDTH)
            .and_then(|n| n.checked_add(u64::from(width)));
        if width == 0 || u64::from(width) > WIDTH || filled.is_none_or(|n| n > places) {
            return Err(TileError::Path);
        }
        Ok(Tile { kind, index, width })
    }

    /// What the tile holds.
    pub fn kind(&self) -> TileKind {
        self.kind
    }
    /// Its place among the tiles of its kind and level.
    pub fn index(&self) -> u64 {
        self.index
    }
    /// How many hashes or entries it has: 1 to 256.
    pub fn width(&self) -> u16 {
        self.width
    }
    /// Whether some of the 256 places are empty.
    pub fn is_partial(&self) -> bool {
        u64::from(self.width) < WIDTH
    }

    /// Which nodes of its level (or leaves) it holds.
    pub fn places(&self) -> Range<u64> {
        let start = self.index * WIDTH;
        start..start + u64::from(self.width)
    }

    /// The complete nodes whose hashes it holds, in order, as `(level, index)`; none for entries.
    pub fn nodes(&self) -> impl Iterator<Item = (u8, u64)> {
        let level = match self.kind {
            TileKind::Hashes(level) => Some(level * HEIGHT as u8),
            TileKind::Entries => None,
        };
        let places = self.places();
        level
            .into_iter()
            .flat_map(move |level| places.clone().map(move |index| (level, index)))
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes(level) => write!(f, "tile/{level}")?,
            TileKind::Entries => write!(f, "tile/entries")?,
        }
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for group in groups.iter().skip(1).rev() {
            write!(f, "/x{group:03}")?;
        }
        write!(f, "/{:03}", groups[0])?;
        if self.is_partial() {
            write!(f, ".p/{}", self.width)
        } else {
            Ok(())
        }
    }
}

impl FromStr for Tile {
    type Err = TileError;
    fn from_str(path: &str) -> Result<Self, TileError> {
        Self::read(path)
            .filter(|tile| tile.to_string() == path)
            .ok_or(TileError::Path)
    }
}

impl Tile {
    /// Reads a path leniently; the caller compares it with the canonical one.
    fn read(path: &str) -> Option<Self> {
        // The longest index has seven groups of three digits.
        if path.len() > 64 {
            return None;
        }
        let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes(level.parse().ok()?),
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, width.parse().ok()?),
            None => (rest, WIDTH as u16),
        };
        let mut number = 0u64;
        for group in index.split('/') {
            let group: u64 = group.trim_start_matches('x').parse().ok()?;
            number = number.checked_mul(1000)?.checked_add(group)?;
        }
        Tile::new(kind, number, width).ok()
    }
}

/// The tiles of hashes and of entries that a log must write when it grows from `old` to `new` leaves, partial ones included, entries first. Everything a log of `new` leaves
/// has is `tiles_between(0, new)`.
pub fn tiles_between(old: u64, new: u64) -> impl Iterator<Item = Tile> {
    let kinds = core::iter::once(TileKind::Entries).chain((0..=TOP).map(TileKind::Hashes));
    kinds.flat_map(move |kind| {
        let shift = match kind {
            TileKind::Hashes(level) => HEIGHT * u32::from(level),
            TileKind::Entries => 0,
        };
        let (old, new) = (old >> shift, new >> shift);
        let indices = if new > old {
            old / WIDTH..new.div_ceil(WIDTH)
        } else {
            0..0
        };
        indices.filter_map(move |index| {
            let width = (new - index * WIDTH).min(WIDTH) as u16;
            Tile::new(kind, index, width).ok()
        })
    })
}
