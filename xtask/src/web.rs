//! Builds the browser app: cargo for `wasm32-unknown-unknown`, wasm-bindgen as a library, then the finished
//! files. What has not changed is not done again.

use crate::toolchain::{Toolchain, WASM};
use crate::{say, system, web_files, workspace};
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use wasm_bindgen_cli_support::Bindgen;

/// The cargo profile; it is in the workspace's `Cargo.toml`.
const PROFILE: &str = "browser";
/// Changes when the finished files would differ for the same input.
const FORMAT: &str = "1";

/// Builds what is out of date and returns the folder of the finished files.
pub fn build() -> Result<PathBuf> {
    let toolchain = Toolchain::find()?;
    let (mut cargo, target) = toolchain.build_command();
    let wasm = target.join(PROFILE).join("subrosa-web.wasm");
    let first = if wasm.exists() { "" } else { " (the first time this takes some minutes)" };
    say::line(&format!("building the browser app for {WASM}{first}"));
    system::run(cargo.args(["--package", "subrosa-web", "--profile", PROFILE]))?;
    let bytes = fs::read(&wasm).with_context(|| format!("cargo built no {}", wasm.display()))?;
    let pages = workspace::root().join("web/static");
    let finished = workspace::web_files();
    let stamp = stamp(&bytes, &pages)?;
    if fs::read_to_string(finished.join(".stamp")).is_ok_and(|old| old == stamp) {
        say::line("the browser app is up to date");
        return Ok(finished);
    }
    say::line("making its JavaScript side and compressing the files");
    let raw = generate(&wasm)?;
    let fresh = own_folder("new");
    web_files::write(&raw, &pages, &fresh)?;
    fs::write(fresh.join(".stamp"), stamp)?;
    report(&fresh)?;
    replace(&finished, &fresh).with_context(|| format!("could not replace {}", finished.display()))?;
    fs::remove_dir_all(&raw)?;
    Ok(finished)
}

/// A folder of this process alone, since a second `cargo xtask` may be at work in the same target directory.
fn own_folder(what: &str) -> PathBuf {
    workspace::target().join(format!("web.{what}.{}", std::process::id()))
}

/// Puts the fresh files where the old ones were; whoever does so last has won.
fn replace(finished: &Path, fresh: &Path) -> std::io::Result<()> {
    let old = own_folder("old");
    for _ in 0..5 {
        let had_old = fs::rename(finished, &old).is_ok();
        let done = fs::rename(fresh, finished);
        if had_old {
            fs::remove_dir_all(&old)?;
        }
        if done.is_ok() {
            return Ok(());
        }
    }
    fs::rename(fresh, finished)
}

/// Runs wasm-bindgen over the module; the folder then holds `app.js`, `app_bg.wasm` and perhaps `snippets/`.
fn generate(wasm: &Path) -> Result<PathBuf> {
    let raw = own_folder("raw");
    if raw.exists() {
        fs::remove_dir_all(&raw)?;
    }
    fs::create_dir_all(&raw)?;
    Bindgen::new()
        .input_path(wasm)
        .out_name("app")
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(&raw)
        .context("wasm-bindgen refused the module (is the wasm-bindgen crate of the same version as xtask's?)")?;
    Ok(raw)
}

/// A hash of everything the finished files are made of.
fn stamp(wasm: &[u8], pages: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    hash.update(FORMAT);
    hash.update(Sha256::digest(wasm));
    for file in web_files::list(pages)? {
        hash.update(file.as_bytes());
        hash.update([0]);
        hash.update(Sha256::digest(fs::read(pages.join(&file))?));
    }
    Ok(web_files::hex(&hash.finalize()))
}

fn report(folder: &Path) -> Result<()> {
    let (mut plain, mut packed) = (0, 0);
    for file in web_files::list(folder)? {
        let size = fs::metadata(folder.join(&file))?.len();
        if let Some(original) = file.strip_suffix(".br") {
            packed += size;
            plain += fs::metadata(folder.join(original))?.len();
        }
    }
    say::line(&format!(
        "browser app: {} KiB, {} KiB as sent with brotli",
        plain / 1024,
        packed / 1024
    ));
    Ok(())
}
