//! `subrosa`: one program, every function a subcommand.
//!
//! Exit codes: 0 done, 1 it failed, 2 wrong usage, 3 refused because something did not verify.

mod assets;
mod cmd;
mod out;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Said in confidence: the vault for a mental-health practice.
#[derive(Parser)]
#[command(name = "subrosa", version, about, max_term_width = 100)]
struct Cli {
    /// Print results as JSON, one object in the last line.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server.
    Serve(cmd::serve::Args),
    /// Look at the settings.
    Config(cmd::config::Args),
    /// Make this computer a linked device, for imports.
    Link(cmd::link::Args),
    /// Bring records in from files, folders and archives.
    Import(cmd::import::Args),
    /// Take one copy of the practice on this machine.
    Backup(cmd::keep::BackupArgs),
    /// Take copies from a server, again and again: the keeper.
    Keep(cmd::keep::Args),
    /// Bring a practice back from its kit and one backup.
    Restore(cmd::restore::Args),
    /// Check a backup without any key.
    Verify(cmd::verify::Args),
    /// Cosign other people's ledgers without seeing a record.
    Witness(cmd::witness::Args),
    /// Measure this program on a scratch practice.
    Bench(cmd::bench::Args),
    /// Replay an attack against this program on a scratch practice, with its control.
    Drill(cmd::drill::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let out = out::Out::new(cli.json);
    let done = match cli.command {
        Command::Serve(args) => cmd::serve::run(args, &out),
        Command::Config(args) => cmd::config::run(args, &out),
        Command::Link(args) => cmd::link::run(args, &out),
        Command::Import(args) => cmd::import::run(args, &out),
        Command::Backup(args) => cmd::keep::run_backup(args, &out),
        Command::Keep(args) => cmd::keep::run(args, &out),
        Command::Restore(args) => cmd::restore::run(args, &out),
        Command::Verify(args) => cmd::verify::run(args, &out),
        Command::Witness(args) => cmd::witness::run(args, &out),
        Command::Bench(args) => cmd::bench::run(args, &out),
        Command::Drill(args) => cmd::drill::run(args, &out),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => out.failure(&failure),
    }
}
