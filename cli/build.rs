//! Embeds the finished files of the browser app, where `cargo xtask web` has made them.
//!
//! The folder is `SUBROSA_WEB_DIR`, else `target/web` of the workspace. With no such folder the binary is built with
//! an empty table, and `subrosa serve` says on its page that it has no browser app.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=SUBROSA_WEB_DIR");
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let folder = env::var_os("SUBROSA_WEB_DIR").map_or_else(|| here.join("../target/web"), PathBuf::from);
    let manifest = folder.join("manifest.json");
    println!("cargo::rerun-if-changed={}", manifest.display());

    let mut files = Vec::new();
    if manifest.is_file() {
        list(&folder, "", &mut files)?;
    }
    files.sort();
    let mut table = String::from("pub(super) static FILES: &[File] = &[\n");
    for path in files.iter().filter(|path| !path.ends_with(".br") && *path != "manifest.json") {
        let packed = format!("{path}.br");
        let brotli = if files.contains(&packed) {
            format!("Some({})", include(&folder.join(packed))?)
        } else {
            String::from("None")
        };
        let bytes = include(&folder.join(path))?;
        let _ = writeln!(table, "    File {{ path: {path:?}, bytes: {bytes}, brotli: {brotli} }},");
    }
    table.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("web_files.rs"), table)
}

fn include(file: &Path) -> io::Result<String> {
    Ok(format!("include_bytes!({:?})", file.canonicalize()?.display().to_string()))
}

fn list(folder: &Path, below: &str, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder.join(below))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.file_type()?.is_dir() {
            list(folder, &path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
