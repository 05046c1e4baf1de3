//! The finished files of the browser app: names that carry their content's hash, references and integrity
//! attributes that follow, brotli siblings, and a manifest.
//!
//! `index.html` names every other file with its hash (subresource integrity; the script names the module), so
//! the hash of `index.html` alone pins what a browser runs.

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Fetched under exactly this name by browsers, or must keep its address across versions.
const STABLE_NAMES: [&str; 4] = ["sw.js", "favicon.ico", "robots.txt", "manifest.webmanifest"];
/// Formats that are compressed already.
const PACKED: [&str; 6] = ["woff2", "png", "jpg", "webp", "gif", "br"];

/// Files by their path below the root of the site, without a leading slash.
type Files = BTreeMap<String, Vec<u8>>;

/// Where a file went, for those that refer to it.
struct Moved {
    from: String,
    to: String,
    integrity: String,
}

/// Writes the finished site to `out` (emptied first) from wasm-bindgen's output and the static pages.
pub fn write(raw: &Path, pages: &Path, out: &Path) -> Result<()> {
    let files = finish(read(raw)?, read(pages)?)?;
    if out.exists() {
        fs::remove_dir_all(out)?;
    }
    for (path, bytes) in &files {
        let file = out.join(path);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&file, bytes)?;
    }
    let packed = compress_all(&files)?;
    for (path, bytes) in &packed {
        fs::write(out.join(format!("{path}.br")), bytes)?;
    }
    fs::write(out.join("manifest.json"), manifest(&files, &packed))?;
    Ok(())
}

/// Renames and links the files.
fn finish(mut raw: Files, pages: Files) -> Result<Files> {
    let mut done = Files::new();
    let mut moved = Vec::new();
    let module = raw.remove("app_bg.wasm").context("wasm-bindgen made no app_bg.wasm")?;
    let wasm = place(&mut done, &mut moved, "app_bg.wasm", module);
    let script = raw.remove("app.js").context("wasm-bindgen made no app.js")?;
    let mut script = String::from_utf8(script).context("app.js is not text")?;
    script.push_str(&start(&wasm, &moved));
    place(&mut done, &mut moved, "app.js", script.into_bytes());
    // What is left are snippets, which app.js imports by their own, already unique, names.
    done.append(&mut raw);

    let rank = |path: &str| match extension(path) {
        "html" => 2,
        "css" | "js" | "webmanifest" | "svg" => 1,
        _ => 0,
    };
    let mut pages: Vec<(String, Vec<u8>)> = pages.into_iter().collect();
    pages.sort_by_key(|(path, _)| rank(path));
    for (path, bytes) in pages {
        let bytes = match rank(&path) {
            0 => bytes,
            _ => link(&String::from_utf8(bytes).with_context(|| format!("{path} is not text"))?, &moved)
                .into_bytes(),
        };
        place(&mut done, &mut moved, &path, bytes);
    }
    Ok(done)
}

/// The last lines of the script: fetch exactly this module and start it. There is no inline script anywhere.
fn start(wasm: &str, moved: &[Moved]) -> String {
    let integrity = moved.last().map_or("", |entry| entry.integrity.as_str());
    format!(
        "\n__wbg_init({{ module_or_path: fetch(new URL(\"{wasm}\", import.meta.url), \
         {{ integrity: \"{integrity}\" }}) }})\n  \
         .catch((error) => {{ document.documentElement.dataset.app = \"failed\"; throw error; }});\n"
    )
}

/// Adds a file under its final name and notes the move.
fn place(done: &mut Files, moved: &mut Vec<Moved>, path: &str, bytes: Vec<u8>) -> String {
    let digest = Sha256::digest(&bytes);
    let keeps = extension(path) == "html" || STABLE_NAMES.contains(&path);
    let to = match path.rsplit_once('.') {
        Some((stem, end)) if !keeps => format!("{stem}.{}.{end}", hex(&digest[..8])),
        _ => path.to_owned(),
    };
    moved.push(Moved {
        from: path.to_owned(),
        to: to.clone(),
        integrity: format!("sha256-{}", STANDARD.encode(digest)),
    });
    done.insert(to.clone(), bytes);
    to
}

/// Replaces `"/name"` by `"/name.hash"`; scripts and style sheets of a page also get their integrity.
fn link(text: &str, moved: &[Moved]) -> String {
    let mut text = text.to_owned();
    for Moved { from, to, integrity } in moved {
        if matches!(extension(from), "js" | "css") {
            for attribute in ["src", "href"] {
                text = text.replace(
                    &format!("{attribute}=\"/{from}\""),
                    &format!("{attribute}=\"/{to}\" integrity=\"{integrity}\""),
                );
            }
        }
        text = text.replace(&format!("\"/{from}\""), &format!("\"/{to}\""));
    }
    text
}

fn compress_all(files: &Files) -> Result<Files> {
    let wanted: Vec<_> = files.iter().filter(|(path, _)| !PACKED.contains(&extension(path))).collect();
    std::thread::scope(|scope| {
        let workers: Vec<_> = wanted
            .into_iter()
            .map(|(path, bytes)| scope.spawn(move || (path.clone(), compress(bytes))))
            .collect();
        let mut packed = Files::new();
        for worker in workers {
            let (path, bytes) = worker.join().map_err(|_| anyhow::anyhow!("compressing failed"))?;
            packed.insert(path, bytes?);
        }
        Ok(packed)
    })
}

fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    let params = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &bytes[..], &mut packed, &params)?;
    Ok(packed)
}

/// The manifest: each file's hash and sizes, and the client hash, which is SHA-256 over `path 0x00 sha256` of
/// every file in the order of their paths.
fn manifest(files: &Files, packed: &Files) -> String {
    let mut client = Sha256::new();
    let mut rows = Vec::new();
    for (path, bytes) in files {
        let digest = Sha256::digest(bytes);
        client.update(path.as_bytes());
        client.update([0]);
        client.update(digest);
        rows.push(serde_json::json!({
            "path": path,
            "sha256": hex(&digest),
            "bytes": bytes.len(),
            "brotli_bytes": packed.get(path).map(Vec::len),
        }));
    }
    let manifest = serde_json::json!({ "client": hex(&client.finalize()), "files": rows });
    format!("{manifest:#}\n")
}

/// The files below a folder, sorted, with `/` between folders; hidden files are left out.
pub fn list(folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut todo = vec![String::new()];
    while let Some(below) = todo.pop() {
        let here = folder.join(&below);
        for entry in fs::read_dir(&here).with_context(|| format!("could not read {}", here.display()))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let path = if below.is_empty() { name } else { format!("{below}/{name}") };
            if entry.file_type()?.is_dir() {
                todo.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn read(folder: &Path) -> Result<Files> {
    let read_one = |path: String| {
        let bytes = fs::read(folder.join(&path))?;
        Ok((path, bytes))
    };
    list(folder)?.into_iter().map(read_one).collect()
}

fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, end)| end)
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "web_files_tests.rs"]
mod tests;
