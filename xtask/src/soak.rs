//! `cargo xtask soak`: what takes too long for every change: random kills under load, long races.

use crate::{say, system, web, workspace};
use anyhow::Result;
use std::path::PathBuf;

/// Runs the tests of `drills/tests/soak.rs` that are marked as long, against a server in release build (or the one that `SUBROSA_BIN` names).
/// `SUBROSA_SOAK_KILLS` says how many kills.
pub fn soak(args: &[String]) -> Result<()> {
    let binary = match std::env::var_os("SUBROSA_BIN") {
        Some(built) => PathBuf::from(built),
        None => {
            web::build()?;
            say::line("building the server with release optimisation");
            system::run(workspace::cargo().args(["build", "--release", "--package", "subrosa"]))?;
            workspace::target().join("release/subrosa")
        }
    };
    say::line("soaking: random kills under load; this takes long");
    let mut command = workspace::cargo();
    command
        .args(["test", "--package", "subrosa-drills", "--test", "soak"])
        .args(["--", "--ignored", "--nocapture", "--test-threads=1"])
        .args(args)
        .env("SUBROSA_BIN", binary);
    system::run(&mut command)
}
