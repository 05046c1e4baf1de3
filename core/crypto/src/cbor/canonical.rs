//! The rules of RFC 8949 section 4.2.1 on bytes: a check that allocates nothing, and a rewriter for our own encoder's output.

use super::{MAX_DEPTH, MAX_SIZE};
use crate::CryptoError;

/// One data item's head: major type, additional information, argument. `arg` is `None` for an indefinite length or a break.
struct Head {
    major: u8,
    info: u8,
    arg: Option<u64>,
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    fn take(&mut self, n: u64) -> Result<&'a [u8], CryptoError> {
        let n = usize::try_from(n).map_err(|_| CryptoError::CborMalformed)?;
        let end = self.at.checked_add(n).ok_or(CryptoError::CborMalformed)?;
        let slice = self.bytes.get(self.at..end).ok_or(CryptoError::CborMalformed)?;
        self.at = end;
        Ok(slice)
    }

    fn left(&self) -> u64 {
        (self.bytes.len() - self.at) as u64
    }

    fn peek_break(&self) -> bool {
        self.bytes.get(self.at) == Some(&0xff)
    }

    fn head(&mut self) -> Result<Head, CryptoError> {
        let first = self.take(1)?[0];
        let (major, info) = (first >> 5, first & 0x1f);
        let arg = match info {
            0..=23 => Some(u64::from(info)),
            24..=27 => {
                let raw = self.take(1 << (info - 24))?;
                Some(raw.iter().fold(0u64, |n, b| n << 8 | u64::from(*b)))
            }
            31 if matches!(major, 2..=5 | 7) => None,
            _ => return Err(CryptoError::CborMalformed),
        };
        Ok(Head { major, info, arg })
    }
}

/// Is this one data item in deterministic encoding, within the size and depth bounds, with nothing after it?
///
/// Whether a float is in its shortest form is left to the comparison in `decode`.
pub(crate) fn check(bytes: &[u8]) -> Result<(), CryptoError> {
    if bytes.len() > MAX_SIZE {
        return Err(CryptoError::CborTooLarge);
    }
    let mut walk = Walk { bytes, at: 0 };
    check_item(&mut walk, 0)?;
    if walk.left() != 0 {
        return Err(CryptoError::CborMalformed);
    }
    Ok(())
}

/// As [`check`], and the outline of a COSE container: a tag, an array, and in it first a byte string of at most `max_header` bytes, then an empty map.
///
/// COSE's parser builds a tree of everything it is given, which takes up to 32 times the memory of what arrived. With the outline known there is nothing
/// left that could be wide.
pub(crate) fn check_container(bytes: &[u8], max_header: usize) -> Result<(), CryptoError> {
    check(bytes)?;
    let mut walk = Walk { bytes, at: 0 };
    let (tag, array, header) = (walk.head()?, walk.head()?, walk.head()?);
    let header_len = header.arg.filter(|len| *len <= max_header as u64).ok_or(CryptoError::CborShape)?;
    walk.take(header_len)?;
    let outline = (tag.major, array.major, array.arg.is_some_and(|n| n <= 4), header.major);
    if outline != (6, 4, true, 2) || walk.take(1)? != [0xa0] {
        return Err(CryptoError::CborShape);
    }
    while walk.left() > 0 {
        match walk.head()? {
            Head { major: 2, arg: Some(len), .. } => drop(walk.take(len)?),
            Head { major: 7, .. } => {}
            _ => return Err(CryptoError::CborShape),
        }
    }
    Ok(())
}

