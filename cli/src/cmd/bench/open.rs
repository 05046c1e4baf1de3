//! Opening a chart of 500 notes: release, verification and decryption, against a real server on loopback. Native.

use std::sync::Arc;
use std::time::{Duration, Instant};

use subrosa_model::{ChartId, Compartment};

use super::load::Loader;
use super::measure::{load_average, percentile};
use super::practice::Practice;
use super::{At, Report, Row};
use crate::out::{Failure, Out};

/// Notes in the chart.
const NOTES: usize = 500;
/// How often it is opened.
const TIMES: usize = 40;
/// Charts around it, so that map and proofs have a real depth.
const OTHERS: usize = 2_000;

pub async fn run(out: &Out) -> Result<Report, Failure> {
    let mut report = Report::default();
    let mut practice = Practice::found(None).await?;
    practice.stop().await?;
    let loader = Arc::new(Loader::of(&practice.owner)?);
    let store = practice.store().await?;
    let charts = loader.charts(&store, subrosa_synthetic::people(5, OTHERS), out).await?;
    let chart: ChartId = charts.first().copied().unwrap_or_default();
    loader.notes(&store, &[chart], NOTES, None).await?;
    store.close().await;
    practice.start().await?;

    let before = load_average();
    let (mut whole, mut waits, mut own) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..=TIMES {
        practice.wire.take_waited();
        let begun = Instant::now();
        let opened = practice.owner.open_chart(chart, &[Compartment::Identity, Compartment::Record]).await.at("opening")?;
        let (took, waited) = (begun.elapsed(), practice.wire.take_waited());
        if opened.entries.len() != NOTES + 1 {
            return Err(Failure::failed("bench", format!("The chart opened with {} entries.", opened.entries.len())));
        }
        // The first one warms up.
        if n > 0 {
            whole.push(took);
            waits.push(waited);
            own.push(took.saturating_sub(waited));
        }
    }
    let sorted = |mut list: Vec<Duration>| {
        list.sort();
        list
    };
    let (whole, waits, own) = (sorted(whole), sorted(waits), sorted(own));
    report.row(Row::new("chart of 500 notes, request to plaintext of every note, p50; native", percentile(&whole, 0.5), "ms"));
    report.row(Row::new("… p99", percentile(&whole, 0.99), "ms"));
    report.row(Row::new("… of it waiting for the server (durable release, proofs, 2.3 MB over loopback), p50", percentile(&waits, 0.5), "ms"));
    report.row(Row::new("… of it in the client (500 signatures, proofs, 500 envelopes), p50", percentile(&own, 0.5), "ms"));
    report.row(Row::not_measured("the same to the first screen in Chromium", "≤ 150 ms"));
    report.note(format!(
        "Opened {TIMES} times, each a new signed request that is durably recorded first; {OTHERS} charts in the ledger; load average {before:.1} before. \
         The target of 150 ms is for Chromium, so the native figure neither meets nor misses it."
    ));
    Ok(report)
}
