//! What a browser downloads for the whole app, compressed with brotli as the server sends it.

use super::{Report, Row};
use crate::assets;
use crate::out::Failure;

pub fn run() -> Result<Report, Failure> {
    let all = assets::all();
    if all.is_empty() {
        return Err(Failure::failed("bench", "This program was built without the browser app; build it with `cargo xtask bench`."));
    }
    let mut report = Report::default();
    let sent = |a: &assets::Asset| a.brotli.unwrap_or(a.bytes).len();
    let total: usize = all.iter().map(sent).sum();
    let plain: usize = all.iter().map(|a| a.bytes.len()).sum();
    report.row(Row::new("whole browser app in brotli", total as f64 / 1e6, "MB").at_most(1.0));
    report.row(Row::new("the same uncompressed", plain as f64 / 1e6, "MB"));
    let mut parts: Vec<(usize, &str)> = all.iter().map(|a| (sent(a), a.path)).collect();
    parts.sort_by(|a, b| b.cmp(a));
    for (bytes, path) in parts.iter().take(3) {
        let (head, tail) = (path.split('.').next().unwrap_or(path), path.rsplit('.').next().unwrap_or_default());
        report.row(Row::new(format!("… of it {head}.{tail}"), *bytes as f64 / 1e6, "MB"));
    }
    report.note(format!("{} files; every one of them counted, though a first page does not need all.", all.len()));
    Ok(report)
}
