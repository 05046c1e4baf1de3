//! What must outlast a rebuild, an erasure, a loss of the machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod common;

use std::collections::BTreeSet;

use common::{NOW, Place, dump, lived_in};
use subrosa_model::{ChartId, Compartment, OrderId};
use subrosa_protocol::keys::LedgerPin;
use subrosa_store::{Store, StoreError, Targets};

/// Tables that are not drawn from the journal, and the journal itself.
const OWN: &[&str] = &["outcome", "session", "ceremony", "nonce", "draft", "note", "store_schema"];

on_both!(tables_made_again_from_the_journal_equal_those_that_were, async |place: Place| {
    let store = place.open().await;
    let practice = lived_in(&store).await;
    store.erase(ChartId([2; 16]), OrderId([1; 16]), NOW.plus(9)).await.unwrap();
    let before = dump(&place, false, OWN).await;
    assert!(before.values().all(|rows| !rows.is_empty()), "something of everything: {:?}", before.iter().filter(|t| t.1.is_empty()).map(|t| t.0).collect::<Vec<_>>());
    let records = store.rebuild().await.unwrap();
    assert_eq!(records as usize, before["journal"].len());
    let after = dump(&place, false, OWN).await;
    for (table, rows) in &before {
        assert_eq!(rows, &after[table], "{table}");
    }
    assert_eq!(store.verify().await.unwrap().problems, Vec::<String>::new());
    // And work goes on.
    let (receipt, _) = practice.release(&store, ChartId([1; 16]), 9, 77).await.unwrap();
    let snapshot = receipt.snapshot.unwrap();
    let pin = LedgerPin { size: snapshot.size(), root: snapshot.root() };
    store.head_proofs(&snapshot, &[ChartId([1; 16])]).await.unwrap()[0].verify(&practice.id, &ChartId([1; 16]), &pin).unwrap();
    store.close().await;
});

on_both!(an_erased_chart_has_no_key_left_and_the_store_key_is_new, async |place: Place| {
    let store = place.open().await;
    let practice = lived_in(&store).await;
    let (kept, gone) = (ChartId([1; 16]), ChartId([2; 16]));
    let before = dump(&place, true, &[]).await;
    let hex = |c: &ChartId| c.to_string();
    let value = |line: &String| line.rsplit("value=").next().unwrap().trim().to_owned();
    let old_values: BTreeSet<String> = before["key_row"].iter().map(value).collect();
    let wraps_before = before["key_row"].iter().filter(|l| l.contains(&hex(&gone))).count();
    let key_file = place.config().key_file.unwrap_or_else(|| place.path().join("store.key"));
    let old_key = std::fs::read(&key_file).unwrap();

    let done = store.erase(gone, OrderId([1; 16]), NOW.plus(1)).await.unwrap();
    assert_eq!(done.rows_destroyed as usize, wraps_before);
    assert!(wraps_before >= 2);

    let after = dump(&place, true, &[]).await;
    assert_eq!(after["key_row"].iter().filter(|l| l.contains(&hex(&gone))).count(), 0);
    let new_values: BTreeSet<String> = after["key_row"].iter().map(value).collect();
    assert!(old_values.is_disjoint(&new_values), "every row is sealed anew");
    let new_key = std::fs::read(&key_file).unwrap();
    assert_ne!(old_key, new_key);
    if !place.is_postgres() {
        // Neither the database nor its write-ahead log holds an old row, in any page.
        let mut raw = std::fs::read(place.path().join("keys.db")).unwrap();
        raw.extend(std::fs::read(place.path().join("keys.db-wal")).unwrap_or_default());
        for old in &old_values {
            let bytes: Vec<u8> = (0..old.len() / 2).map(|i| u8::from_str_radix(&old[2 * i..2 * i + 2], 16).unwrap()).collect();
            assert!(!raw.windows(48).any(|w| w == &bytes[bytes.len() - 48..]), "an old row is still in the file");
        }
    }
    let targets = Targets { teams: BTreeSet::from([practice.team]), member: None };
    let released = store.release(&[kept, gone], &targets, Compartment::ALL).await.unwrap();
    assert_eq!(released[0].wraps.len(), 2, "the other chart opens as before");
    assert!(released[1].wraps.is_empty() && released[1].entries.is_empty());
    assert!(store.chart(&gone).await.unwrap().unwrap().erased.is_some());
    // Nothing can be written to it any more, and erasing again does nothing.
    assert_eq!(practice.try_chart(&store, gone).await.unwrap_err(), StoreError::Exists("chart"));
    let again = store.erase(gone, OrderId([1; 16]), NOW.plus(2)).await.unwrap();
    assert!(again.receipt.is_none() && again.rows_destroyed == 0);
    assert_eq!(store.kit_share(&practice.owner, 1).await.unwrap().unwrap().as_slice(), &[9; 32]);
    store.close().await;

    // A store key that does not belong here is refused; the right one opens.
    std::fs::write(&key_file, &old_key).unwrap();
    assert_eq!(Store::open(place.config()).await.unwrap_err(), StoreError::StoreKey);
    std::fs::write(&key_file, &new_key).unwrap();
    let store = place.open().await;
    assert_eq!(store.release(&[kept], &targets, Compartment::ALL).await.unwrap()[0].wraps.len(), 2);
    store.close().await;
});

