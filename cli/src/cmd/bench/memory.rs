//! The server's memory at 33,000 charts, after load by real clients. The server is a process of its own and the only one that is weighed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use subrosa_client::{NewBody, SoftPasskey, Vault};
use subrosa_crypto::random;
use subrosa_model::{ChartId, Compartment};

use super::load::Loader;
use super::measure::{load_average, memory_mb};
use super::practice::Practice;
use super::{At, Report, Row, roster};
use crate::out::{Failure, Out};

/// Seconds of loading and of load, where the variable says nothing else.
const LOADING: u64 = 45;
const LOAD: u64 = 45;
/// Sessions at work.
const SESSIONS: usize = 4;
/// What the issue asks for.
const ASKED: usize = 5_000_000;

fn seconds(variable: &str, otherwise: u64) -> Duration {
    Duration::from_secs(std::env::var(variable).ok().and_then(|t| t.parse().ok()).unwrap_or(otherwise))
}

pub async fn run(out: &Out) -> Result<Report, Failure> {
    let mut report = Report::default();
    let mut practice = Practice::found(None).await?;
    practice.stop().await?;
    let loader = Arc::new(Loader::of(&practice.owner)?);
    let store = practice.store().await?;
    let charts = loader.charts(&store, roster::people(roster::CHARTS), out).await?;
    let begun = Instant::now();
    let end = begun + seconds("SUBROSA_BENCH_LOADING_S", LOADING);
    let mut envelopes = charts.len();
    while Instant::now() < end {
        envelopes += loader.notes(&store, &charts, 4, Some(end)).await?;
    }
    let rate = (envelopes - charts.len()) as f64 / begun.elapsed().as_secs_f64();
    out.say(&format!("  {envelopes} envelopes"));
    store.close().await;

    let pid = practice.start().await?;
    let at_start = memory_mb(pid, "VmRSS");
    let before = load_average();
    let length = seconds("SUBROSA_BENCH_LOAD_S", LOAD);
    let charts = Arc::new(charts);
    let mut vaults = Vec::new();
    for _ in 0..SESSIONS {
        let mut vault = practice.sign_in().await?;
        vault.fresh(&practice.passkey).await.at("fresh passkey")?;
        vaults.push(vault);
    }
    if let [first, second, ..] = vaults.as_mut_slice() {
        let (one, two) = tokio::join!(first.sync_roster(), second.sync_roster());
        one.and(two).at("roster")?;
    }
    let rosters = memory_mb(pid, "VmRSS");
    let tasks: Vec<_> = vaults.into_iter().map(|vault| tokio::spawn(work(vault, practice.passkey.clone(), charts.clone(), length))).collect();
    let watch = async {
        let (begun, mut most) = (Instant::now(), 0f64);
        while begun.elapsed() < length {
            tokio::time::sleep(Duration::from_millis(200)).await;
            most = most.max(memory_mb(pid, "VmRSS"));
        }
        most
    };
    let most = watch.await;
    let mut total = Work::default();
    for task in tasks {
        total.add(task.await.at("load")??);
    }
    let after = memory_mb(pid, "VmRSS");
    let peak = memory_mb(pid, "VmHWM");
    practice.stop().await?;
    report.row(Row::new("resident memory of the server after the load", after, "MB").at_most(200.0));
    report.row(Row::new("… highest, sampled every 200 ms", most, "MB"));
    report.row(Row::new("… highest ever, as the kernel counts", peak, "MB").at_most(200.0));
    report.row(Row::new("… after two sessions at once had synchronised the whole roster of 33,000, before the load", rosters, "MB"));
    report.row(Row::new("… right after the start", at_start, "MB"));
    report.row(Row::new("bulk loader: genuine sealed and signed notes, durable", rate, "per s"));
    report.note(format!(
        "SCALE: {} charts and {envelopes} envelopes, which is 1/{:.0} of the 5 million that are asked for; the load lasted {} s instead of 10 minutes. \
         Load: {SESSIONS} sessions that never pause: {} charts opened, {} notes written, {} histories read. \
         MB are 10^6 bytes. Load average {before:.1} before. What the server keeps in memory grows with charts (the chart-head map), not with envelopes.",
        charts.len(),
        ASKED as f64 / envelopes as f64,
        length.as_secs(),
        total.opened,
        total.written,
        total.looked,
    ));
    Ok(report)
}

/// What was done.
#[derive(Default)]
struct Work {
    opened: usize,
    written: usize,
    looked: usize,
}

impl Work {
    fn add(&mut self, other: Work) {
        self.opened += other.opened;
        self.written += other.written;
        self.looked += other.looked;
    }
}

/// One session: charts at random, every third written to, every tenth asked who has looked.
async fn work(mut vault: Vault, passkey: SoftPasskey, charts: Arc<Vec<ChartId>>, length: Duration) -> Result<Work, Failure> {
    let begun = Instant::now();
    let mut done = Work::default();
    let mut shown = Instant::now();
    while begun.elapsed() < length {
        if shown.elapsed() > Duration::from_secs(45) {
            vault.fresh(&passkey).await.at("fresh passkey")?;
            shown = Instant::now();
        }
        let at = u64::from_le_bytes(random::make_bytes()) as usize % charts.len().max(1);
        let chart = charts.get(at).copied().unwrap_or_default();
        vault.open_chart(chart, &[Compartment::Identity, Compartment::Record]).await.at("opening")?;
        done.opened += 1;
        if done.opened % 3 == 0 {
            vault.write(chart, Compartment::Record, NewBody::note("Session", &"Slept better. ".repeat(60))).await.at("writing")?;
            done.written += 1;
        }
        if done.opened % 10 == 0 {
            vault.who_has_looked(chart).await.at("who has looked")?;
            done.looked += 1;
        }
        vault.close_chart(chart);
    }
    Ok(done)
}
