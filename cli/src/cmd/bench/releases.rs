//! Durable releases per second through the store, held against bare group-committed inserts on the same machine and file system, in alternation.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use subrosa_client::{Clock, SystemClock};
use subrosa_crypto::{random, sha256};
use subrosa_model::{ChartId, MemberId, Role, Timestamp};
use subrosa_protocol::access::What;
use subrosa_protocol::pace::{Asked, Count, Gate, LIMITS, decide};
use subrosa_store::{Done, Needs, PaceMark, Plan, Store};

use super::bare::Bare;
use super::load::Loader;
use super::measure::{load_average, median, percentile, process_cpu};
use super::postgres::Urls;
use super::practice::Practice;
use super::{At, Report, Row};
use crate::out::{Failure, Out};

/// Requests that are under way at any time: each a member's, who waits for the answer.
const AT_ONCE: usize = 64;
/// Charts of each member, opened in turn.
const OWN: usize = 8;
/// Rounds of runs, each of release, bare insert and bare inserts.
const ROUNDS: usize = 5;
/// Statements that one release runs one after the other: idempotency, chart, relations, pace (2), chain; journal (2), leaf, nodes (2), chain, pace, idempotency.
const STATEMENTS: usize = 14;
/// Length of each run.
const RUN: Duration = Duration::from_millis(1500);

pub async fn run(out: &Out) -> Result<Report, Failure> {
    let mut report = Report::default();
    let before = load_average();
    out.say("SQLite");
    compare(None, &mut report, out).await?;
    match Urls::make().await? {
        Some(urls) => {
            out.say("PostgreSQL");
            compare(Some(urls), &mut report, out).await?;
        }
        None => report.row(Row::not_measured("PostgreSQL: no server was offered in SUBROSA_TEST_POSTGRES", "ratio ≥ 0.5")),
    }
    report.note(format!(
        "{AT_ONCE} requests under way at any time, {ROUNDS} rounds of runs of {} s in alternation (which begins alternates as well), median; load average {before:.1} before. \
         A release here is what the server commits for one opened chart: idempotency, pace, relations and chain read under the lock, the gate's decision, a salted leaf, \
         its tree nodes and chart chain, the pace record, and for each transaction a map root and a signed checkpoint. The comparison inserts one row of the same size as a \
         leaf's journal record, in transactions of up to 64 as well, through the same driver, with journal_mode=WAL and synchronous=FULL (PostgreSQL: fsync and \
         synchronous_commit on).",
        RUN.as_secs_f64()
    ));
    Ok(report)
}

/// One run: how many were done in how long, at what processor time, and how long each took.
struct Run {
    per_second: f64,
    cpu_us: f64,
    took: Vec<Duration>,
}