on_both!(another_server_goes_on_after_the_store_key_was_renewed, async |place: Place| {
    if !place.is_postgres() {
        return;
    }
    let first = place.open().await;
    let practice = lived_in(&first).await;
    let second = Store::open(place.config_in(&place.dir.path().join("second"))).await.unwrap();
    let targets = Targets { teams: BTreeSet::from([practice.team]), member: None };
    first.erase(ChartId([2; 16]), OrderId([1; 16]), NOW).await.unwrap();
    assert_eq!(second.release(&[ChartId([1; 16])], &targets, Compartment::ALL).await.unwrap()[0].wraps.len(), 2);
    practice.chart(&second, 9).await;
    assert_eq!(first.release(&[ChartId([9; 16])], &targets, Compartment::ALL).await.unwrap()[0].wraps.len(), 2);
    first.close().await;
    second.close().await;
});

on_both!(a_store_comes_back_from_journal_and_copies_and_only_with_the_kit, async |place: Place| {
    let store = place.open().await;
    let practice = lived_in(&store).await;
    let backup = practice.directory.backup_key().unwrap().clone();
    let first_copy = store.copy_since(0, &backup).await.unwrap();
    assert!(!first_copy.more);
    let first_part = store.export_since(0, 5).await.unwrap();
    assert_eq!(first_part.len(), 5);
    practice.chart(&store, 3).await;
    store.erase(ChartId([2; 16]), OrderId([1; 16]), NOW.plus(9)).await.unwrap();
    let mut records = first_part;
    records.extend(store.export_since(5, 100_000).await.unwrap());
    let second_copy = store.copy_since(first_copy.to, &backup).await.unwrap();
    let tables = dump(&place, false, OWN).await;
    let log_key = store.log_key();
    let pin = store.snapshot().await.unwrap().unwrap();
    store.close().await;

    let there = match place.is_postgres() {
        true => Place::postgres().await.unwrap(),
        false => Place::sqlite(),
    };
    let wrong = subrosa_crypto::HpkeSecret::from_seed([1; 32]);
    let copies = [first_copy, second_copy];
    let lines = || records.iter().cloned().map(Ok);
    let refused = Store::restore_from(there.config(), practice.id, lines(), &copies, &wrong).await;
    assert!(refused.is_err(), "another kit opens nothing");
    assert_eq!(Store::open(there.config()).await.unwrap_err().code(), "damaged", "a restore that was cut short is not opened");

    let there = match place.is_postgres() {
        true => Place::postgres().await.unwrap(),
        false => Place::sqlite(),
    };
    let restored = Store::restore_from(there.config(), practice.id, lines(), &copies, &practice.root.backup).await.unwrap();
    assert_eq!(dump(&there, false, OWN).await, tables);
    assert_eq!(restored.log_key(), log_key, "checkpoints go on under the same key");
    let newest = restored.snapshot().await.unwrap().unwrap();
    assert_eq!((newest.size(), newest.root()), (pin.size(), pin.root()));
    let targets = Targets { teams: BTreeSet::from([practice.team]), member: None };
    let released = restored.release(&[ChartId([1; 16]), ChartId([2; 16]), ChartId([3; 16])], &targets, Compartment::ALL).await.unwrap();
    assert_eq!(released.iter().map(|r| r.wraps.len()).collect::<Vec<_>>(), [2, 0, 2], "the erased chart's keys are left out although the older copy has them");
    assert_eq!(restored.kit_share(&practice.owner, 1).await.unwrap().unwrap().as_slice(), &[9; 32]);
    practice.release(&restored, ChartId([1; 16]), 9, 5).await.unwrap();
    assert_eq!(restored.verify().await.unwrap().problems, Vec::<String>::new());
    restored.close().await;

    // An older copy of the keys gives back what it has, and says what it lacks.
    let elsewhere = Place::sqlite();
    let partial = Store::restore_from(elsewhere.config(), practice.id, lines(), &copies[..1], &practice.root.backup).await.unwrap();
    assert_eq!(partial.verify().await.unwrap().keys_missing, 2);
    assert_eq!(partial.release(&[ChartId([1; 16])], &targets, Compartment::ALL).await.unwrap()[0].wraps.len(), 2);
    partial.close().await;

    // A journal with a gap is refused.
    let elsewhere = Place::sqlite();
    let gap = records.iter().filter(|r| r.seq != 9).cloned().map(Ok);
    assert_eq!(Store::restore_from(elsewhere.config(), practice.id, gap, &copies, &practice.root.backup).await.unwrap_err().code(), "damaged");
});

