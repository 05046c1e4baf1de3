//! `subrosa bench`: the measurements of docs/benchmarks.md, each on a scratch practice of its own.
//!
//! Product and comparison are measured in one run. What a measurement leaves out, or does at a smaller scale, it says in its own rows.

mod bare;
mod download;
mod import;
mod load;
mod measure;
mod memory;
mod open;
mod postgres;
mod practice;
mod releases;
mod roster;

use clap::{Args as ClapArgs, ValueEnum};
use serde_json::{Value, json};

use crate::out::{Failure, Out};

#[derive(ClapArgs)]
#[command(after_help = "Example:\n  cargo xtask bench releases")]
pub struct Args {
    /// Which measurement.
    name: Name,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    /// Unlocking to a searchable roster of 33,000 charts, and a keystroke in it.
    Roster,
    /// Opening a chart of 500 notes.
    Open,
    /// Durable releases per second, held against bare inserts.
    Releases,
    /// The server's memory at 33,000 charts under load.
    Memory,
    /// What a browser downloads.
    Download,
    /// Reading and importing FHIR.
    Import,
}

/// What a measurement found.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Report {
    fn row(&mut self, row: Row) {
        self.rows.push(row);
    }
    /// A sentence below the table: scale, circumstances, where the time goes.
    fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }
}

/// One line of the table.
pub struct Row {
    what: String,
    value: Value,
    unit: &'static str,
    target: Option<String>,
    met: Option<bool>,
    against: Option<String>,
    ratio: Option<f64>,
}

impl Row {
    fn new(what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Row { what: what.into(), value: json!(value), unit, target: None, met: None, against: None, ratio: None }
    }
    /// Something that was asked for and not measured.
    fn not_measured(what: impl Into<String>, target: &str) -> Self {
        Row { value: json!("not measured"), target: Some(target.to_owned()), ..Self::new(what, 0.0, "") }
    }
    fn at_most(self, bound: f64) -> Self {
        let value = self.value.as_f64().unwrap_or(f64::MAX);
        Row { target: Some(format!("≤ {bound} {}", self.unit)), met: Some(value <= bound), against: Some("the target".into()), ratio: Some(value / bound), ..self }
    }
    fn at_least(self, bound: f64) -> Self {
        let value = self.value.as_f64().unwrap_or(0.0);
        Row { target: Some(format!("≥ {bound} {}", self.unit)), met: Some(value >= bound), against: Some("the target".into()), ratio: Some(value / bound), ..self }
    }
    /// Held against something else measured in the same run.
    fn ratio_at_least(self, bound: f64, against: impl Into<String>, ratio: f64) -> Self {
        Row { target: Some(format!("ratio ≥ {bound}")), met: Some(ratio >= bound), against: Some(against.into()), ratio: Some(ratio), ..self }
    }
    fn json(&self) -> Value {
        json!({ "what": self.what, "value": self.value, "unit": self.unit, "target": self.target, "met": self.met, "against": self.against, "ratio": self.ratio })
    }
    fn text(&self) -> String {
        let value = self.value.as_f64().map_or_else(|| self.value.as_str().unwrap_or_default().to_owned(), |v| format!("{v:.3}"));
        let target = self.target.as_ref().map_or_else(String::new, |t| format!("  ({t})"));
        let ratio = self.ratio.map_or_else(String::new, |r| format!("  ratio {r:.2} to {}", self.against.as_deref().unwrap_or("?")));
        let met = match self.met {
            Some(true) => "  met",
            Some(false) => "  MISSED",
            None => "",
        };
        format!("{}: {value} {}{target}{ratio}{met}", self.what, self.unit)
    }
}

/// Says what was being done when something failed.
trait At<T> {
    fn at(self, what: &str) -> Result<T, Failure>;
}

impl<T, E: core::fmt::Display> At<T> for Result<T, E> {
    fn at(self, what: &str) -> Result<T, Failure> {
        self.map_err(|e| Failure::failed("bench", format!("The measurement could not be carried out ({what}): {e}")))
    }
}

pub fn run(args: Args, out: &Out) -> Result<(), Failure> {
    let runtime = match args.name {
        // One core is what this one is about.
        Name::Import => tokio::runtime::Builder::new_current_thread().enable_all().build(),
        _ => tokio::runtime::Runtime::new(),
    };
    let report = runtime.at("starting")?.block_on(async {
        match args.name {
            Name::Roster => roster::run(out).await,
            Name::Open => open::run(out).await,
            Name::Releases => releases::run(out).await,
            Name::Memory => memory::run(out).await,
            Name::Download => download::run(),
            Name::Import => import::run(out).await,
        }
    })?;
    let lines: Vec<String> = report.rows.iter().map(Row::text).chain(report.notes.iter().cloned()).collect();
    out.result(&lines.join("\n"), &json!({ "rows": report.rows.iter().map(Row::json).collect::<Vec<_>>(), "notes": report.notes }));
    Ok(())
}
