//! The path that everything else hangs on: found, commit, release, prove.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod common;

use std::collections::BTreeSet;

use common::{NOW, Place, Practice, receipt};
use subrosa_model::{Compartment, EntryId};
use subrosa_protocol::access::{What, access_origin};
use subrosa_protocol::directory::Directory;
use subrosa_protocol::keys::LedgerPin;
use subrosa_store::{Needs, Plan, StoreError, Targets, Write};

on_both!(a_release_comes_with_proofs_that_a_client_accepts, async |place: Place| {
    let store = place.open().await;
    let practice = Practice::found(7, &store).await;
    let (a, b) = (practice.chart(&store, 1).await, practice.chart(&store, 2).await);
    let blob = practice.entry(a, EntryId([9; 16]), 1, None, "said in confidence");
    let written = blob.clone();
    let done = store
        .commit(NOW, Needs { charts: vec![a], ..Needs::default() }, move |_| Plan::accept(()).write(Write::Entry { blob: written.clone() }))
        .await
        .unwrap();
    let pin_before = receipt(done).snapshot.unwrap();
    let pin = LedgerPin { size: pin_before.size(), root: pin_before.root() };

    let needs = Needs { charts: vec![a, b], ..Needs::default() };
    let events = [practice.event(What::Released, Some(a), 5), practice.event(What::Released, Some(b), 5)];
    let sent = events.clone();
    let done = store.commit(NOW, needs, move |_| Plan::accept(()).event(sent[0].clone()).event(sent[1].clone())).await.unwrap();
    let snapshot = receipt(done).snapshot.unwrap();

    let extension = store.extension(&snapshot, pin.size).await.unwrap();
    let pin = extension.verify(&access_origin(&practice.id), &store.log_key(), &pin).unwrap();
    let heads = store.head_proofs(&snapshot, &[a, b]).await.unwrap();
    for ((head, chart), event) in heads.iter().zip([a, b]).zip(&events) {
        let (link, _) = head.verify(&practice.id, &chart, &pin).unwrap();
        assert_eq!(link.count, 2, "made, then released");
        assert_eq!(head.head.opened.event.as_ref(), Some(event));
    }
    assert!(heads[0].verify(&practice.id, &b, &pin).is_err(), "a proof of one chart is none of another");

    let targets = Targets { teams: BTreeSet::from([practice.team]), member: None };
    let released = store.release(&[b, a], &targets, &[Compartment::Record]).await.unwrap();
    assert_eq!((released[0].chart, released[1].chart), (b, a));
    assert_eq!((released[0].wraps.len(), released[1].wraps.len(), released[1].entries.len()), (1, 1, 1));
    assert_eq!(released[1].entries[0].blob, blob);
    let statement = released[1].wraps[0].verify(&practice.id, &practice.sign.public()).unwrap();
    let key = released[1].wraps[0].open_with_epoch(&practice.epoch, &statement.context).unwrap();
    let header = blob.verify(&practice.id, &practice.sign.public()).unwrap();
    assert_eq!(blob.open(&key, &header).unwrap().body.as_slice(), b"said in confidence");

    let history = store.history(&snapshot, &a, 0).await.unwrap();
    let (told, _) = history.verify(&practice.id, &a, &store.log_key(), &LedgerPin::default()).unwrap();
    assert_eq!(told.len(), 2);
    assert!(matches!(store.extension(&snapshot, 10_000).await, Err(StoreError::PinAhead { .. })));
    store.close().await;

    // Everything is there again after a restart, and the ledger goes on from where it was.
    let store = place.open().await;
    let page = store.directory(0).await.unwrap();
    let directory = Directory::replay(practice.id, page.entries.iter().map(|e| e.as_slice()), Some(&practice.root.sign.public())).unwrap();
    assert_eq!(directory, practice.directory);
    let newest = store.snapshot().await.unwrap().unwrap();
    assert_eq!(newest.size(), snapshot.size());
    store.head_proofs(&newest, &[a]).await.unwrap()[0].verify(&practice.id, &a, &pin).unwrap();
    let (receipt, _) = practice.release(&store, a, 5, 6).await.unwrap();
    assert!(receipt.snapshot.unwrap().size() > newest.size());
    let seals = store.epoch_seals(&[subrosa_protocol::directory::Recipient::Member(practice.owner)], &[practice.team]).await.unwrap();
    assert_eq!(seals.len(), 1);
    store.close().await;
});
