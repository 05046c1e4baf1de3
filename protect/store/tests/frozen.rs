//! A journal and a key copy written by version 1 of the format must be readable for ever. If this test fails, the change that made it fail loses people's data.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod common;

use std::collections::BTreeSet;

use common::{NOW, Place, Practice, dump, lived_in};
use subrosa_crypto::{base64url, cbor, from_base64url};
use subrosa_model::{ChartId, Compartment, OrderId, PracticeId};
use subrosa_protocol::keys::PracticeRoot;
use subrosa_store::{JournalRecord, KeyCopy, Store, Targets};

const JOURNAL: &str = include_str!("vectors/journal-v1.txt");
const COPY: &str = include_str!("vectors/key-copy-v1.txt");

fn read<T: serde::Serialize + serde::de::DeserializeOwned>(line: &str) -> T {
    cbor::decode(&from_base64url(line.trim()).unwrap()).unwrap()
}

on_both!(version_one_of_journal_and_key_copy_is_read, async |place: Place| {
    let records: Vec<JournalRecord> = JOURNAL.lines().map(read).collect();
    let kinds: BTreeSet<&str> = records.iter().map(|r| r.kind.as_str()).collect();
    assert!(kinds.len() >= 20, "nearly every kind is there: {kinds:?}");
    let copy: KeyCopy = read(COPY);
    let root = PracticeRoot::derive(&[7; 32]);
    let store = Store::restore_from(place.config(), PracticeId([7; 16]), records.into_iter().map(Ok), &[copy], &root.backup).await.unwrap();
    assert_eq!(store.verify().await.unwrap().problems, Vec::<String>::new());
    let (practice, _) = Practice::plan(7, &store);
    let targets = Targets { teams: BTreeSet::from([practice.team]), member: None };
    let released = store.release(&[ChartId([1; 16]), ChartId([2; 16])], &targets, Compartment::ALL).await.unwrap();
    assert_eq!(released.iter().map(|r| (r.wraps.len(), r.entries.len())).collect::<Vec<_>>(), [(2, 3), (0, 0)]);
    let key = released[0].wraps.iter().find_map(|w| {
        let statement = w.verify(&practice.id, &practice.sign.public()).unwrap();
        (statement.context.compartment == Compartment::Record).then(|| w.open_with_epoch(&practice.epoch, &statement.context).unwrap())
    });
    let blob = &released[0].entries[1].blob;
    let header = blob.verify(&practice.id, &practice.sign.public()).unwrap();
    assert_eq!(blob.open(&key.unwrap(), &header).unwrap().body.as_slice(), b"two");
    store.close().await;
});

/// Writes the vectors. Never for a format that has been published.
#[tokio::test]
#[ignore = "writes the vectors anew"]
async fn write_vectors() {
    let place = Place::sqlite();
    let store = place.open().await;
    let practice = lived_in(&store).await;
    store.erase(ChartId([2; 16]), OrderId([1; 16]), NOW.plus(9)).await.unwrap();
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    std::fs::create_dir_all(&dir).unwrap();
    let lines: Vec<String> = store.export_since(0, 100_000).await.unwrap().iter().map(|r| base64url(&cbor::encode(r))).collect();
    std::fs::write(dir.join("journal-v1.txt"), lines.join("\n") + "\n").unwrap();
    let copy = store.copy_since(0, practice.directory.backup_key().unwrap()).await.unwrap();
    std::fs::write(dir.join("key-copy-v1.txt"), base64url(&cbor::encode(&copy)) + "\n").unwrap();
    assert!(!dump(&place, false, &[]).await.is_empty());
    store.close().await;
}
