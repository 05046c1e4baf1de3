//! Finds packed streams anywhere in bytes, and unpacks them within bounds.

use std::io::Read;

use flate2::{Decompress, FlushDecompress, Status};

/// How many layers are unpacked one inside the other.
pub const DEPTH: usize = 3;
/// Most bytes that one stream gives.
const STREAM: usize = 64 << 20;
/// Shortest output worth searching.
const WORTH: usize = 12;
/// Shortest run of base64 or hex digits that is decoded.
const RUN: usize = 40;

/// What may still be unpacked out of one top-level thing: a bound against bombs.
pub struct Budget {
    left: usize,
    inflate: Decompress,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { left: 512 << 20, inflate: Decompress::new(false) }
    }
}

/// What receives each unpacked layer: its kind and bytes.
pub type Take<'a> = &'a mut dyn FnMut(&'static str, &[u8], &mut Budget);

/// Calls `take` with every layer that can be unpacked out of `bytes`.
pub fn each(bytes: &[u8], budget: &mut Budget, take: Take<'_>) {
    marked(bytes, budget, take);
    runs(bytes, budget, take);
    percent(bytes, budget, take);
    // Brotli and bare deflate have no mark: they are tried where something begins.
    starts(bytes, budget, take);
}

fn starts(bytes: &[u8], budget: &mut Budget, take: Take<'_>) {
    let after_headers = bytes.windows(4).enumerate().filter(|(_, w)| *w == b"\r\n\r\n").map(|(at, _)| at + 4);
    for at in std::iter::once(0).chain(after_headers.take(1000)) {
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.len() < 8 {
            continue;
        }
        give("deflate", inflate(rest, false, budget).0, budget, take);
        give("brotli", brotli(rest, budget.left.min(STREAM)), budget, take);
    }
}

fn marked(bytes: &[u8], budget: &mut Budget, take: Take<'_>) {
    let mut at = 0;
    while at + 8 <= bytes.len() && budget.left > 0 {
        let rest = &bytes[at..];
        let (kind, (out, used)) = match [rest[0], rest[1], rest[2], rest[3]] {
            [0x1f, 0x8b, 8, flags] if flags & 0xe0 == 0 => ("gzip", gzip(rest, budget)),
            [0x28, 0xb5, 0x2f, 0xfd] => ("zstd", (zstd(rest, budget.left.min(STREAM)), 0)),
            [b'P', b'K', 3, 4] if rest.len() > 30 && rest[8] == 8 => {
                let skip = 30 + usize::from(u16::from_le_bytes([rest[26], rest[27]])) + usize::from(u16::from_le_bytes([rest[28], rest[29]]));
                ("zip", inflate(rest.get(skip..).unwrap_or_default(), false, budget))
            }
            [first, second, ..] if first & 0x0f == 8 && first >> 4 <= 7 && second & 0x20 == 0 && (u16::from(first) << 8 | u16::from(second)) % 31 == 0 => {
                ("zlib", inflate(rest, true, budget))
            }
            _ => {
                at += 1;
                continue;
            }
        };
        give(kind, out, budget, take);
        at += used.max(1);
    }
}

fn give(kind: &'static str, out: Vec<u8>, budget: &mut Budget, take: Take<'_>) {
    if out.len() >= WORTH {
        budget.left = budget.left.saturating_sub(out.len());
        take(kind, &out, budget);
    }
}

fn gzip(bytes: &[u8], budget: &mut Budget) -> (Vec<u8>, usize) {
    let flags = bytes[3];
    let mut at = 10;
    if flags & 4 != 0 {
        let (Some(lo), Some(hi)) = (bytes.get(at), bytes.get(at + 1)) else { return Default::default() };
        at += 2 + usize::from(u16::from_le_bytes([*lo, *hi]));
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            let Some(end) = bytes.get(at..).and_then(|rest| rest.iter().position(|b| *b == 0)) else { return Default::default() };
            at += end + 1;
        }
    }
    at += if flags & 2 != 0 { 2 } else { 0 };
    let (out, used) = inflate(bytes.get(at..).unwrap_or_default(), false, budget);
    (out, if used > 0 { at + used } else { 0 })
}

