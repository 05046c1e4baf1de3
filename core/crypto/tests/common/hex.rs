//! Hex and the vector files.
#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BTreeMap;

pub fn hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "odd hex");
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

pub fn hex32(text: &str) -> [u8; 32] {
    hex(text).try_into().unwrap()
}

pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Lines `name = value`; `#` begins a comment.
pub fn table(text: &'static str) -> BTreeMap<&'static str, &'static str> {
    let lines = text.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty());
    lines.map(|l| l.split_once(" = ").unwrap()).collect()
}
