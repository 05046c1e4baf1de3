//! `cargo xtask test`: every check and every test, in one debug build.
//!
//! Tests that need a database server or a browser are ordinary tests that read `SUBROSA_TEST_POSTGRES`,
//! `SUBROSA_TEST_CHROMIUM` and `SUBROSA_TEST_CHROMEDRIVER`; those that drive the real binary read `SUBROSA_BIN`.
//! Without them they print one line that begins `skipped:` and return.

use crate::chromium::Chromium;
use crate::counts::{Counts, Reader};
use crate::house;
use crate::licences::Rules;
use crate::postgres::Postgres;
use crate::{say, web, workspace};
use anyhow::{Context, Result};
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};

/// Runs everything; the last line is `N passed, M failed, K skipped`.
pub fn test(filter: &[String]) -> ExitCode {
    let mut counts = Counts::default();
    checks(&mut counts);
    step(&mut counts, "the browser app builds", web::build().map(|_| Vec::new()));
    let postgres = available(&mut counts, "PostgreSQL", Postgres::start());
    let chromium = available(&mut counts, "Chromium", Chromium::find());
    let mut failed = Vec::new();
    let setting = Setting { postgres: postgres.as_ref(), chromium: chromium.as_ref() };

    // One selection of crates, so that every dependency is built once; the app is built for the browser above, and
    // xtask, which runs right now, apart.
    let product = ["--workspace", "--exclude", "subrosa-web", "--exclude", "xtask"];
    for selection in [&["--package", "xtask"][..], &product[..]] {
        match setting.cargo_test(selection, filter, &mut failed) {
            Ok(found) => counts.add(found),
            Err(error) => step(&mut counts, "the tests run", Err(error)),
        }
    }
    drop(postgres);
    say::line("done");
    for name in failed {
        eprintln!("        FAILED: {name}");
    }
    finish(counts)
}

/// Only what needs no compiler.
pub fn check() -> ExitCode {
    let mut counts = Counts::default();
    checks(&mut counts);
    finish(counts)
}

fn finish(counts: Counts) -> ExitCode {
    println!("{}", counts.line());
    if counts.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What needs no compiler.
fn checks(counts: &mut Counts) {
    let metadata = match workspace::metadata() {
        Ok(metadata) => metadata,
        Err(error) => return step(counts, "Cargo.lock is complete and up to date", Err(error)),
    };
    let licences = Rules::read().map(|rules| rules.check(&metadata));
    step(counts, "licences and sources of all dependencies", licences);
    step(counts, "the arrows between the crates", Ok(house::check_arrows(&metadata)));
    let sources = house::check_sources(&metadata).map(|(wrong, notes)| {
        for note in notes {
            say::line(&format!("note: {note}"));
        }
        wrong
    });
    step(counts, "the house rules in the sources", sources);
}

/// Counts a check as passed when it found nothing wrong.
fn step(counts: &mut Counts, what: &str, found: Result<Vec<String>>) {
    let wrong = found.unwrap_or_else(|error| vec![format!("{error:#}")]);
    if wrong.is_empty() {
        counts.passed += 1;
        say::line(&format!("ok: {what}"));
        return;
    }
    counts.failed += 1;
    say::line(&format!("FAILED: {what}"));
    for line in wrong {
        eprintln!("        {line}");
    }
}

/// A missing helper is one skipped line, not a failure.
fn available<T>(counts: &mut Counts, what: &str, found: Result<T>) -> Option<T> {
    match found {
        Ok(found) => {
            say::line(&format!("ok: {what} is there for the tests"));
            Some(found)
        }
        Err(error) => {
            println!("skipped: tests with {what}: {error:#}");
            counts.skipped += 1;
            None
        }
    }
}

/// What the tests are told about this machine.
struct Setting<'a> {
    postgres: Option<&'a Postgres>,
    chromium: Option<&'a Chromium>,
}

impl Setting<'_> {
    fn cargo_test(&self, selection: &[&str], filter: &[String], failed: &mut Vec<String>) -> Result<Counts> {
        say::line(&format!("cargo test {}", selection.join(" ")));
        let mut command = workspace::cargo();
        command.arg("test").arg("--no-fail-fast").args(selection).args(filter).args(["--", "--show-output"]);
        self.tell(&mut command);
        let mut child = command.stdout(Stdio::piped()).spawn().context("could not start cargo test")?;
        let mut reader = Reader::default();
        if let Some(output) = child.stdout.take() {
            for line in BufReader::new(output).split(b'\n') {
                let line = line?;
                let line = String::from_utf8_lossy(&line);
                if let Some(shown) = reader.take(&line) {
                    println!("{shown}");
                }
            }
        }
        let status = child.wait()?;
        failed.extend_from_slice(reader.failed());
        let mut counts = reader.counts();
        if !status.success() && counts.failed == 0 {
            // It did not compile, or a test program died without a result line.
            counts.failed = 1;
        }
        Ok(counts)
    }

    fn tell(&self, command: &mut Command) {
        let binary = workspace::target().join("debug/subrosa");
        command.env("SUBROSA_BIN", binary);
        let postgres = self.postgres.map(Postgres::url);
        let chromium = self.chromium.map(|found| (&found.browser, &found.driver));
        set(command, "SUBROSA_TEST_POSTGRES", postgres);
        set(command, "SUBROSA_TEST_CHROMIUM", chromium.map(|(browser, _)| browser));
        set(command, "SUBROSA_TEST_CHROMEDRIVER", chromium.map(|(_, driver)| driver));
    }
}

fn set(command: &mut Command, name: &str, value: Option<impl AsRef<std::ffi::OsStr>>) {
    match value {
        Some(value) => command.env(name, value),
        None => command.env_remove(name),
    };
}