/// Unpacks deflate or zlib as far as it goes. Gives what came out, and how much went in if the stream ended in order.
fn inflate(bytes: &[u8], zlib: bool, budget: &mut Budget) -> (Vec<u8>, usize) {
    let most = budget.left.min(STREAM);
    budget.inflate.reset(zlib);
    let mut out: Vec<u8> = Vec::with_capacity(512);
    loop {
        let (used, had) = (budget.inflate.total_in() as usize, out.len());
        let result = budget.inflate.decompress_vec(bytes.get(used..).unwrap_or_default(), &mut out, FlushDecompress::None);
        match result {
            Ok(Status::StreamEnd) => return (out, budget.inflate.total_in() as usize),
            Err(_) => return (out, 0),
            Ok(_) if out.len() >= most => return (out, 0),
            Ok(_) if out.len() == out.capacity() => out.reserve(out.len().clamp(4096, 1 << 22)),
            Ok(_) if out.len() == had => return (out, 0),
            Ok(_) => {}
        }
    }
}

fn read_all(mut reader: impl Read, most: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut buffer = [0u8; 8192];
    while out.len() < most {
        match reader.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(n) => out.extend_from_slice(&buffer[..n]),
        }
    }
    out
}

fn zstd(bytes: &[u8], most: usize) -> Vec<u8> {
    zstd::stream::read::Decoder::with_buffer(bytes).map(|d| read_all(d.single_frame(), most)).unwrap_or_default()
}

fn brotli(bytes: &[u8], most: usize) -> Vec<u8> {
    read_all(brotli_decompressor::Decompressor::new(bytes, 4096), most)
}

/// Decodes texts in percent-encoding, for what was written in another form before it went into an address.
fn percent(bytes: &[u8], budget: &mut Budget, take: Take<'_>) {
    let nibble = |b: &u8| (*b as char).to_digit(16).map(|d| d as u8);
    let encoded = |at: usize| Some(nibble(bytes.get(at + 1)?)? << 4 | nibble(bytes.get(at + 2)?)?).filter(|_| bytes[at] == b'%');
    let mut at = 0;
    while at < bytes.len() && budget.left > 0 {
        if bytes[at] <= b' ' || bytes[at] > b'~' {
            at += 1;
            continue;
        }
        let (mut out, mut count) = (Vec::new(), 0);
        while let Some(&b) = bytes.get(at).filter(|b| **b > b' ' && **b <= b'~') {
            let (byte, used) = encoded(at).map_or((b, 1), |byte| (byte, 3));
            count += usize::from(used == 3);
            out.push(byte);
            at += used;
        }
        if count >= 3 {
            give("percent", out, budget, take);
        }
    }
}

/// Decodes runs of base64 (with or without line ends) and hex digits, for what lies packed inside them.
fn runs(bytes: &[u8], budget: &mut Budget, take: Take<'_>) {
    let digit = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_');
    let mut at = 0;
    while at < bytes.len() && budget.left > 0 {
        if !digit(bytes[at]) {
            at += 1;
            continue;
        }
        let mut end = at;
        let mut line = at;
        let mut text = Vec::new();
        while let Some(&b) = bytes.get(end) {
            if digit(b) {
                text.push(b);
            } else if matches!(b, b'\r' | b'\n') && end - line >= 60 {
                line = end;
                if b == b'\n' {
                    line = end + 1;
                }
            } else if !(b == b'\n' && end == line + 1) {
                break;
            }
            end += 1;
        }
        at = end.max(at + 1);
        if text.len() < RUN {
            continue;
        }
        if text.iter().all(u8::is_ascii_hexdigit) {
            let nibble = |b: u8| (b as char).to_digit(16).unwrap_or(0) as u8;
            give("hex", text.chunks_exact(2).map(|p| nibble(p[0]) << 4 | nibble(p[1])).collect(), budget, take);
        }
        give("base64", base64(&text), budget, take);
    }
}

fn base64(text: &[u8]) -> Vec<u8> {
    let value = |b: u8| match b {
        b'A'..=b'Z' => b - b'A',
        b'a'..=b'z' => b - b'a' + 26,
        b'0'..=b'9' => b - b'0' + 52,
        b'+' | b'-' => 62,
        _ => 63,
    };
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for group in text.chunks(4) {
        let bits = group.iter().fold(0u32, |bits, b| bits << 6 | u32::from(value(*b))) << (6 * (4 - group.len()));
        out.extend_from_slice(&bits.to_be_bytes()[1..group.len().max(1)]);
    }
    out
}
