//! Where things lie, what cargo says about the crates, and how cargo is called.

use crate::system;
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the workspace's `Cargo.toml`.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Cargo's target directory.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Where the finished browser app lies: what the `subrosa` binary embeds.
pub fn web_files() -> PathBuf {
    target().join("web")
}

/// A cargo command in the workspace. What cargo set for this process itself is not handed on, and `cli` is told
/// where the browser app lies when it is not where it looks by itself.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    if std::env::var_os("CARGO_TARGET_DIR").is_some() {
        command.env("SUBROSA_WEB_DIR", web_files());
    }
    command
}

/// `cargo metadata` with the whole dependency graph, exactly as locked.
pub fn metadata() -> Result<Value> {
    let mut command = cargo();
    command.args(["metadata", "--format-version", "1", "--locked", "--quiet"]);
    let text = system::output_of(&mut command)?;
    serde_json::from_str(&text).context("cargo metadata did not print JSON")
}

/// The members of the workspace among `metadata`'s packages.
pub fn members(metadata: &Value) -> Vec<&Value> {
    let ids: Vec<&Value> = metadata["workspace_members"].as_array().into_iter().flatten().collect();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages.filter(|package| ids.contains(&&package["id"])).collect()
}
