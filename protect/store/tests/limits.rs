//! Full disks, wrong places, newer data.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod common;

use common::{NOW, Place, Practice};
use subrosa_model::{ChartId, EntryId, MemberId, Timestamp};
use subrosa_protocol::access::What;
use subrosa_store::{Done, Needs, PaceMark, Plan, Store, StoreError, Write};

#[tokio::test]
async fn a_full_disk_refuses_writes_names_itself_and_lets_reading_go_on() {
    let place = Place::sqlite();
    let mut config = place.config();
    config.max_pages = Some(150);
    let store = Store::open(config.clone()).await.unwrap();
    let practice = Practice::found(7, &store).await;
    let chart = practice.chart(&store, 1).await;
    let mut written = 0;
    let error = loop {
        let blob = practice.entry(chart, EntryId([written; 16]), 1, None, "said in confidence");
        match store.commit(NOW, Needs { charts: vec![chart], ..Needs::default() }, move |_| Plan::accept(()).write(Write::Entry { blob: blob.clone() })).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((error.code(), error.is_temporary()), ("disk-full", true));
    assert!(written > 3);
    assert_eq!(store.verify().await.unwrap().problems, Vec::<String>::new());
    assert!(store.chart(&chart).await.unwrap().is_some());
    assert_eq!(store.directory(0).await.unwrap().size, 4);
    store.close().await;
    config.max_pages = None;
    let store = Store::open(config).await.unwrap();
    practice.chart(&store, 2).await;
    assert_eq!(store.verify().await.unwrap().problems, Vec::<String>::new());
    store.close().await;
}

#[tokio::test]
async fn a_directory_serves_one_process_at_a_time() {
    let place = Place::sqlite();
    let store = place.open().await;
    assert_eq!(Store::open(place.config()).await.unwrap_err(), StoreError::Locked);
    store.close().await;
    place.open().await.close().await;
}

on_both!(data_of_a_newer_program_is_refused, async |place: Place| {
    place.open().await.close().await;
    let url = match &place.urls {
        None => format!("sqlite://{}", place.path().join("keys.db").display()),
        Some((_, keys)) => keys.clone(),
    };
    let pool = sqlx::AnyPool::connect(&url).await.unwrap();
    sqlx::query("UPDATE store_schema SET version = 99").execute(&pool).await.unwrap();
    pool.close().await;
    assert!(matches!(Store::open(place.config()).await, Err(StoreError::NewerSchema { part: "keys", found: 99, .. })));
});

on_both!(a_practice_is_founded_once, async |place: Place| {
    let store = place.open().await;
    assert_eq!(store.commit(NOW, Needs::default(), |_| Plan::accept(())).await.unwrap_err(), StoreError::NotFounded);
    let key = store.log_key();
    let practice = Practice::found(7, &store).await;
    let (other, writes) = Practice::plan(8, &store);
    assert_eq!(store.found(other.id, NOW, writes, Vec::new()).await.unwrap_err(), StoreError::AlreadyFounded);
    assert_eq!((store.practice(), store.log_key()), (Some(practice.id), key));
    store.close().await;
    let store = place.open().await;
    assert_eq!((store.practice(), store.log_key()), (Some(practice.id), key));
    store.close().await;
});

on_both!(what_does_not_fit_is_refused_by_name, async |place: Place| {
    let store = place.open().await;
    let practice = Practice::found(7, &store).await;
    let chart = practice.chart(&store, 1).await;
    let nowhere = ChartId([9; 16]);
    let wrap = practice.wrap(nowhere, subrosa_model::Compartment::Record);
    let relation = practice.relation(chart, 1);
    let cases: Vec<(Write, StoreError)> = vec![
        (Write::Wraps { wraps: vec![wrap] }, StoreError::UnknownChart),
        (Write::Entry { blob: practice.entry(nowhere, EntryId([1; 16]), 1, None, "x") }, StoreError::UnknownChart),
        (Write::Relation { signed: relation, counts_from: None }, StoreError::Exists("relation")),
        (Write::Directory { at_size: 3, entries: Vec::new(), seals: Vec::new() }, StoreError::DirectoryOutOfSequence),
        (Write::InvitationClosed { invitation: subrosa_model::InvitationId([1; 16]) }, StoreError::NotFound("invitation")),
        (Write::Chart { chart, canary: false, maker: practice.owner }, StoreError::Exists("chart")),
    ];
    let before = store.export_since(0, 10_000).await.unwrap().len();
    for (write, expected) in cases {
        let needs = Needs { charts: vec![chart, nowhere], ..Needs::default() };
        let refused = store.commit(NOW, needs, move |_| Plan::accept(()).write(write.clone())).await.unwrap_err();
        assert_eq!(refused, expected);
    }
    assert_eq!(store.export_since(0, 10_000).await.unwrap().len(), before, "nothing was written");
    store.close().await;
});

on_both!(a_decision_that_panics_does_not_end_the_writer, async |place: Place| {
    let store = place.open().await;
    let practice = Practice::found(7, &store).await;
    let failed = store.commit(NOW, Needs::default(), |view| if view.journal > 0 { panic!("on purpose") } else { Plan::accept(()) }).await;
    assert_eq!(failed.unwrap_err().code(), "misuse");
    practice.chart(&store, 1).await;
    store.close().await;
});

on_both!(pace_counts_different_charts_since_the_review_and_in_the_window, async |place: Place| {
    let store = place.open().await;
    let practice = Practice::found(7, &store).await;
    let (a, b, c) = (practice.chart(&store, 1).await, practice.chart(&store, 2).await, practice.chart(&store, 3).await);
    let open = async |chart: ChartId, foreign: bool, review: u64, at: Timestamp| {
        let needs = Needs { charts: vec![chart], member: Some(practice.owner), review, ..Needs::default() };
        let event = practice.event(What::Released, Some(chart), 1);
        store.commit(at, needs, move |_| Plan::accept(()).event(event.clone()).pace(PaceMark { chart, foreign })).await.unwrap();
    };
    let count = async |member: MemberId, review: u64, own_since: Timestamp| {
        let needs = Needs { member: Some(member), review, own_since, ..Needs::default() };
        match store.commit(NOW, needs, |view| Plan::refuse((view.foreign.len(), view.own.len()))).await.unwrap() {
            Done::New { verdict, .. } => verdict,
            Done::Repeated { .. } => panic!(),
        }
    };
    open(a, true, 0, NOW).await;
    open(a, true, 0, NOW.plus(1)).await;
    open(b, true, 0, NOW.plus(1)).await;
    open(b, false, 0, NOW.plus(2)).await;
    open(c, false, 0, NOW.plus(9)).await;
    assert_eq!(count(practice.owner, 0, NOW).await, (2, 2));
    assert_eq!(count(practice.owner, 0, NOW.plus(2)).await, (2, 1), "a window begins after its first moment");
    assert_eq!(count(practice.owner, 5, NOW).await, (0, 2), "after a review the counter begins anew");
    open(c, true, 5, NOW.plus(9)).await;
    assert_eq!(count(practice.owner, 5, NOW).await, (1, 2));
    assert_eq!(count(MemberId([0; 16]), 0, NOW).await, (0, 0), "each for themself");
    store.close().await;
});

on_both!(nothing_is_recorded_of_a_chart_that_does_not_exist, async |place: Place| {
    let store = place.open().await;
    let practice = Practice::found(7, &store).await;
    let nowhere = ChartId([9; 16]);
    let event = practice.event(What::Refused, Some(nowhere), 1);
    let refused = store.commit(NOW, Needs { charts: vec![nowhere], ..Needs::default() }, move |_| Plan::refuse(()).event(event.clone())).await;
    assert_eq!(refused.unwrap_err(), StoreError::UnknownChart);
    store.close().await;
});
