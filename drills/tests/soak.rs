//! Random kills under load: the real server loses power, so to say, again and again while real clients work; nothing acknowledged may be gone, and no
//! history may have a second version. Run by `cargo xtask soak`; `SUBROSA_SOAK_KILLS` says how often (100).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use subrosa_client::{ClientError, Connection, HttpTransport, IdentityDraft, NewBody, SetupOptions, SignIn, SoftPasskey, SystemClock, Vault, setup, signin};
use subrosa_crypto::random;
use subrosa_drills::drill::Scratch;
use subrosa_drills::server::Place;
use subrosa_model::{ChartId, Compartment, EntryId, Hash32};
use subrosa_protocol::access::What;

/// Sessions that work at the same time.
const WORKERS: usize = 4;
/// No more time than this for all of it.
const LIMIT: Duration = Duration::from_secs(40 * 60);
const PARTS: [Compartment; 2] = [Compartment::Identity, Compartment::Record];

/// What the server said yes to.
#[derive(Default)]
struct Acknowledged {
    versions: BTreeMap<ChartId, BTreeSet<(EntryId, Hash32)>>,
    opened: BTreeMap<ChartId, usize>,
    count: Counts,
}

#[derive(Default, Clone, Copy)]
struct Counts {
    charts: usize,
    notes: usize,
    amendments: usize,
    releases: usize,
    cut_off: usize,
}

struct Worker {
    vault: Vault,
    charts: Vec<ChartId>,
    said: Acknowledged,
}

/// Whether a failure is what a killed server looks like from outside. Nothing else is excused.
fn is_the_kill(error: &ClientError) -> bool {
    matches!(error, ClientError::Unreachable)
}