on_both!(a_lost_key_is_found, async |place: Place| {
    let store = place.open().await;
    lived_in(&store).await;
    store.close().await;
    let url = match &place.urls {
        None => format!("sqlite://{}", place.path().join("keys.db").display()),
        Some((_, keys)) => keys.clone(),
    };
    let pool = sqlx::AnyPool::connect(&url).await.unwrap();
    let harm = "DELETE FROM key_row WHERE seq = (SELECT MAX(seq) FROM key_row WHERE kind = 'wrap')";
    sqlx::query(harm).execute(&pool).await.unwrap();
    pool.close().await;
    let store = place.open().await;
    let report = store.verify().await.unwrap();
    assert_eq!((report.keys_missing, report.problems.len()), (1, 1));
    store.close().await;
});

on_both!(a_changed_row_is_found, async |place: Place| {
    let store = place.open().await;
    lived_in(&store).await;
    assert_eq!(store.verify().await.unwrap().problems, Vec::<String>::new());
    store.close().await;
    sqlx::any::install_default_drivers();
    let url = match &place.urls {
        None => format!("sqlite://{}", place.path().join("main.db").display()),
        Some((main, _)) => main.clone(),
    };
    for harm in [
        "UPDATE chart_head SET count = count + 1",
        "DELETE FROM log_node WHERE level = 0 AND idx = 1",
        "UPDATE journal SET chart = NULL WHERE kind = 'leaf'",
        "DELETE FROM journal WHERE kind = 'leaf' AND seq = (SELECT MAX(seq) FROM journal WHERE kind = 'leaf')",
    ] {
        let pool = sqlx::AnyPool::connect(&url).await.unwrap();
        sqlx::query(harm).execute(&pool).await.unwrap();
        pool.close().await;
        let store = place.open().await;
        assert!(!store.verify().await.unwrap().problems.is_empty(), "{harm}");
        store.close().await;
    }
});
