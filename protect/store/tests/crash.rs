//! The process is stopped at every named point, in a child of its own, and what is found afterwards must agree with itself and hold all that was acknowledged.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod common;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Output};

use common::{NOW, Place, Practice, dump};
use subrosa_crypto::{random::make_bytes, sha256};
use subrosa_model::{ChartId, Compartment, OrderId};
use subrosa_protocol::access::What;
use subrosa_store::{Config, Needs, Plan, Store, StoreError, Targets, Write, crash};

const CHARTS: u8 = 5;

fn child_config(prefix: &str) -> Config {
    let var = |name: &str| std::env::var(format!("{prefix}{name}")).ok();
    let dir = PathBuf::from(var("DIR").unwrap());
    match (var("MAIN"), var("KEYS")) {
        (Some(main), Some(keys)) => Config { key_file: Some(PathBuf::from(var("KEY_FILE").unwrap())), ..Config::postgres(dir, main, keys) },
        _ => Config::sqlite(dir),
    }
}

fn spawn(scenario: &str, crash: Option<&str>, place: &Place, target: Option<&Place>) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--ignored", "--nocapture", "--test-threads=1"]).env("SCENARIO", scenario).env_remove("SUBROSA_CRASH");
    for (prefix, place) in [("STORE_", Some(place)), ("TARGET_", target)] {
        let Some(place) = place else { continue };
        command.env(format!("{prefix}DIR"), place.path());
        if let Some((main, keys)) = &place.urls {
            command.env(format!("{prefix}MAIN"), main).env(format!("{prefix}KEYS"), keys).env(format!("{prefix}KEY_FILE"), place.dir.path().join("store.key"));
        }
    }
    if let Some(crash) = crash {
        command.env("SUBROSA_CRASH", crash);
    }
    command.output().unwrap()
}

fn acknowledged(output: &Output) -> BTreeSet<u8> {
    String::from_utf8_lossy(&output.stdout).lines().filter_map(|l| l.split("ack ").nth(1)?.trim().parse().ok()).collect()
}

/// What the child does; started by the tests below.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by the other tests as a process of its own"]
async fn child() {
    let store = Store::open(child_config("STORE_")).await.unwrap();
    let practice = match store.practice() {
        None => Practice::found(7, &store).await,
        Some(_) => Practice::plan(7, &store).0,
    };
    match std::env::var("SCENARIO").unwrap().as_str() {
        "work" => {
            for n in 1..=CHARTS {
                match practice.try_chart(&store, ChartId([n; 16])).await {
                    Ok(_) | Err(StoreError::Exists(_)) => println!("ack {n}"),
                    Err(other) => panic!("{other}"),
                }
            }
        }
        "object" => {
            let bytes = b"an attachment".to_vec();
            let hash = sha256(&[&bytes]);
            store.put_object(&hash, bytes).await.unwrap();
            store.commit(NOW, Needs::default(), move |_| Plan::accept(()).write(Write::Object { hash, length: 13 })).await.unwrap();
            println!("ack 1");
        }
        "erase" => {
            store.erase(ChartId([1; 16]), OrderId([1; 16]), NOW).await.unwrap();
            println!("ack 1");
        }
        "restore" => {
            let backup = practice.directory.backup_key().unwrap().clone();
            let records = store.export_since(0, 100_000).await.unwrap();
            let copy = store.copy_since(0, &backup).await.unwrap();
            let target = Store::restore_from(child_config("TARGET_"), practice.id, records.into_iter().map(Ok), &[copy], &practice.root.backup).await.unwrap();
            println!("ack 1");
            target.close().await;
        }
        other => panic!("{other}"),
    }
    store.close().await;
}

/// Opens what the child left, checks it, and gives back which charts are there.
async fn examine(place: &Place, what: &str) -> BTreeSet<u8> {
    let store = place.open().await;
    let mut there = BTreeSet::new();
    if store.practice().is_some() {
        let practice = Practice::plan(7, &store).0;
        let report = store.verify().await.unwrap();
        assert_eq!(report.problems, Vec::<String>::new(), "{what}");
        let keys = dump(place, true, &[]).await;
        let targets = Targets { teams: BTreeSet::from([practice.team]), member: None };
        for chart in store.charts(None, 100).await.unwrap() {
            let released = store.release(&[chart.chart], &targets, Compartment::ALL).await.unwrap().remove(0);
            let rows = keys["key_row"].iter().filter(|l| l.contains(&format!("chart={}", chart.chart))).count();
            if chart.erased.is_some() {
                assert_eq!(rows, 0, "{what}: a key of an erased chart is left");
            } else {
                assert_eq!(released.wraps.len(), 2, "{what}: a record without its key");
                for wrap in &released.wraps {
                    let statement = wrap.verify(&practice.id, &practice.sign.public()).unwrap();
                    wrap.open_with_epoch(&practice.epoch, &statement.context).unwrap();
                }
            }
            there.insert(chart.chart.0[0]);
        }
        assert_eq!(report.charts as usize, there.len(), "{what}: a chart without its leaf");
    }
    store.close().await;
    there
}