fn check_item(walk: &mut Walk<'_>, depth: usize) -> Result<(), CryptoError> {
    let head = walk.head()?;
    if matches!(head.major, 4..=6) && depth >= MAX_DEPTH {
        return Err(CryptoError::CborTooDeep);
    }
    let Some(arg) = head.arg else { return Err(CryptoError::CborNotCanonical) };
    if head.major == 7 {
        return match head.info {
            20..=22 | 25..=27 => Ok(()),
            _ => Err(CryptoError::CborNotCanonical),
        };
    }
    let shortest = match head.info {
        24 => arg > 23,
        25 => arg > 0xff,
        26 => arg > 0xffff,
        27 => arg > 0xffff_ffff,
        _ => true,
    };
    if !shortest {
        return Err(CryptoError::CborNotCanonical);
    }
    match head.major {
        2 => walk.take(arg).map(drop),
        3 => core::str::from_utf8(walk.take(arg)?).map(drop).map_err(|_| CryptoError::CborMalformed),
        4 => {
            if arg > walk.left() {
                return Err(CryptoError::CborMalformed);
            }
            (0..arg).try_for_each(|_| check_item(walk, depth + 1))
        }
        5 => {
            if arg > walk.left() / 2 {
                return Err(CryptoError::CborMalformed);
            }
            let mut previous: Option<&[u8]> = None;
            for _ in 0..arg {
                let start = walk.at;
                check_item(walk, depth + 1)?;
                let key = &walk.bytes[start..walk.at];
                if previous.is_some_and(|p| p >= key) {
                    return Err(CryptoError::CborNotCanonical);
                }
                previous = Some(key);
                check_item(walk, depth + 1)?;
            }
            Ok(())
        }
        6 => check_item(walk, depth + 1),
        _ => Ok(()),
    }
}

/// Turns our own encoder's output into the deterministic form: definite lengths, sorted keys. Already sorted input is returned as it is.
#[allow(clippy::expect_used, reason = "the input is what the encoder has just written")]
pub(super) fn normalise(raw: Vec<u8>) -> Vec<u8> {
    if check(&raw).is_ok() {
        return raw;
    }
    let mut out = Vec::with_capacity(raw.len());
    rewrite(&mut Walk { bytes: &raw, at: 0 }, &mut out).expect("the encoder wrote CBOR");
    out
}

fn put_head(major: u8, n: u64, out: &mut Vec<u8>) {
    let m = major << 5;
    match n {
        0..=23 => out.push(m | n as u8),
        24..=0xff => out.extend([m | 24, n as u8]),
        0x100..=0xffff => {
            out.push(m | 25);
            out.extend((n as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(m | 26);
            out.extend((n as u32).to_be_bytes());
        }
        _ => {
            out.push(m | 27);
            out.extend(n.to_be_bytes());
        }
    }
}

fn rewrite(walk: &mut Walk<'_>, out: &mut Vec<u8>) -> Result<(), CryptoError> {
    let start = walk.at;
    let head = walk.head()?;
    match (head.major, head.arg) {
        (2 | 3, None) => {
            let mut body = Vec::new();
            while !walk.peek_break() {
                let part = walk.head()?;
                body.extend_from_slice(walk.take(part.arg.ok_or(CryptoError::CborMalformed)?)?);
            }
            walk.take(1)?;
            put_head(head.major, body.len() as u64, out);
            out.extend_from_slice(&body);
        }
        (2 | 3, Some(n)) => {
            walk.take(n)?;
            out.extend_from_slice(&walk.bytes[start..walk.at]);
        }
        (4 | 5, arg) => {
            let at = out.len();
            let is_map = head.major == 5;
            let mut entries: Vec<(usize, usize, usize)> = Vec::new();
            let mut n = 0u64;
            while arg.map_or_else(|| !walk.peek_break(), |arg| n < arg) {
                let key = out.len();
                rewrite(walk, out)?;
                let value = out.len();
                if is_map {
                    rewrite(walk, out)?;
                    entries.push((key, value, out.len()));
                }
                n += 1;
            }
            if arg.is_none() {
                walk.take(1)?;
            }
            let mut sorted = Vec::with_capacity(out.len() - at + 9);
            put_head(head.major, n, &mut sorted);
            if is_map {
                entries.sort_by(|a, b| out[a.0..a.1].cmp(&out[b.0..b.1]));
                entries.iter().for_each(|e| sorted.extend_from_slice(&out[e.0..e.2]));
            } else {
                sorted.extend_from_slice(&out[at..]);
            }
            out.truncate(at);
            out.extend_from_slice(&sorted);
        }
        (6, Some(_)) => {
            out.extend_from_slice(&walk.bytes[start..walk.at]);
            rewrite(walk, out)?;
        }
        _ => out.extend_from_slice(&walk.bytes[start..walk.at]),
    }
    Ok(())
}