impl Worker {
    /// Works until the server is gone.
    async fn work(&mut self, passkey: &SoftPasskey, gone: &AtomicBool) {
        let mut turn = 0usize;
        loop {
            let outcome = self.step(turn, passkey).await;
            turn += 1;
            if let Err(error) = outcome {
                assert!(is_the_kill(&error), "the server refused in the middle of its work: {} ({error})", error.code());
                self.said.count.cut_off += 1;
                // An answer may be cut off a moment before this side knows that the server was killed.
                let begun = Instant::now();
                while !gone.load(Ordering::Acquire) {
                    assert!(begun.elapsed() < Duration::from_secs(20), "the server cannot be reached, but was not killed");
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                return;
            }
        }
    }

    async fn step(&mut self, turn: usize, passkey: &SoftPasskey) -> Result<(), ClientError> {
        let chart = *self.charts.get(turn % self.charts.len().max(1)).unwrap();
        match turn % 6 {
            0 if self.charts.len() < 4 && u8::from_le_bytes(random::make_bytes()) < 40 => {
                self.vault.fresh(passkey).await?;
                let chart = self.vault.make_chart(&IdentityDraft::new("Soak", "Patient", "1980-05-13", Vec::new())).await?;
                self.charts.push(chart);
                self.said.count.charts += 1;
            }
            1 | 3 => {
                let written = self.vault.write(chart, Compartment::Record, NewBody::note("Session", &"Slept better. ".repeat(40))).await?;
                self.said.versions.entry(chart).or_default().insert((written.entry, written.hash));
                self.said.count.notes += 1;
            }
            5 => {
                let entry = self.said.versions.get(&chart).and_then(|v| v.first()).map(|v| v.0);
                if let Some(entry) = entry {
                    let written = self.vault.amend(chart, Compartment::Record, entry, NewBody::note("Session, amended", "Slept worse.")).await?;
                    self.said.versions.entry(chart).or_default().insert((written.entry, written.hash));
                    self.said.count.amendments += 1;
                }
            }
            _ => {
                self.vault.open_chart(chart, &PARTS).await?;
                *self.said.opened.entry(chart).or_default() += 1;
                self.said.count.releases += 1;
            }
        }
        Ok(())
    }

    /// Everything acknowledged is there; the client's own checks (pins, chains, proofs, no fork) run as always.
    async fn check(&mut self, passkey: &SoftPasskey) {
        self.vault.fresh(passkey).await.expect("a fresh passkey after the restart");
        for chart in self.charts.clone() {
            let opened = self.vault.open_chart(chart, &PARTS).await.unwrap_or_else(|e| panic!("after a kill a chart does not open: {} ({e})", e.code()));
            *self.said.opened.entry(chart).or_default() += 1;
            let there: BTreeSet<(EntryId, Hash32)> = opened.entries.iter().flat_map(|e| e.versions.iter().map(|v| (e.entry, v.hash))).collect();
            let lost = self.said.versions.get(&chart).map_or(0, |said| said.difference(&there).count());
            assert_eq!(lost, 0, "{lost} acknowledged versions are gone");
            let looked = self.vault.who_has_looked(chart).await.unwrap_or_else(|e| panic!("after a kill a history does not verify: {} ({e})", e.code()));
            let releases = looked.events.iter().flatten().filter(|e| e.what == What::Released).count();
            let said = self.said.opened.get(&chart).copied().unwrap_or_default();
            assert!(releases >= said, "{said} releases were acknowledged and {releases} are recorded");
        }
    }
}

/// `subrosa backup` into the same folder each time: it verifies what it takes, and stops if the ledger does not extend what it holds.
fn keep(place: &Place, to: &Path) -> Value {
    let output = place.command().args(["--json", "backup", "--from", &place.base(), "--data-dir"]).arg(&place.data).arg("--to").arg(to).output().unwrap();
    last_object(&output.stdout, "backup", output.status.success())
}

/// `subrosa verify`: every signature, chain, map and checkpoint, without any key.
fn verify(place: &Place, backup: &Path) -> Value {
    let output = place.command().args(["--json", "verify"]).arg(backup).output().unwrap();
    last_object(&output.stdout, "verify", output.status.success())
}

fn last_object(stdout: &[u8], what: &str, fine: bool) -> Value {
    let text = String::from_utf8_lossy(stdout);
    let object: Value = text.lines().rev().find_map(|l| serde_json::from_str(l).ok()).unwrap_or_default();
    assert!(fine && object["ok"] == true, "{what}: {text}");
    object
}

async fn session(conn: &Connection, passkey: &SoftPasskey) -> Vault {
    match signin(conn, passkey, None).await.unwrap() {
        SignIn::Open(vault) => *vault,
        SignIn::NeedsWords(_) => panic!("asked for words"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes minutes; cargo xtask soak"]
async fn nothing_acknowledged_is_lost_however_often_the_server_is_killed() {
    let Some(options) = common::options() else { return };
    let kills: usize = std::env::var("SUBROSA_SOAK_KILLS").ok().and_then(|t| t.parse().ok()).unwrap_or(100);
    let scratch = Scratch::open(&options).unwrap();
    let mut place = Place::new(&options.binary, &scratch).unwrap();
    place.log = "error";
    let backup = scratch.folder("copies").unwrap();

    let mut server = place.start().await.unwrap();
    let passkey = SoftPasskey::new(&place.base());
    let conn = Connection::new(Arc::new(HttpTransport::new(&place.base()).unwrap()), Arc::new(SystemClock));
    let token = server.setup_token.clone().unwrap();
    let mut made = setup(&conn, &passkey, &SetupOptions { token, owner_name: "Soak owner".into(), time_zone: "Europe/Zurich".into() }).await.unwrap();
    made.vault.put_kit().await.unwrap();
    made.vault.turn_epochs_if_needed().await.unwrap();
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        let mut vault = session(&conn, &passkey).await;
        vault.fresh(&passkey).await.unwrap();
        let chart = vault.make_chart(&IdentityDraft::new("Soak", "Patient", "1980-05-13", Vec::new())).await.unwrap();
        workers.push(Worker { vault, charts: vec![chart], said: Acknowledged::default() });
    }

    let begun = Instant::now();
    let (mut killed, mut restarts, mut kept) = (0, Vec::new(), Value::Null);
    while killed < kills && begun.elapsed() < LIMIT {
        let gone = Arc::new(AtomicBool::new(false));
        let tasks: Vec<_> = workers
            .drain(..)
            .map(|mut worker| {
                let (passkey, gone) = (passkey.clone(), gone.clone());
                tokio::spawn(async move {
                    worker.work(&passkey, &gone).await;
                    worker
                })
            })
            .collect();
        let wait = 20 + u64::from(u16::from_le_bytes(random::make_bytes())) % 900;
        tokio::time::sleep(Duration::from_millis(wait)).await;
        // Dropping it is kill -9.
        drop(server);
        gone.store(true, Ordering::Release);
        for task in tasks {
            workers.push(task.await.expect("a worker found something that no kill explains"));
        }
        killed += 1;

        let restart = Instant::now();
        server = place.start().await.unwrap();
        restarts.push(restart.elapsed());
        for worker in &mut workers {
            worker.check(&passkey).await;
        }
        kept = keep(&place, &backup);
        if killed % 10 == 0 {
            verify(&place, &backup);
            println!("{killed} kills, {} s", begun.elapsed().as_secs());
        }
    }
    let verified = verify(&place, &backup);
    server.stop().await.unwrap();

    // Whoever gets here lost nothing and saw one history: every check above ends the run otherwise.
    restarts.sort();
    let mut total = Counts::default();
    for worker in &workers {
        let c = worker.said.count;
        total.charts += c.charts + 1;
        total.notes += c.notes;
        total.amendments += c.amendments;
        total.releases += c.releases;
        total.cut_off += c.cut_off;
    }
    println!(
        "soak: kills={killed} acknowledged charts={} notes={} amendments={} releases={} cut_off={} lost=0 forks=0 records_verified={} ledger={} slowest_restart_ms={} kept={} seconds={}",
        total.charts,
        total.notes,
        total.amendments,
        total.releases,
        total.cut_off,
        verified["records"],
        verified["ledger"],
        restarts.last().map_or(0, Duration::as_millis),
        kept["round"]["kept"],
        begun.elapsed().as_secs(),
    );
    assert_eq!(killed, kills, "the time was over after {killed} kills");
}
