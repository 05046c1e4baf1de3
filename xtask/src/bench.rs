//! `cargo xtask bench`: runs the measurements of the product in a release build and writes `docs/benchmarks.md`.
//!
//! `SUBROSA_BIN` names a program that is built already.
//!
//! A measurement is `subrosa bench NAME --json`. It measures the product and, in the same run, what it is compared
//! with, and prints as its last line an object `{"rows": [{"what", "value", "unit", "target", "met", "against",
//! "ratio"}], "notes": [..]}`; the last four may be missing, and so may the notes.

use crate::postgres::Postgres;
use crate::{say, system, web, workspace};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The measurements: the name on the command line, and the question in words. A new one is one more line here.
const BENCHES: &[(&str, &str)] = &[
    ("roster", "How long until a practice of 33,000 charts can be searched, from the device's own sealed copy?"),
    ("open", "How long until a chart of 500 notes can be read?"),
    ("releases", "How many releases per second become durable, held against bare inserts that become durable?"),
    ("memory", "How much memory does the server hold at 33,000 charts, after load?"),
    ("download", "How much does a browser download?"),
    ("import", "How fast is FHIR JSON read, and imported, on one core?"),
];

/// Runs all measurements, or those named.
pub fn bench(names: &[String]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| !BENCHES.iter().any(|(known, _)| *known == name.as_str())) {
        let known: Vec<&str> = BENCHES.iter().map(|(name, _)| *name).collect();
        bail!("there is no measurement {unknown:?}; there are: {}", known.join(", "));
    }
    if BENCHES.is_empty() {
        bail!("no measurement is registered in xtask/src/bench.rs");
    }
    let binary = match std::env::var_os("SUBROSA_BIN") {
        Some(built) => PathBuf::from(built),
        None => {
            web::build()?;
            say::line("building the server with release optimisation");
            system::run(workspace::cargo().args(["build", "--release", "--package", "subrosa"]))?;
            workspace::target().join("release/subrosa")
        }
    };
    let file = workspace::root().join("docs/benchmarks.md");
    let old = fs::read_to_string(&file).unwrap_or_default();
    let mut text = String::from(
        "# Benchmarks\n\nWritten by `cargo xtask bench`. Product and comparison are measured in one run on one machine; \
         the ratio is what travels to another.\n",
    );
    let mut missed = 0;
    for (name, question) in BENCHES {
        if !names.is_empty() && !names.iter().any(|wanted| wanted == name) {
            text.push_str(&section(&old, name));
            continue;
        }
        say::line(&format!("measuring {name}"));
        let (rows, notes) = measure(&binary, name)?;
        missed += rows.iter().filter(|row| row["met"] == false).count();
        text.push_str(&describe(name, question, &rows, &notes));
    }
    fs::write(&file, text)?;
    say::line(&format!("wrote {}", file.display()));
    if missed > 0 {
        bail!("{missed} measurements missed their target");
    }
    Ok(())
}

fn measure(binary: &Path, name: &str) -> Result<(Vec<Value>, Vec<String>)> {
    let mut command = Command::new(binary);
    command.args(["bench", name, "--json"]).current_dir(workspace::root()).stdin(Stdio::null());
    // Offered to all; the one that compares with PostgreSQL says so when it is not there.
    let postgres = match (name, std::env::var_os("SUBROSA_TEST_POSTGRES")) {
        ("releases", None) => Postgres::start().inspect_err(|e| say::line(&format!("no PostgreSQL: {e:#}"))).ok(),
        _ => None,
    };
    if let Some(postgres) = &postgres {
        command.env("SUBROSA_TEST_POSTGRES", postgres.url());
    }
    let output = system::output_of(&mut command)?;
    let last = output.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let value: Value = serde_json::from_str(last).with_context(|| format!("bench {name}: the last line is not JSON"))?;
    let notes = value["notes"].as_array().into_iter().flatten().filter_map(|n| n.as_str().map(str::to_owned)).collect();
    match value["rows"].as_array() {
        Some(rows) if !rows.is_empty() => Ok((rows.clone(), notes)),
        _ => bail!("bench {name} printed no rows"),
    }
}

fn describe(name: &str, question: &str, rows: &[Value], notes: &[String]) -> String {
    let mut text = format!("\n## {name}\n\n{question}\n\n");
    let _ = writeln!(text, "`subrosa bench {name}`, {}\n", machine());
    text.push_str("| what | measured | target | met | compared with | ratio |\n|---|---|---|---|---|---|\n");
    for row in rows {
        let met = match row["met"].as_bool() {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        let _ = writeln!(
            text,
            "| {} | {} {} | {} | {met} | {} | {} |",
            cell(&row["what"]),
            cell(&row["value"]),
            cell(&row["unit"]),
            cell(&row["target"]),
            cell(&row["against"]),
            cell(&row["ratio"]),
        );
    }
    for note in notes {
        let _ = write!(text, "\n{note}\n");
    }
    text
}

/// The old text of one section, from its heading to the next.
fn section(document: &str, name: &str) -> String {
    let heading = format!("\n## {name}\n");
    let Some((_, rest)) = document.split_once(&heading) else { return String::new() };
    let body = rest.split_once("\n## ").map_or(rest, |(body, _)| body);
    format!("{heading}{}\n", body.trim_end_matches('\n'))
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.replace('|', "\\|"),
        Value::Number(number) => match number.as_f64() {
            Some(float) if !number.is_u64() && !number.is_i64() => rounded(float),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

/// Three digits that mean something.
fn rounded(number: f64) -> String {
    match number.abs() {
        size if size >= 100.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        size if size >= 1.0 => format!("{number:.2}"),
        _ => format!("{number:.3}"),
    }
}

/// Processor, cores, memory, compiler, revision and day.
fn machine() -> String {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map_or_else(String::new, |(_, value)| value.trim().to_owned())
    };
    let said = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).current_dir(workspace::root()).output();
        output.map_or_else(|_| String::new(), |out| String::from_utf8_lossy(&out.stdout).trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory: u64 =
        field("/proc/meminfo", "MemTotal").split(' ').next().and_then(|kib| kib.parse().ok()).unwrap_or_default();
    format!(
        "{} ({cores} cores, {} GiB), {}, revision {}, {}",
        field("/proc/cpuinfo", "model name"),
        memory.div_ceil(1024 * 1024),
        said("rustc", &["--version"]),
        said("git", &["rev-parse", "--short", "HEAD"]),
        said("date", &["-u", "+%Y-%m-%d"]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_section_is_kept_when_only_another_is_measured_again() {
        let rows = [json!({ "what": "open", "value": 1.2345, "unit": "ms", "ratio": 0.5, "met": false })];
        let notes = ["Measured twice.".to_owned()];
        let document = format!("# B\n{}{}", describe("one", "How fast?", &rows, &notes), describe("two", "And?", &rows, &[]));
        assert_eq!(section(&document, "one"), describe("one", "How fast?", &rows, &notes));
        assert_eq!(section(&document, "two"), describe("two", "And?", &rows, &[]));
        assert_eq!(section(&document, "three"), "");
        assert!(document.contains("| open | 1.23 ms |  | **no** |  | 0.500 |"));
    }
}
