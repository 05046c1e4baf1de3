//! FHIR JSON into items, and into sealed and signed entries, on one core.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use subrosa_client::{ImportOptions, ImportState};
use subrosa_records::{Importer, Options};

use super::measure::{load_average, median, thread_cpu};
use super::practice::Practice;
use super::{At, Report, Row};
use crate::out::{Failure, Out};

/// Sample patients that are read.
const MOST_BYTES: usize = 48 * 1024 * 1024;
/// How often each is measured, in alternation.
const TIMES: usize = 3;

pub async fn run(out: &Out) -> Result<Report, Failure> {
    let (files, origin) = samples();
    let bytes: usize = files.iter().map(|f| f.1.len()).sum();
    out.say(&format!("  {} files, {:.1} MB, {origin}", files.len(), bytes as f64 / 1e6));
    let before = load_average();
    // Its one server thread does nothing meanwhile: what is written ends in this process.
    let mut practice = Practice::found(None).await?;
    practice.wire.swallow_writes();
    let (mut reads, mut wholes, mut walls, mut sinks) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut entries = 0;
    for _ in 0..TIMES {
        let cpu = thread_cpu();
        for (name, content) in &files {
            subrosa_records::read(name, content, &Options::default()).at("reading")?;
        }
        reads.push(rate(bytes, thread_cpu().saturating_sub(cpu)));

        // Each time as in a practice that has none of it yet.
        let mut owner = practice.sign_in().await?;
        owner.turn_epochs_if_needed().await.at("team keys")?;
        practice.wire.take_waited();
        let (begun, cpu) = (Instant::now(), thread_cpu());
        let mut importer = Importer::new(Options::default());
        for (name, content) in &files {
            importer.add(name, content).at("reading")?;
        }
        let batch = importer.finish();
        let mut state = ImportState::default();
        entries = owner.import(&batch, &mut state, &ImportOptions::default(), None, |_| {}).await.at("importing")?.entries;
        wholes.push(rate(bytes, thread_cpu().saturating_sub(cpu)));
        walls.push(rate(bytes, begun.elapsed()));
        sinks.push(practice.wire.take_waited().as_secs_f64() / begun.elapsed().as_secs_f64() * 100.0);
    }
    practice.stop().await?;
    let mut report = Report::default();
    report.row(Row::new("FHIR JSON read into items", median(reads), "MB per core second").at_least(10.0));
    report.row(Row::new("whole import: read, padded, sealed, signed, encoded as requests", median(wholes), "MB per core second").at_least(10.0));
    report.row(Row::new("whole import by the clock on the wall", median(walls), "MB/s"));
    report.note(format!(
        "{} files, {:.1} MB, {origin}; {entries} entries; {:.0} MB of requests in the {TIMES} runs. The real client's import; its requests end in the same thread, which decodes and \
         acknowledges them, so the server's work is not in it ({:.0} % of the time went there and is counted). Core seconds are the thread's processor time. \
         Every resource is an entry of its own, padded to at least 4 KiB. Load average {before:.1} before.",
        files.len(),
        bytes as f64 / 1e6,
        practice.wire.swallowed() as f64 / 1e6,
        median(sinks),
    ));
    Ok(report)
}

fn rate(bytes: usize, took: Duration) -> f64 {
    bytes as f64 / 1e6 / took.as_secs_f64().max(1e-9)
}

/// Sample bundles, smallest first; generated ones where there are none.
fn samples() -> (Vec<(String, Vec<u8>)>, &'static str) {
    let folder = std::env::var_os("SUBROSA_CORPORA").map_or_else(|| PathBuf::from("../shared/corpora"), PathBuf::from).join("fhir-synthea-r4");
    let found = read_folder(&folder);
    if found.is_empty() { (vec![("generated.json".to_owned(), generated())], "generated") } else { (found, "Synthea R4 transaction bundles") }
}

fn read_folder(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut paths: Vec<(u64, PathBuf)> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|e| Some((e.metadata().ok()?.len(), e.path()))).collect();
    paths.retain(|(_, p)| p.extension().is_some_and(|e| e == "json"));
    paths.sort();
    let mut total = 0;
    let mut files = Vec::new();
    for (_, path) in paths {
        let Ok(bytes) = std::fs::read(&path) else { continue };
        total += bytes.len();
        if total > MOST_BYTES {
            break;
        }
        files.push((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), bytes));
    }
    files
}

/// A transaction bundle of 500 patients with 20 observations each.
fn generated() -> Vec<u8> {
    let mut entries = Vec::new();
    for (n, person) in subrosa_synthetic::people(9, 500).iter().enumerate() {
        entries.push(serde_json::json!({ "fullUrl": format!("urn:uuid:p{n}"), "resource": {
            "resourceType": "Patient", "id": format!("p{n}"), "birthDate": person.birth_date, "name": [{ "family": person.family, "given": [person.given] }] } }));
        for k in 0..20 {
            entries.push(serde_json::json!({ "fullUrl": format!("urn:uuid:o{n}-{k}"), "resource": {
                "resourceType": "Observation", "id": format!("o{n}-{k}"), "status": "final", "subject": { "reference": format!("urn:uuid:p{n}") },
                "code": { "coding": [{ "system": "urn:bench", "code": "score", "display": "Score of a generated questionnaire" }], "text": "Score" },
                "effectiveDateTime": format!("2026-0{}-11T10:00:00Z", 1 + k % 9), "valueQuantity": { "value": k, "unit": "{score}", "code": "{score}" },
                "note": [{ "text": "Generated for a measurement; invented, like the person it is about." }] } }));
        }
    }
    serde_json::to_vec(&serde_json::json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries })).unwrap_or_default()
}
