//! Many at once: the ledger does not fork and the pace counter is not passed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod common;

use common::{NOW, Place, Practice};
use subrosa_model::{ChartId, Hash32};
use subrosa_protocol::access::{What, access_origin};
use subrosa_protocol::keys::LedgerPin;
use subrosa_store::{Done, Needs, Plan, Store, StoreError};

const BOUND: usize = 20;

fn chart(n: u16) -> ChartId {
    let mut id = [0xc4; 16];
    id[..2].copy_from_slice(&n.to_be_bytes());
    ChartId(id)
}

on_both!(two_hundred_racing_releases_neither_fork_the_ledger_nor_pass_the_counter, async |place: Place| {
    let first = place.open().await;
    let practice = Practice::found(7, &first).await;
    for n in 0..100 {
        practice.try_chart(&first, chart(n)).await.unwrap();
    }
    // On PostgreSQL a second server stands beside the first; on SQLite the one process has many tasks.
    let second = if place.is_postgres() { Store::open(place.config_in(&place.dir.path().join("second"))).await.unwrap() } else { first.clone() };
    let mut tasks = Vec::new();
    let practice = std::sync::Arc::new(practice);
    for n in 0..200u16 {
        let store = if n % 2 == 0 { first.clone() } else { second.clone() };
        let practice = practice.clone();
        tasks.push(tokio::spawn(async move { practice.release(&store, chart(n % 100), BOUND, u64::from(n)).await.unwrap() }));
    }
    let mut released = std::collections::BTreeSet::new();
    let mut pins: Vec<LedgerPin> = Vec::new();
    for (n, task) in tasks.into_iter().enumerate() {
        let (receipt, opened) = task.await.unwrap();
        let snapshot = receipt.snapshot.unwrap();
        if opened {
            let chart = chart((n % 100) as u16);
            released.insert(chart);
            // Each that was let through has the proof that its own request is the chart's newest leaf.
            let pin = LedgerPin { size: snapshot.size(), root: snapshot.root() };
            let head = first.head_proofs(&snapshot, &[chart]).await.unwrap().remove(0);
            head.verify(&practice.id, &chart, &pin).unwrap();
            assert_eq!(head.head.opened.event.unwrap().request, practice.event(What::Released, None, n as u64).request);
            pins.push(pin);
        }
    }
    assert_eq!(released.len(), BOUND, "exactly the bound, whoever was first");
    let newest = second.snapshot().await.unwrap().unwrap();
    for pin in pins {
        second.extension(&newest, pin.size).await.unwrap().verify(&access_origin(&practice.id), &first.log_key(), &pin).unwrap();
    }
    let report = second.verify().await.unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
    assert_eq!(report.charts, 100);
    first.close().await;
    second.close().await;
});

on_both!(a_repeated_request_is_carried_out_once, async |place: Place| {
    let store = place.open().await;
    let practice = Practice::found(7, &store).await;
    let a = practice.chart(&store, 1).await;
    let mut tasks = Vec::new();
    for _ in 0..20 {
        let (store, event) = (store.clone(), practice.event(What::Released, Some(a), 1));
        let needs = Needs { charts: vec![a], idempotency: Some(Hash32([3; 32])), ..Needs::default() };
        tasks.push(tokio::spawn(async move { store.commit(NOW, needs, move |_| Plan::accept(()).event(event.clone())).await.unwrap() }));
    }
    let mut leaves = std::collections::BTreeSet::new();
    let mut new = 0;
    for task in tasks {
        match task.await.unwrap() {
            Done::New { receipt, .. } => {
                new += 1;
                leaves.insert(receipt.leaves);
            }
            Done::Repeated { receipt } => {
                assert!(receipt.snapshot.is_some());
                leaves.insert(receipt.leaves);
            }
        }
    }
    assert_eq!((new, leaves.len()), (1, 1));
    // A refusal is not remembered: the same request may succeed later.
    let needs = Needs { idempotency: Some(Hash32([4; 32])), ..Needs::default() };
    store.commit(NOW, needs.clone(), |_| Plan::refuse(())).await.unwrap();
    assert!(matches!(store.commit(NOW, needs, |_| Plan::accept(())).await.unwrap(), Done::New { .. }));
    store.close().await;
});

on_both!(one_bad_operation_does_not_spoil_its_batch, async |place: Place| {
    let store = place.open().await;
    let practice = std::sync::Arc::new(Practice::found(7, &store).await);
    let mut tasks = Vec::new();
    for n in 0..40u16 {
        let (store, practice) = (store.clone(), practice.clone());
        tasks.push(tokio::spawn(async move {
            // Every fourth wants a chart that the one before it makes, or names a chart without listing it.
            if n % 4 == 3 {
                let event = practice.event(What::Released, Some(chart(n)), 1);
                store.commit(NOW, Needs::default(), move |_| Plan::accept(()).event(event.clone())).await.map(|_| ())
            } else {
                practice.try_chart(&store, chart(n - n % 2)).await.map(|_| ())
            }
        }));
    }
    let (mut made, mut exists, mut misuse) = (0, 0, 0);
    for task in tasks {
        match task.await.unwrap() {
            Ok(()) => made += 1,
            Err(StoreError::Exists(_)) => exists += 1,
            Err(StoreError::Misuse(_)) => misuse += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((made, exists, misuse), (20, 10, 10));
    assert_eq!(store.verify().await.unwrap().problems, Vec::<String>::new());
    store.close().await;
});

#[tokio::test]
async fn a_full_queue_says_so_and_a_closed_store_too() {
    let place = Place::sqlite();
    let mut config = place.config();
    config.queue = 2;
    let store = Store::open(config).await.unwrap();
    let _practice = Practice::found(7, &store).await;
    // One thread: nothing is taken out of the queue between these sends.
    let sends: Vec<_> = (0..10).map(|_| store.commit(NOW, Needs::default(), |_| Plan::accept(()))).collect();
    let done = futures::future::join_all(sends).await;
    assert_eq!(done.iter().filter(|d| matches!(d, Err(StoreError::Busy))).count(), 8);
    store.close().await;
    assert_eq!(store.commit(NOW, Needs::default(), |_| Plan::accept(())).await.unwrap_err(), StoreError::Closed);
}
