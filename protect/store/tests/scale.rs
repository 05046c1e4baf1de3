//! How it does at the size of a large practice. Prints figures; run with `--ignored --nocapture`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod common;

use std::sync::Arc;
use std::time::Instant;

use common::{NOW, Place, Practice};
use subrosa_model::{ChartId, Compartment, OrderId};
use subrosa_protocol::access::What;
use subrosa_store::{Needs, Plan, Store, Targets, Write};

fn chart(n: u32) -> ChartId {
    ChartId(subrosa_crypto::sha256(&[&n.to_be_bytes()]).0[..16].try_into().unwrap())
}

async fn fill(store: &Store, practice: &Practice, count: u32) {
    let ids: Vec<ChartId> = (0..count).map(chart).collect();
    for chunk in ids.chunks(200) {
        let wraps: Vec<_> = chunk.iter().flat_map(|c| [practice.wrap(*c, Compartment::Identity), practice.wrap(*c, Compartment::Record)]).collect();
        let rows: Vec<_> = chunk.iter().map(|c| practice.roster_row(*c, "Rose")).collect();
        let events: Vec<_> = chunk.iter().map(|c| practice.event(What::ChartMade, Some(*c), 1)).collect();
        let (charts, owner) = (chunk.to_vec(), practice.owner);
        let needs = Needs { charts: chunk.to_vec(), ..Needs::default() };
        store
            .commit(NOW, needs, move |_| {
                let mut plan = Plan::accept(());
                for chart in &charts {
                    plan = plan.write(Write::Chart { chart: *chart, canary: false, maker: owner });
                }
                plan = plan.write(Write::Wraps { wraps: wraps.clone() });
                for (row, event) in rows.iter().zip(&events) {
                    plan = plan.write(Write::RosterRow { blob: row.clone() }).event(event.clone());
                }
                plan
            })
            .await
            .unwrap();
    }
}

on_both!(
    #[ignore = "takes a minute"]
    figures,
    async |place: Place| {
        let count = 33_000;
        let store = place.open().await;
        let practice = Arc::new(Practice::found(7, &store).await);
        let start = Instant::now();
        fill(&store, &practice, count).await;
        println!("{count} charts with 2 wraps, a row and a leaf each: {:?}", start.elapsed());

        let start = Instant::now();
        let mut tasks = Vec::new();
        for n in 0..64u32 {
            let (store, practice) = (store.clone(), practice.clone());
            tasks.push(tokio::spawn(async move {
                for k in 0..10 {
                    practice.release(&store, chart(n * 100 + k), 1_000_000, u64::from(n)).await.unwrap();
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        println!("640 releases, 64 at once: {:?}", start.elapsed());

        let start = Instant::now();
        let (receipt, _) = practice.release(&store, chart(9), 1_000_000, 3).await.unwrap();
        let snapshot = receipt.snapshot.unwrap();
        store.head_proofs(&snapshot, &[chart(9)]).await.unwrap();
        println!("one release with its proof: {:?}", start.elapsed());

        let ids: Vec<ChartId> = (0..count).map(chart).collect();
        let targets = Targets { teams: [practice.team].into(), member: None };
        let start = Instant::now();
        let page = store.roster(None, &ids, &targets, 0, 1_000).await.unwrap();
        println!("first {} rows of a roster of {count}: {:?}", page.rows.len(), start.elapsed());

        let start = Instant::now();
        let done = store.erase(chart(5), OrderId([1; 16]), NOW).await.unwrap();
        println!("erasing one chart ({} rows), all others sealed anew: {:?}", done.rows_destroyed, start.elapsed());

        store.close().await;
        let start = Instant::now();
        let store = place.open().await;
        store.snapshot().await.unwrap();
        println!("opening, and the map: {:?}", start.elapsed());
        let start = Instant::now();
        let report = store.verify().await.unwrap();
        println!("verifying {} records: {:?}", report.journal, start.elapsed());
        let start = Instant::now();
        store.rebuild().await.unwrap();
        println!("making the tables again: {:?}", start.elapsed());
        store.close().await;
    }
);