on_both!(a_power_cut_at_any_point_of_a_commit_loses_nothing_acknowledged, async |place: Place| {
    drop(place.dir);
    for point in ["migrate-before-commit", "commit-before-keys", "commit-keys-before", "commit-keys-after", "commit-before", "commit-after"] {
        for times in [1, 2, 4] {
            let place = if place.urls.is_some() { Place::postgres().await.unwrap() } else { Place::sqlite() };
            let what = format!("{point}:{times}");
            let output = spawn("work", Some(&what), &place, None);
            if point == "migrate-before-commit" && times > 2 {
                assert!(output.status.success(), "there are two databases to migrate");
                continue;
            }
            assert!(!output.status.success(), "{what} was not reached");
            let said = acknowledged(&output);
            let there = examine(&place, &what).await;
            assert!(said.is_subset(&there), "{what}: acknowledged {said:?}, found {there:?}");
            if point == "commit-after" && times > 1 {
                assert!(there.len() > said.len(), "{what}: committed, not yet answered");
            }
            let output = spawn("work", None, &place, None);
            assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(examine(&place, &what).await.len(), usize::from(CHARTS));
        }
    }
});

on_both!(a_power_cut_at_any_point_of_an_erasure_is_finished_by_the_next_start, async |place: Place| {
    drop(place.dir);
    for point in ["commit-before", "erase-recorded", "erase-new-key-written", "erase-resealed", "erase-done"] {
        let place = if place.urls.is_some() { Place::postgres().await.unwrap() } else { Place::sqlite() };
        assert!(spawn("work", None, &place, None).status.success());
        let output = spawn("erase", Some(point), &place, None);
        assert!(!output.status.success(), "{point} was not reached");
        assert!(acknowledged(&output).is_empty());
        examine(&place, point).await;
        let store = place.open().await;
        let state = store.chart(&ChartId([1; 16])).await.unwrap().unwrap();
        assert_eq!(state.erased.is_some(), point != "commit-before", "{point}");
        store.close().await;
        let output = spawn("erase", None, &place, None);
        assert!(output.status.success(), "{point}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(examine(&place, point).await.len(), usize::from(CHARTS));
    }
});

#[tokio::test]
async fn a_power_cut_after_an_attachment_was_stored_leaves_a_file_and_no_record() {
    let place = Place::sqlite();
    let output = spawn("object", Some("object-after-put"), &place, None);
    assert!(!output.status.success());
    examine(&place, "object-after-put").await;
    let store = place.open().await;
    assert!(store.objects_since(0).await.unwrap().is_empty());
    let hash = sha256(&[b"an attachment"]);
    assert_eq!(store.get_object(&hash).await.unwrap().as_deref(), Some(b"an attachment".as_slice()));
    store.close().await;
    assert!(spawn("object", None, &place, None).status.success());
    let store = place.open().await;
    assert_eq!(store.objects_since(0).await.unwrap(), [(hash, 13)]);
    store.close().await;
}

on_both!(a_restore_that_was_cut_short_is_not_taken_for_a_whole_one, async |place: Place| {
    assert!(spawn("work", None, &place, None).status.success());
    for point in ["restore-keys-written", "restore-half"] {
        let target = if place.urls.is_some() { Place::postgres().await.unwrap() } else { Place::sqlite() };
        let output = spawn("restore", Some(point), &place, Some(&target));
        assert!(!output.status.success(), "{point} was not reached");
        assert_eq!(Store::open(target.config()).await.unwrap_err().code(), "damaged", "{point}");
        let again = if place.urls.is_some() { Place::postgres().await.unwrap() } else { Place::sqlite() };
        let output = spawn("restore", None, &place, Some(&again));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(examine(&again, point).await.len(), usize::from(CHARTS));
    }
});

#[test]
fn every_named_point_is_tried_here() {
    let source = include_str!("crash.rs");
    for point in crash::POINTS {
        assert!(source.contains(&format!("\"{point}\"")), "{point}");
    }
}

#[tokio::test]
async fn a_store_that_is_stopped_without_being_closed_can_be_opened_at_once() {
    let place = Place::sqlite();
    let store = place.open().await;
    let practice = Practice::found(7, &store).await;
    let event = practice.event(What::Released, None, u64::from_le_bytes(make_bytes()));
    store.commit(NOW, Needs::default(), move |_| Plan::accept(()).event(event.clone())).await.unwrap();
    drop(store);
    for _ in 0..50 {
        match Store::open(place.config()).await {
            Ok(store) => {
                assert_eq!(store.verify().await.unwrap().leaves, 4, "two events, each with its map root");
                return store.close().await;
            }
            Err(StoreError::Locked) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            Err(other) => panic!("{other}"),
        }
    }
    panic!("the lock was never given up");
}
