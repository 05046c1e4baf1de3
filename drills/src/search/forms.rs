//! The forms in which a text or a key may lie about.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// How a mark was written where it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Form {
    Raw,
    Utf16Le,
    Utf16Be,
    Latin1,
    Base64,
    Base64Url,
    Base64OfUtf16,
    Hex,
    HexOfUtf16,
    JsonEscaped,
    DebugEscaped,
    Percent,
    FormEncoded,
    Decimal,
}

impl Form {
    /// A word for reports.
    pub fn word(self) -> &'static str {
        match self {
            Form::Raw => "raw",
            Form::Utf16Le => "utf-16le",
            Form::Utf16Be => "utf-16be",
            Form::Latin1 => "latin-1",
            Form::Base64 => "base64",
            Form::Base64Url => "base64url",
            Form::Base64OfUtf16 => "base64-of-utf-16",
            Form::Hex => "hex",
            Form::HexOfUtf16 => "hex-of-utf-16",
            Form::JsonEscaped => "json-escaped",
            Form::DebugEscaped => "debug-escaped",
            Form::Percent => "percent",
            Form::FormEncoded => "form-encoded",
            Form::Decimal => "decimal-bytes",
        }
    }
}

/// Patterns are cut here: a find of this much of a mark is a find.
const CUT: usize = 48;
/// Shortest pattern worth looking for.
const SHORTEST: usize = 10;

type Patterns = Vec<(Vec<u8>, Form)>;

#[derive(Default)]
struct Collected {
    seen: BTreeSet<Vec<u8>>,
    list: Patterns,
}

impl Collected {
    fn add(&mut self, mut pattern: Vec<u8>, form: Form) {
        pattern.truncate(CUT);
        if pattern.len() >= SHORTEST && self.seen.insert(pattern.clone()) {
            self.list.push((pattern, form));
        }
    }
}

/// The patterns of a text: first those compared without regard to ASCII case, then those compared exactly.
pub fn of_text(text: &str) -> (Patterns, Patterns) {
    let (mut folded, mut exact) = (Collected::default(), Collected::default());
    for variant in BTreeSet::from([text.to_owned(), text.to_lowercase(), text.to_uppercase()]) {
        let bytes = variant.as_bytes();
        let le: Vec<u8> = variant.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = variant.encode_utf16().flat_map(u16::to_be_bytes).collect();
        folded.add(bytes.to_vec(), Form::Raw);
        folded.add(le.clone(), Form::Utf16Le);
        folded.add(be.clone(), Form::Utf16Be);
        if let Some(latin) = variant.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect::<Option<Vec<u8>>>() {
            folded.add(latin, Form::Latin1);
        }
        folded.add(json(&variant, |_| false).into_bytes(), Form::JsonEscaped);
        folded.add(json(&variant, |c| c.is_ascii() && !c.is_ascii_control()).into_bytes(), Form::JsonEscaped);
        folded.add(json(&variant, |c| c.is_ascii() && !matches!(c, '"' | '\\')).into_bytes(), Form::JsonEscaped);
        folded.add(json(&variant, |c| c.is_ascii_alphanumeric() || " -_.,:;()".contains(c)).into_bytes(), Form::JsonEscaped);
        folded.add(serde_json::Value::from(variant.as_str()).to_string().trim_matches('"').as_bytes().to_vec(), Form::JsonEscaped);
        folded.add(variant.escape_unicode().to_string().into_bytes(), Form::DebugEscaped);
        folded.add(variant.escape_default().to_string().into_bytes(), Form::DebugEscaped);
        folded.add(bytes.escape_ascii().to_string().into_bytes(), Form::DebugEscaped);
        folded.add(percent(bytes, |_| false, false), Form::Percent);
        folded.add(percent(bytes, unreserved, false), Form::Percent);
        folded.add(percent(bytes, |b| unreserved(b) || b"!$&'()*+,;=:@/?".contains(&b), false), Form::Percent);
        folded.add(percent(bytes, unreserved, true), Form::FormEncoded);
        folded.add(hex(bytes).into_bytes(), Form::Hex);
        folded.add(hex(&le).into_bytes(), Form::HexOfUtf16);
        folded.add(hex(&be).into_bytes(), Form::HexOfUtf16);
        decimal(bytes, &mut folded);
        base64_of(bytes, Form::Base64, Form::Base64Url, &mut exact);
        base64_of(&le, Form::Base64OfUtf16, Form::Base64OfUtf16, &mut exact);
    }
    (folded.list, exact.list)
}

/// The patterns of a key, likewise.
pub fn of_key(bytes: &[u8]) -> (Patterns, Patterns) {
    let (mut folded, mut exact) = (Collected::default(), Collected::default());
    let halves = if bytes.len() >= 32 { vec![&bytes[..16], &bytes[bytes.len() - 16..]] } else { vec![bytes] };
    for part in halves {
        exact.add(part.to_vec(), Form::Raw);
        folded.add(hex(part).into_bytes(), Form::Hex);
        decimal(part, &mut folded);
        base64_of(part, Form::Base64, Form::Base64Url, &mut exact);
    }
    (folded.list, exact.list)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// What `{:?}` of a byte vector looks like, and the same without spaces (JSON). Cut later than others, since it takes more room.
fn decimal(bytes: &[u8], into: &mut Collected) {
    for between in [", ", ","] {
        let text = bytes.iter().take(16).map(u8::to_string).collect::<Vec<_>>().join(between);
        into.add(text.into_bytes(), Form::Decimal);
    }
}

fn unreserved(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-._~".contains(&b)
}

fn percent(bytes: &[u8], keep: impl Fn(u8) -> bool, plus: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for &b in bytes {
        match b {
            b' ' if plus => out.push(b'+'),
            b if keep(b) => out.push(b),
            b => out.extend_from_slice(format!("%{b:02X}").as_bytes()),
        }
    }
    out
}

/// As a JSON writer would: what `keep` does not keep is written as `\uXXXX`.
fn json(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' | '\\' if keep(c) => out.extend(['\\', c]),
            c if keep(c) => out.push(c),
            c => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    out
}

/// Base64 of `bytes` at the three places where they can begin, without the digits that their neighbours share.
fn base64_of(bytes: &[u8], standard: Form, url: Form, into: &mut Collected) {
    for before in 0..3usize {
        let padded = [vec![0u8; before], bytes.to_vec()].concat();
        // The first digits hold bits of what stands before, the last one bits of what follows.
        let first = (before * 8).div_ceil(6);
        let last = padded.len() * 8 / 6;
        for (text, form) in [(STANDARD_NO_PAD.encode(&padded), standard), (URL_SAFE_NO_PAD.encode(&padded), url)] {
            if let Some(part) = text.as_bytes().get(first..last) {
                into.add(part.to_vec(), form);
            }
        }
    }
}
