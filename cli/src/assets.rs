//! The browser app's files, embedded by `build.rs` from what `cargo xtask web` made.
//!
//! There are no inline scripts: `script-src 'self' 'wasm-unsafe-eval'` suffices and no script hash is needed.

use std::sync::OnceLock;
use subrosa_crypto::sha256;
use subrosa_model::Hash32;

/// One row of the table that `build.rs` writes.
struct File {
    path: &'static str,
    bytes: &'static [u8],
    brotli: Option<&'static [u8]>,
}

mod table {
    use super::File;
    include!(concat!(env!("OUT_DIR"), "/web_files.rs"));
}

/// One embedded file, ready to be sent.
#[derive(Debug, Clone)]
pub struct Asset {
    /// Path below the root of the site, without a leading slash: `index.html`, `app.0123456789abcdef.js`.
    pub path: &'static str,
    /// The file itself.
    pub bytes: &'static [u8],
    /// The same compressed with brotli, for clients that accept it.
    pub brotli: Option<&'static [u8]>,
    /// Value for `Content-Type`.
    pub content_type: &'static str,
    /// SHA-256 of `bytes`: the `ETag`, and what auditors compare.
    pub sha256: Hash32,
    /// The name carries the content's hash, so the answer may be cached for ever; everything else must be
    /// asked for again (`no-cache` with the `ETag`).
    pub immutable: bool,
}

/// The file for the path of a request; the leading slash may be there, and `/` is `index.html`.
pub fn get(path: &str) -> Option<Asset> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = if path.is_empty() { "index.html" } else { path };
    let found = all().binary_search_by(|asset| asset.path.cmp(path)).ok()?;
    all().get(found).cloned()
}

/// Every embedded file in the order of their paths; empty when the binary was built without the browser app.
pub fn all() -> &'static [Asset] {
    static ASSETS: OnceLock<Vec<Asset>> = OnceLock::new();
    ASSETS.get_or_init(|| table::FILES.iter().map(describe).collect())
}

/// The client hash that is published for auditors and stands in the directory log: SHA-256 over
/// `path 0x00 sha256` of every file in the order of their paths. `None` without a browser app.
#[allow(dead_code)]
pub fn client_hash() -> Option<Hash32> {
    if all().is_empty() {
        return None;
    }
    let parts: Vec<&[u8]> = all()
        .iter()
        .flat_map(|asset| [asset.path.as_bytes(), &[0], asset.sha256.as_bytes()])
        .collect();
    Some(sha256(&parts))
}

/// What to show at `/` when there is no browser app in this binary: a page that says so and what to do.
pub const MISSING_PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Subrosa</title>\
    <h1>This build has no browser app</h1>\
    <p>The server runs, but this binary was built without the files of the browser app. \
    Build it with <code>cargo xtask run</code> or <code>cargo xtask dist</code>.</p></html>\n";

fn describe(file: &File) -> Asset {
    Asset {
        path: file.path,
        bytes: file.bytes,
        brotli: file.brotli,
        content_type: content_type(file.path),
        sha256: sha256(&[file.bytes]),
        immutable: has_hash_in_name(file.path),
    }
}

/// Whether a path has the form `name.0123456789abcdef.ext`.
fn has_hash_in_name(path: &str) -> bool {
    let hash = path.rsplit('.').nth(1).unwrap_or_default();
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    hash.len() == 16 && hash.bytes().all(hex)
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" | "ftl" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_root_is_the_page_and_unknown_paths_are_nothing() {
        assert!(get("/no/such/file").is_none());
        assert!(get("/../index.html").is_none());
        match get("/") {
            Some(page) => {
                assert_eq!(page.path, "index.html");
                assert!(!page.immutable);
                assert_eq!(page.content_type, "text/html; charset=utf-8");
            }
            None => println!("skipped: this test binary was built without the browser app (cargo xtask web)"),
        }
    }

    #[test]
    fn every_script_of_the_page_is_a_file_of_its_own_and_embedded() {
        let Some(page) = get("index.html") else {
            println!("skipped: this test binary was built without the browser app (cargo xtask web)");
            return;
        };
        let page = String::from_utf8(page.bytes.to_vec()).unwrap();
        for tag in page.split("<script").skip(1) {
            let source = tag.split("src=\"").nth(1).unwrap().split('"').next().unwrap();
            let script = get(source).unwrap();
            assert!(script.immutable && tag.contains("></script>"), "{tag}");
        }
        assert!(client_hash().is_some());
    }

    #[test]
    fn a_hash_in_the_name_is_told_from_other_dots() {
        assert!(has_hash_in_name("app.0123456789abcdef.js"));
        for other in ["index.html", "sw.js", "a.0123456789ABCDEF.js", "a.0123456789abcde.js"] {
            assert!(!has_hash_in_name(other), "{other}");
        }
    }
}
