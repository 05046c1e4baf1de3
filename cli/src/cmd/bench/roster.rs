//! Unlocking to a searchable roster from the device's sealed copy, and a keystroke in it. Native.

use std::sync::Arc;
use std::time::{Duration, Instant};

use subrosa_client::open_offline;
use subrosa_synthetic::Person;

use super::load::Loader;
use super::measure::{load_average, median, percentile};
use super::practice::Practice;
use super::{At, Report, Row};
use crate::out::{Failure, Out};

/// Charts of the practice that the product is made for.
pub const CHARTS: usize = 33_000;
/// How often it is unlocked.
const TIMES: usize = 15;
/// Rows that a list shows.
const SHOWN: usize = 50;

/// Generated people with more names than the generator has: two thirds have a double name.
pub fn people(count: usize) -> Vec<Person> {
    let mut people = subrosa_synthetic::people(11, count);
    let others: Vec<String> = subrosa_synthetic::people(12, count).into_iter().map(|p| p.family).collect();
    for (n, (person, other)) in people.iter_mut().zip(others).enumerate() {
        person.notes = Vec::new();
        person.phone = format!("555-01{:02} ext. {}", n % 100, 1000 + n);
        if n % 3 != 0 && person.family != other {
            person.family = format!("{}-{other}", person.family);
        }
    }
    people
}

pub async fn run(out: &Out) -> Result<Report, Failure> {
    let mut report = Report::default();
    let mut practice = Practice::found(None).await?;
    practice.stop().await?;
    let loader = Arc::new(Loader::of(&practice.owner)?);
    let store = practice.store().await?;
    loader.charts(&store, people(CHARTS), out).await?;
    store.close().await;
    practice.start().await?;

    practice.owner.fresh(&practice.passkey).await.at("fresh passkey")?;
    practice.wire.take_waited();
    let begun = Instant::now();
    practice.owner.sync_roster().await.at("synchronising the roster")?;
    let synced = begun.elapsed().as_secs_f64();
    let waited = practice.wire.take_waited().as_secs_f64();
    let door = practice.owner.offline_door().await.at("offline door")?;
    let sealed = practice.owner.seal_roster();
    practice.stop().await?;

    let before = load_average();
    let mut unlocks = Vec::new();
    let mut roster = None;
    for _ in 0..TIMES {
        drop(roster.take());
        let begun = Instant::now();
        let offline = open_offline(&practice.passkey, None, &door).await.at("unlocking")?;
        let opened = offline.roster(&sealed).at("opening the sealed roster")?;
        let found = opened.search("lind", SHOWN).len();
        unlocks.push(begun.elapsed().as_secs_f64());
        if opened.len() != CHARTS || found == 0 {
            return Err(Failure::failed("bench", format!("The roster has {} rows and finds {found}.", opened.len())));
        }
        roster = Some(opened);
    }
    let roster = roster.unwrap_or_default();
    report.row(Row::new("unlock with a passkey, open the sealed roster of 33,000 charts, index it, first search; native", median(unlocks), "s").at_most(0.7));
    report.row(Row::not_measured("the same in Chromium", "≤ 2 s"));

    let mut took = Vec::new();
    for text in QUERIES {
        for (end, letter) in text.char_indices() {
            let typed = text.get(..end + letter.len_utf8()).unwrap_or(text);
            for _ in 0..3 {
                let begun = Instant::now();
                let found = roster.search(typed, SHOWN);
                took.push((begun.elapsed(), typed, found.len()));
            }
        }
    }
    let mut times: Vec<Duration> = took.iter().map(|t| t.0).collect();
    times.sort();
    let slowest = took.iter().max_by_key(|t| t.0).map_or("", |t| t.1);
    report.row(Row::new("keystroke to 50 found rows, p50; native", percentile(&times, 0.5), "ms"));
    report.row(Row::new("keystroke, p99; native", percentile(&times, 0.99), "ms").at_most(16.0));
    report.row(Row::new("keystroke, slowest; native", percentile(&times, 1.0), "ms").at_most(16.0));
    report.row(Row::new("first synchronisation of the whole roster from a server on loopback, every row and wrap verified", synced, "s"));
    report.row(Row::new("… of it waiting for the server, which records a leaf for each listed chart", waited, "s"));
    report.note(format!(
        "Median of {TIMES} unlocks; the sealed roster has {:.1} MB. {} keystrokes over names, beginnings, birth dates, phone numbers and typos; the slowest was {slowest:?}. \
         Load average {before:.1} before. Unlocking is the software passkey with PRF, unwrapping the bundle key, AES-256-GCM, decoding, and building the search index.",
        sealed.len() as f64 / 1e6,
        times.len()
    ));
    Ok(report)
}

/// Typed letter by letter.
const QUERIES: &[&str] = &[
    "lindqvist maya", "okafor-weber", "zimmer", "aino 1980", "bregman", "lindqvits karin", "13.5.1980", "5/13/80", "1994-02-11", "5550142", "k", "jansen-petrov dev",
    "quentin tanaka 19", "haddad farid", "koskinnen", "xu", "yilmaz ulla 2001", "m l",
];
