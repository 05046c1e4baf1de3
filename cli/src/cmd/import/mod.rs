//! `subrosa import`: records of other systems, read and sealed on this computer, written through the real client as a linked device.

mod read;
mod send;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use subrosa_client::{DeviceSecrets, ImportReport};
use subrosa_records::roster::DateOrder;
use subrosa_records::{ImportBatch, Options};

use self::read::{Note, Notes, Reading, find};
use self::send::Sending;
use super::link::{Place, failure, passphrase};
use crate::out::{Failure, Out};

/// Most notes that are printed for a person; `--json` has all.
const SHOWN: usize = 40;

/// Bring records in from files, folders and archives.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  subrosa import export/ clients.csv --server http://localhost:7110 --device office.device --source oldsystem\n\nReads FHIR R4 (JSON, NDJSON), C-CDA, patient lists (CSV) and documents in a folder per patient; also inside zip archives. A repeated import writes only what is\nmissing; one that broke off goes on where it was. --dry-run reads and reports, and sends nothing.")]
pub struct Args {
    /// Files, folders and zip archives.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    place: Place,
    /// This device's keys, made by `subrosa link`.
    #[arg(long, value_name = "FILE", required_unless_present = "dry_run")]
    device: Option<PathBuf>,
    /// A label for the system that the files come from, so that patient 1 of two systems are two patients. Use the same label each time.
    #[arg(long, value_name = "LABEL", default_value = "")]
    source: String,
    /// Order of birth dates in patient lists that leave it open.
    #[arg(long, value_enum, value_name = "ORDER")]
    dates: Option<Order>,
    /// Only read and report.
    #[arg(long)]
    dry_run: bool,
    /// Do not trust what this computer remembers of earlier imports; compare with what the server has. After a restore, for instance.
    #[arg(long)]
    compare: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Order {
    /// 31.12.1980
    Dmy,
    /// 12/31/1980
    Mdy,
    /// 1980-12-31
    Ymd,
}

/// What was found, over all passes.
#[derive(Default)]
struct Found {
    files: usize,
    patients: usize,
    schemas: BTreeMap<String, usize>,
    unowned: BTreeMap<&'static str, usize>,
}

impl Found {
    fn count(&mut self, batch: &ImportBatch) {
        self.patients += batch.patients.len();
        for (schema, n) in batch.counts_by_schema() {
            *self.schemas.entry(schema).or_default() += n;
        }
        for unowned in &batch.unowned {
            *self.unowned.entry(unowned.why.code()).or_default() += 1;
        }
    }
    fn things(&self) -> usize {
        self.schemas.values().sum()
    }
    fn of_nobody(&self) -> usize {
        self.unowned.values().sum()
    }
}

fn this_year() -> Option<u16> {
    let days = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs() / 86_400;
    // Gregorian years of 365.2425 days: right but for hours around New Year, and it only places two-digit years in a century.
    u16::try_from(1970 + days * 10_000 / 3_652_425).ok()
}

fn bar(out: &Out, length: u64, template: &str) -> ProgressBar {
    let bar = if out.is_json() { ProgressBar::hidden() } else { ProgressBar::new(length) };
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

pub fn run(args: Args, out: &Out) -> Result<(), Failure> {
    let mut notes = Notes::default();
    let sources = find(&args.paths, &mut notes)?;
    let options = Options { source: args.source.trim().to_owned(), this_year: this_year(), ..Options::default() };
    let dates = args.dates.map(|order| match order {
        Order::Dmy => DateOrder::DayMonthYear,
        Order::Mdy => DateOrder::MonthDayYear,
        Order::Ymd => DateOrder::YearMonthDay,
    });
    let reading = Reading::new(sources, options, dates);
    let mut found = Found { files: reading.files(), ..Found::default() };
    let report = if args.dry_run {
        read_only(reading, &mut found, &mut notes, out);
        None
    } else {
        let mut report = None;
        super::block_on(async {
            report = Some(import(&args, reading, &mut found, &mut notes, out).await?);
            Ok(())
        })?;
        report
    };
    tell(&found, &notes, report.as_ref(), out);
    if notes.refused.is_empty() {
        return Ok(());
    }
    if !out.is_json() {
        return Err(Failure::failed("files-refused", "Some files could not be read; they are named above."));
    }
    // The result with its `refused` has been printed; a second object would hide it.
    std::process::exit(1)
}

fn read_only(mut reading: Reading, found: &mut Found, notes: &mut Notes, out: &Out) {
    let bar = reading_bar(&reading, out);
    reading.prepare(notes, &mut |n| bar.inc(n));
    for pass in 0..reading.passes() {
        found.count(&reading.pass(pass, notes, &mut |n| bar.inc(n)));
    }
    bar.finish_and_clear();
}

fn reading_bar(reading: &Reading, out: &Out) -> ProgressBar {
    let rounds = if reading.passes() > 1 { reading.passes() + 1 } else { 1 };
    bar(out, reading.bytes().saturating_mul(rounds), "  reading {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left")
}

async fn import(args: &Args, mut reading: Reading, found: &mut Found, notes: &mut Notes, out: &Out) -> Result<ImportReport, Failure> {
    let device = args.device.as_deref().unwrap_or(std::path::Path::new(""));
    let sealed = std::fs::read(device).map_err(|e| Failure::usage("device", format!("{} cannot be read: {e}. Make it with `subrosa link`.", device.display())))?;
    let secrets = DeviceSecrets::open(&sealed, &passphrase(false)?).map_err(|e| failure(&e))?;
    let conn = args.place.connect()?;
    let mut sending = Sending::begin(&conn, &secrets, device, args.compare, out).await?;
    let work = async {
        let bytes = reading_bar(&reading, out);
        reading.prepare(notes, &mut |n| bytes.inc(n));
        for pass in 0..reading.passes() {
            let batch = reading.pass(pass, notes, &mut |n| bytes.inc(n));
            found.count(&batch);
            let total = batch.items.len() + batch.unowned.len();
            let of = if reading.passes() > 1 { format!(" (part {} of {})", pass + 1, reading.passes()) } else { String::new() };
            let entries = bar(out, total as u64, &format!("  sealing and sending {{pos}} of {{len}} things{of}, {{per_sec}}, {{eta}} left"));
            let sent = sending.send(batch, &entries).await;
            entries.finish_and_clear();
            sent?;
        }
        bytes.finish_and_clear();
        Ok(())
    };
    let done = tokio::select! {
        done = work => done,
        _ = tokio::signal::ctrl_c() => Err(Failure::failed("cancelled", "Stopped. What was sent stays; the same command goes on from there.")),
    };
    sending.end().await.and(done)?;
    Ok(sending.report)
}

fn tell(found: &Found, notes: &Notes, report: Option<&ImportReport>, out: &Out) {
    let mut skipped = notes.skipped.clone();
    if let Some(report) = report {
        skipped.extend(report.skipped.iter().map(|s| Note {
            at: if s.at.is_empty() { "while writing".to_owned() } else { s.at.clone() },
            code: s.code.to_owned(),
            reason: s.reason.clone(),
        }));
    }
    let list = |notes: &[Note]| notes.iter().map(|n| json!({ "at": n.at, "code": n.code, "reason": n.reason })).collect::<Vec<Value>>();
    let written = report.map(|r| {
        json!({ "charts_made": r.charts_made, "charts_known": r.charts_known, "entries": r.entries, "entries_known": r.entries_known, "bytes": r.bytes })
    });
    let object = json!({
        "ok": notes.refused.is_empty(), "dry_run": report.is_none(), "files": found.files, "patients": found.patients, "things": found.things(), "by_schema": found.schemas,
        "of_nobody": found.unowned, "written": written, "refused": list(&notes.refused), "skipped": list(&skipped), "remarks": list(&notes.remarks),
    });
    let mut text = format!("Found {} patients with {} things in {} files", found.patients, found.things(), found.files);
    for (schema, n) in &found.schemas {
        text.push_str(&format!("\n  {n:>8}  {schema}"));
    }
    if found.of_nobody() > 0 {
        text.push_str(&format!("\n  {:>8}  of no patient (kept in the chart of the practice)", found.of_nobody()));
    }
    if let Some(r) = report {
        text.push_str(&format!("\nWrote {} new entries in {} new charts and {} known ones; {} were there already.", r.entries, r.charts_made, r.charts_known, r.entries_known));
    } else {
        text.push_str("\nNothing was sent.");
    }
    for (title, notes) in [("Not read", &notes.refused), ("Not taken", &skipped), ("Taken, but look at it", &notes.remarks)] {
        if notes.is_empty() {
            continue;
        }
        text.push_str(&format!("\n{title}: {}", notes.len()));
        for note in notes.iter().take(SHOWN) {
            text.push_str(&format!("\n  {}: {} ({})", note.at, note.reason, note.code));
        }
        if notes.len() > SHOWN {
            text.push_str(&format!("\n  and {} more; --json lists all", notes.len() - SHOWN));
        }
    }
    out.result(&text, &object);
}
