//! `cargo xtask run`: from a clone to a running vault.

use crate::{say, system, web, workspace};
use anyhow::Result;
use std::process::Command;

/// Builds what is out of date and becomes `subrosa serve`.
pub fn run(args: &[String]) -> Result<()> {
    web::build()?;
    let binary = workspace::target().join("debug/subrosa");
    let first = if binary.exists() { "" } else { " (the first time this takes some minutes)" };
    say::line(&format!("building the server{first}"));
    system::run(workspace::cargo().args(["build", "--package", "subrosa"]))?;

    let mut command = Command::new(binary);
    command.arg("serve");
    let named = |arg: &String| arg == "--data-dir" || arg.starts_with("--data-dir=");
    if !args.iter().any(named) {
        // A demo never lies beside real charts: its directory is marked and refuses real members for ever.
        let folder = if args.iter().any(|arg| arg == "--demo") { ".demo" } else { "data" };
        command.arg("--data-dir").arg(workspace::root().join(folder));
    }
    command.args(args);
    say::line("built; starting the server (Ctrl-C stops it)");
    become_it(command)
}

#[cfg(unix)]
fn become_it(mut command: Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    Err(anyhow::Error::from(command.exec()).context("could not start the server"))
}

#[cfg(not(unix))]
fn become_it(mut command: Command) -> Result<()> {
    system::run(&mut command)
}
