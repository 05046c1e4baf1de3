//! `cargo xtask soak`: what takes too long for every change: random kills under load, long races.

use crate::{say, system, web, workspace};
use anyhow::Result;

/// Runs the tests of `drills/tests/soak.rs` that are marked as long, in a release build.
pub fn soak(args: &[String]) -> Result<()> {
    web::build()?;
    say::line("building the server with release optimisation");
    system::run(workspace::cargo().args(["build", "--release", "--package", "subrosa"]))?;
    say::line("soaking: random kills under load; this takes long");
    let mut command = workspace::cargo();
    command
        .args(["test", "--release", "--package", "subrosa-drills", "--test", "soak"])
        .args(["--", "--ignored", "--nocapture", "--test-threads=1"])
        .args(args)
        .env("SUBROSA_BIN", workspace::target().join("release/subrosa"));
    system::run(&mut command)
}