async fn compare(urls: Option<Urls>, report: &mut Report, out: &Out) -> Result<(), Failure> {
    let database = if urls.is_some() { "PostgreSQL" } else { "SQLite" };
    let mut practice = Practice::found(urls.clone()).await?;
    practice.stop().await?;
    let loader = Arc::new(Loader::of(&practice.owner)?);
    let store = practice.store().await?;
    let charts = loader.charts(&store, subrosa_synthetic::people(3, AT_ONCE * OWN), out).await?;
    let (beside, many_at) = match &urls {
        None => {
            let at = |name: &str| format!("sqlite://{}?mode=rwc", practice.place.data.join(name).display());
            (at("bare.db"), at("many.db"))
        }
        Some(urls) => (urls.main.clone(), urls.main.clone()),
    };
    let (bare, many) = (Bare::open(&beside, 1).await?, Bare::open(&many_at, STATEMENTS).await?);
    // The size of what is compared is that of what a release writes for its leaf.
    release(&store, &loader, MemberId(random::make_bytes()), charts.first().copied().unwrap_or_default()).await?;
    let records = store.export_since(0, 10_000).await.at("reading")?;
    let size = records.iter().rev().find(|r| r.kind == "leaf" && r.chart.is_some()).map_or(400, |r| r.body.len());

    let (mut ours, mut theirs, mut manys) = (Vec::new(), Vec::new(), Vec::new());
    let charts = Arc::new(charts);
    for round in 0..=ROUNDS {
        for turn in 0..3 {
            let insert = |bare: &Arc<Bare>| {
                let bare = bare.clone();
                load(move |_, _| {
                    let bare = bare.clone();
                    async move { bare.insert(vec![7; size]).await }
                })
            };
            match (round + turn) % 3 {
                0 => {
                    let (store, loader, charts) = (store.clone(), loader.clone(), charts.clone());
                    let run = random::make_bytes::<16>();
                    let work = move |who: usize, n: usize| {
                        let (store, loader) = (store.clone(), loader.clone());
                        let chart = charts.get(who * OWN + n % OWN).copied().unwrap_or_default();
                        // Another member after as many charts as one opens without a fresh passkey.
                        let hash = sha256(&[&run, &who.to_be_bytes(), &(n / OWN).to_be_bytes()]);
                        let member = MemberId(core::array::from_fn(|i| hash.0[i]));
                        async move { release(&store, &loader, member, chart).await }
                    };
                    ours.push(load(work).await?);
                }
                1 => theirs.push(insert(&bare).await?),
                _ => manys.push(insert(&many).await?),
            }
        }
    }
    // The first ones warm up.
    (ours.remove(0), theirs.remove(0), manys.remove(0));
    let ratios: Vec<f64> = ours.iter().zip(&theirs).map(|(o, t)| o.per_second / t.per_second).collect();
    let (low, high) = (ratios.iter().copied().fold(f64::MAX, f64::min), ratios.iter().copied().fold(0.0, f64::max));
    let of = |runs: &[Run], field: fn(&Run) -> f64| median(runs.iter().map(field).collect());
    let bare_rate = of(&theirs, |r| r.per_second);
    let ratio = median(ratios);
    report.row(
        Row::new(format!("{database}: durable releases"), of(&ours, |r| r.per_second), "per s").ratio_at_least(0.5, format!("{bare_rate:.0} bare inserts per s"), ratio),
    );
    for (what, runs) in [("release", &ours), ("bare insert", &theirs)] {
        let mut took: Vec<Duration> = runs.iter().flat_map(|r| r.took.iter().copied()).collect();
        took.sort();
        for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
            report.row(Row::new(format!("{database}: {what}, {name}"), percentile(&took, share), "ms"));
        }
        report.row(Row::new(format!("{database}: {what}, processor time of this process"), of(runs, |r| r.cpu_us), "µs"));
    }
    report.row(
        Row::new(format!("{database}: the bare writer, made to run {STATEMENTS} inserts for each request"), of(&manys, |r| r.per_second), "requests per s"),
    );
    let verified = store.verify().await.at("verifying")?;
    if !verified.problems.is_empty() {
        return Err(Failure::refused("bench", format!("The store does not hold after the load: {}", verified.problems.join("; "))));
    }
    report.note(format!(
        "{database}, where the time goes: the store runs about {STATEMENTS} statements for a release, one after the other. The bare writer made to run as many takes {:.0} % of a \
         release's time for its statements alone; the rest is the gate's reading, hashing, signing and encoding. The way to the target is fewer statements: read and write for a \
         whole batch at once.",
        of(&ours, |r| r.per_second) / of(&manys, |r| r.per_second).max(1e-9) * 100.0
    ));
    report.note(format!(
        "{database}: pairwise ratios from {low:.2} to {high:.2}; the compared row has {size} bytes; {} leaves were written, and the whole ledger verified afterwards.",
        verified.leaves
    ));
    store.close().await;
    Ok(())
}

/// One release as the server carries it out, up to its being durable.
async fn release(store: &Store, loader: &Loader, member: MemberId, chart: ChartId) -> Result<(), Failure> {
    let now: Timestamp = SystemClock.now();
    let nonce = random::make_bytes::<16>();
    let mut event = loader.event(What::Released, chart, now, &nonce);
    event.member = Some(member);
    let needs = Needs {
        charts: vec![chart],
        member: Some(member),
        own_since: now.plus(-LIMITS.own_window_ms),
        review: 0,
        idempotency: Some(sha256(&[b"bench", member.as_bytes(), &nonce])),
    };
    let done = store
        .commit(now, needs, move |view| {
            let new = u32::from(!view.own.contains(&chart));
            let count = Count { foreign: u32::try_from(view.foreign.len()).unwrap_or(u32::MAX), own_recent: u32::try_from(view.own.len()).unwrap_or(u32::MAX), passkey_at: now };
            match decide(Role::Clinician, count, Asked { foreign: 0, own: new }, now, &LIMITS) {
                Gate::Open if view.charts.contains_key(&chart) => Plan::accept(true).event(event.clone()).pace(PaceMark { chart, foreign: false }),
                _ => Plan::refuse(false),
            }
        })
        .await
        .at("releasing")?;
    match done {
        Done::New { verdict: true, .. } => Ok(()),
        _ => Err(Failure::failed("bench", "A release of the measurement was refused.")),
    }
}

/// Keeps `AT_ONCE` requests under way for the length of a run.
async fn load<F, W>(work: F) -> Result<Run, Failure>
where
    F: Fn(usize, usize) -> W + Clone + Send + 'static,
    W: Future<Output = Result<(), Failure>> + Send,
{
    let (begun, cpu) = (Instant::now(), process_cpu());
    let end = begun + RUN;
    let mut tasks = Vec::new();
    for who in 0..AT_ONCE {
        let work = work.clone();
        tasks.push(tokio::spawn(async move {
            let mut took = Vec::new();
            while Instant::now() < end {
                let one = Instant::now();
                work(who, took.len()).await?;
                took.push(one.elapsed());
            }
            Ok::<_, Failure>(took)
        }));
    }
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await.at("measuring")??);
    }
    let count = took.len().max(1) as f64;
    Ok(Run { per_second: count / begun.elapsed().as_secs_f64(), cpu_us: process_cpu().saturating_sub(cpu).as_secs_f64() * 1e6 / count, took })
}
