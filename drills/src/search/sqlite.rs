//! Reads the values of a SQLite file as it lies, page by page: a value longer than a page lies in pieces with other things between them.
//!
//! Works on a copy of the bytes, without a database engine: deleted databases, torn files and pages that exist only in the write-ahead log are read too.
//! Source: "Database File Format", sqlite.org.

use std::collections::HashMap;

const HEADER: &[u8] = b"SQLite format 3\0";
/// Longest chain of overflow pages followed.
const LONGEST_CHAIN: usize = 1 << 20;

struct Pages<'a> {
    size: usize,
    usable: usize,
    main: HashMap<u32, &'a [u8]>,
    newest: HashMap<u32, &'a [u8]>,
}

fn be16(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// A varint and its length.
fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (i, &b) in bytes.iter().take(9).enumerate() {
        if i == 8 {
            return Some((value << 8 | u64::from(b), 9));
        }
        value = value << 7 | u64::from(b & 0x7f);
        if b & 0x80 == 0 {
            return Some((value, i + 1));
        }
    }
    None
}

/// Whether these bytes begin like a SQLite database.
pub fn is_database(bytes: &[u8]) -> bool {
    bytes.starts_with(HEADER)
}

/// Whether these bytes begin like a SQLite write-ahead log.
pub fn is_wal(bytes: &[u8]) -> bool {
    matches!(be32(bytes, 0), Some(0x377f_0682 | 0x377f_0683))
}

/// Calls `take` with every text and blob value of every table and index page, in the database and in the log's frames.
pub fn values(main: &[u8], wal: Option<&[u8]>, take: &mut dyn FnMut(&[u8])) {
    let wal = wal.filter(|w| is_wal(w));
    let size = match (is_database(main), wal) {
        (true, _) => be16(main, 16).map(|n| if n == 1 { 65536 } else { n }),
        (false, Some(wal)) => be32(wal, 8).map(|n| n as usize),
        (false, None) => None,
    };
    let Some(size) = size.filter(|n| n.is_power_of_two() && (512..=65536).contains(n)) else { return };
    let reserved = if is_database(main) { main.get(20).copied().map_or(0, usize::from) } else { 0 };
    let mut pages = Pages { size, usable: size - reserved.min(size / 2), main: HashMap::new(), newest: HashMap::new() };
    let number = |i: usize| u32::try_from(i + 1).unwrap_or(u32::MAX);
    pages.main = main.chunks_exact(size).enumerate().map(|(i, page)| (number(i), page)).collect();
    let frames: Vec<(u32, &[u8])> = wal
        .and_then(|wal| wal.get(32..))
        .map(|frames| frames.chunks_exact(size + 24).filter_map(|frame| Some((be32(frame, 0)?, frame.get(24..)?))).collect())
        .unwrap_or_default();
    pages.newest = frames.iter().copied().collect();
    for (i, page) in main.chunks_exact(size).enumerate() {
        pages.leaf(number(i), page, take);
    }
    for (number, page) in frames {
        pages.leaf(number, page, take);
    }
}

impl Pages<'_> {
    fn leaf(&self, number: u32, page: &[u8], take: &mut dyn FnMut(&[u8])) {
        let head = if number == 1 { 100 } else { 0 };
        let (table, most) = match page.get(head) {
            Some(0x0d) => (true, self.usable - 35),
            Some(0x0a) => (false, (self.usable - 12) * 64 / 255 - 23),
            _ => return,
        };
        let cells = be16(page, head + 3).unwrap_or(0).min(self.size / 2);
        for i in 0..cells {
            let _ = be16(page, head + 8 + 2 * i).and_then(|at| self.cell(page.get(at..)?, table, most, take));
        }
    }

    fn cell(&self, cell: &[u8], table: bool, most: usize, take: &mut dyn FnMut(&[u8])) -> Option<()> {
        let (length, mut at) = varint(cell)?;
        let length = usize::try_from(length).ok().filter(|n| *n <= 1 << 31)?;
        if table {
            at += varint(cell.get(at..)?)?.1;
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let here = match length {
            n if n <= most => n,
            n => {
                let fits = least + (n - least) % (self.usable - 4);
                if fits <= most { fits } else { least }
            }
        };
        let local = cell.get(at..at + here)?;
        if here == length {
            return record(local, take);
        }
        let first = be32(cell, at + here)?;
        for newest in [true, false] {
            let mut payload = local.to_vec();
            let mut next = first;
            for _ in 0..LONGEST_CHAIN {
                let page = if newest { self.newest.get(&next).or_else(|| self.main.get(&next)) } else { self.main.get(&next) };
                let Some(page) = page.filter(|_| payload.len() < length) else { break };
                let part = (length - payload.len()).min(self.usable - 4);
                payload.extend_from_slice(page.get(4..4 + part).unwrap_or_default());
                next = be32(page, 0)?;
            }
            let _ = record(&payload, take);
            if self.newest.is_empty() {
                break;
            }
        }
        Some(())
    }
}

/// The text and blob values of a record.
fn record(payload: &[u8], take: &mut dyn FnMut(&[u8])) -> Option<()> {
    let (header, mut at) = varint(payload)?;
    let header = usize::try_from(header).ok()?;
    let mut value = header;
    while at < header {
        let (kind, used) = varint(payload.get(at..)?)?;
        at += used;
        let length = match kind {
            0..=4 => kind as usize,
            5 => 6,
            6 | 7 => 8,
            8..=11 => 0,
            n => usize::try_from((n - 12) / 2).ok()?,
        };
        let end = value.checked_add(length)?.min(payload.len());
        if kind >= 12 && length >= 8 {
            take(payload.get(value..end)?);
        }
        value = end;
    }
    Some(())
}
