//! What belongs to members, and what lives shortly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod common;

use std::collections::BTreeSet;

use common::{NOW, Place, Practice, lived_in, receipt};
use subrosa_crypto::sha256;
use subrosa_model::{ChartId, Compartment, DeviceId, EntryId, Hash32, InvitationId, MemberId, OrderId, SessionId};
use subrosa_protocol::api::{Draft, EntryOutcome};
use subrosa_protocol::directory::Recipient;
use subrosa_protocol::keys::NewKeys;
use subrosa_store::{KitUseState, Log, Needs, Plan, SessionRow, StoreError, Targets, Write};

on_both!(what_was_written_of_members_is_read_back, async |place: Place| {
    let store = place.open().await;
    let p = lived_in(&store).await;
    let credential = sha256(&[b"credential"]);
    assert_eq!(store.bundle(&p.owner).await.unwrap(), Some((2, vec![8].into())));
    assert_eq!(store.ways_in(&p.owner).await.unwrap().len(), 1, "the kit's way was closed");
    assert_eq!(store.credential(&credential).await.unwrap().unwrap().json, "{\"counter\":1}");
    assert_eq!(store.credentials(&p.owner).await.unwrap().len(), 1);
    assert!(store.credentials(&MemberId([0; 16])).await.unwrap().is_empty());
    let kit = store.kit(&p.owner).await.unwrap().unwrap();
    assert_eq!((kit.number, kit.used.unwrap().state), (1, KitUseState::Waiting));
    assert_eq!(store.kit_share(&p.owner, 1).await.unwrap().unwrap().as_slice(), &[9; 32]);
    assert!(store.kit_share(&p.owner, 2).await.unwrap().is_none());
    assert_eq!(store.repository().await.unwrap().unwrap().as_slice(), &[3; 32]);
    assert_eq!(store.approvals().await.unwrap(), vec![vec![6].into()]);
    let invitation = store.invitation(&InvitationId([5; 16])).await.unwrap().unwrap();
    assert!(invitation.closed && invitation.state.accepted.is_none() && invitation.by == p.owner);
    let keys = NewKeys { who: Recipient::Member(MemberId([1; 16])), sign: p.sign.public(), hpke: p.hpke.public(), name: "New".into() };
    let accept = Write::InvitationAccepted { invitation: InvitationId([5; 16]), keys, mac: vec![1].into(), credential: None, bundle: None };
    let refused = store.commit(NOW, Needs::default(), move |_| Plan::accept(()).write(accept.clone())).await;
    assert!(matches!(refused, Err(StoreError::Exists(_))), "a closed invitation is not accepted");
    let all = store.invitations(&p.owner).await.unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(all[1].state.accepted.as_ref().unwrap().0.name, "New");
    assert!(!all[1].closed && all[1].credential.is_some());
    let state = store.backup_state().await.unwrap();
    assert_eq!((state.kept, state.cosigned.unwrap().2.as_str()), (None, "witness.example/w"));
    store.set_kept(4, NOW).await.unwrap();
    store.set_rehearsed(NOW, true).await.unwrap();
    let state = store.backup_state().await.unwrap();
    assert_eq!((state.kept, state.rehearsed), (Some((4, NOW)), Some((NOW, true))));
    assert!(store.checkpoint(Log::Directory).await.unwrap().unwrap().note.contains("/directory\n4\n"));
    assert_eq!(store.relations_of_member(&p.owner).await.unwrap().len(), 2);
    assert_eq!(store.relations_of_chart(&ChartId([1; 16])).await.unwrap()[0].counts_from, Some(NOW.plus(2)));
    let relation = &store.relations_of_chart(&ChartId([1; 16])).await.unwrap()[0];
    assert_eq!(store.relation(&relation.relation.relation).await.unwrap().as_ref(), Some(relation));
    store.close().await;
});

on_both!(versions_that_do_not_follow_the_head_are_kept_as_a_conflict, async |place: Place| {
    let store = place.open().await;
    let p = Practice::found(7, &store).await;
    let chart = p.chart(&store, 1).await;
    let entry = EntryId([1; 16]);
    let one = p.entry(chart, entry, 1, None, "one");
    let two = p.entry(chart, entry, 2, Some(one.hash()), "two");
    let rival = p.entry(chart, entry, 2, Some(one.hash()), "rival");
    let put = async |blobs: Vec<subrosa_protocol::entry::EntryBlob>| {
        let needs = Needs { charts: vec![chart], ..Needs::default() };
        let done = store.commit(NOW, needs, move |_| blobs.iter().fold(Plan::accept(()), |p, b| p.write(Write::Entry { blob: b.clone() }))).await;
        receipt(done.unwrap()).outcomes
    };
    assert_eq!(put(vec![one.clone(), two.clone()]).await, [EntryOutcome::Head, EntryOutcome::Head]);
    assert_eq!(put(vec![one.clone(), rival.clone(), two.clone()]).await, [EntryOutcome::Known, EntryOutcome::Conflict, EntryOutcome::Known]);
    let heads = store.entry_heads(&entry).await.unwrap();
    assert_eq!(heads.len(), 2);
    assert!(heads.iter().all(|h| h.conflict));
    let all = store.release(&[chart], &Targets::default(), &[Compartment::Record]).await.unwrap();
    assert_eq!(all[0].entries.len(), 3, "nothing is lost");
    assert!(all[0].wraps.is_empty(), "nobody's wraps were asked for");
    store.close().await;
});

on_both!(a_roster_gives_what_changed_and_what_left, async |place: Place| {
    let store = place.open().await;
    let p = lived_in(&store).await;
    let (a, b) = (ChartId([1; 16]), ChartId([2; 16]));
    let targets = Targets { teams: BTreeSet::from([p.team]), member: None };
    let first = store.roster(Some(&p.owner), &[a, b], &targets, 0, 1).await.unwrap();
    assert_eq!((first.rows.len(), first.more), (1, true));
    let second = store.roster(Some(&p.owner), &[a, b], &targets, first.cursor, 10).await.unwrap();
    assert_eq!((second.rows.len(), second.more), (1, false));
    let row = second.rows[0].row.as_ref().unwrap();
    let statement = row.wrap.verify(&p.id, &p.sign.public()).unwrap();
    let key = row.wrap.open_with_epoch(&p.epoch, &statement.context).unwrap();
    let context = row.blob.verify(&p.id, &p.sign.public()).unwrap();
    assert!(["Rose", "Thorn"].contains(&row.blob.open(&key, &context).unwrap().family.as_str()));
    let rest = store.roster(Some(&p.owner), &[a, b], &targets, second.cursor, 10).await.unwrap();
    assert!(rest.rows.is_empty() && !rest.more && rest.cursor == second.cursor);
    // One is erased, then leaves the caseload altogether.
    store.erase(b, OrderId([1; 16]), NOW.plus(9)).await.unwrap();
    let after = store.roster(Some(&p.owner), &[a, b], &targets, second.cursor, 10).await.unwrap();
    assert_eq!(after.rows.iter().map(|r| (r.chart, r.row.is_some())).collect::<Vec<_>>(), [(b, false)]);
    let left = store.roster(Some(&p.owner), &[a], &targets, after.cursor, 10).await.unwrap();
    assert_eq!(left.rows.iter().map(|r| (r.chart, r.row.is_some())).collect::<Vec<_>>(), [(b, false)]);
    let stranger = store.roster(None, &[a], &Targets::default(), 0, 10).await.unwrap();
    assert!(stranger.rows.is_empty(), "a row that nobody can open is not handed out");
    store.close().await;
});

on_both!(sessions_ceremonies_nonces_and_drafts_live_as_long_as_they_should, async |place: Place| {
    let store = place.open().await;
    store.put_ceremony(&Hash32([1; 32]), NOW.plus(5), b"set-up").await.unwrap();
    assert_eq!(store.take_ceremony(&Hash32([1; 32]), NOW).await.unwrap().as_deref(), Some(b"set-up".as_slice()), "before there is a practice");
    let p = Practice::found(7, &store).await;
    let session = SessionRow {
        session: SessionId([1; 16]),
        member: p.owner,
        device: None,
        key: p.sign.public(),
        since: NOW,
        seen: NOW,
        until: NOW.plus(1000),
        passkey_at: NOW,
        restricted: false,
    };
    let linked = SessionRow { session: SessionId([2; 16]), device: Some(DeviceId([3; 16])), ..session.clone() };
    store.put_session(&session).await.unwrap();
    store.put_session(&linked).await.unwrap();
    assert_eq!(store.session(&session.session).await.unwrap(), Some(session.clone()));
    store.touch_session(&session.session, NOW.plus(7)).await.unwrap();
    store.touch_session(&session.session, NOW.plus(6)).await.unwrap();
    store.fresh_session(&session.session, NOW.plus(8)).await.unwrap();
    let seen = store.session(&session.session).await.unwrap().unwrap();
    assert_eq!((seen.seen, seen.passkey_at), (NOW.plus(7), NOW.plus(8)));
    assert_eq!(store.end_sessions_of(&p.owner, Some(DeviceId([3; 16]))).await.unwrap(), 1);
    assert_eq!(store.sessions(&p.owner).await.unwrap().len(), 1);
    assert!(store.end_session(&session.session).await.unwrap());
    assert!(!store.end_session(&session.session).await.unwrap());

    store.put_ceremony(&Hash32([2; 32]), NOW.plus(5), b"x").await.unwrap();
    let takes = futures::future::join_all((0..8).map(|_| store.take_ceremony(&const { Hash32([2; 32]) }, NOW))).await;
    assert_eq!(takes.into_iter().filter(|t| t.as_ref().unwrap().is_some()).count(), 1, "one of many gets it");
    store.put_ceremony(&Hash32([3; 32]), NOW, b"x").await.unwrap();
    assert!(store.take_ceremony(&Hash32([3; 32]), NOW.plus(1)).await.unwrap().is_none(), "too late");

    assert!(store.use_nonce(&session.session, b"n", NOW).await.unwrap());
    assert!(!store.use_nonce(&session.session, b"n", NOW).await.unwrap());
    assert!(store.use_nonce(&linked.session, b"n", NOW).await.unwrap());

    let draft = Draft { entry: EntryId([1; 16]), chart: ChartId([1; 16]), compartment: Compartment::Record, key: subrosa_model::KeyId([1; 32]), sealed: vec![1].into() };
    store.put_draft(&p.owner, &draft, NOW).await.unwrap();
    let newer = Draft { sealed: vec![2].into(), ..draft.clone() };
    store.put_draft(&p.owner, &newer, NOW.plus(1)).await.unwrap();
    assert_eq!(store.drafts(&p.owner).await.unwrap(), [newer]);
    store.put_draft(&p.owner, &Draft { sealed: Vec::new().into(), ..draft }, NOW.plus(2)).await.unwrap();
    assert!(store.drafts(&p.owner).await.unwrap().is_empty());

    store.put_session(&session).await.unwrap();
    store.sweep(NOW.plus(1001)).await.unwrap();
    assert!(store.session(&session.session).await.unwrap().is_none());
    assert!(!store.use_nonce(&linked.session, b"n", NOW).await.unwrap(), "within ten minutes");
    store.sweep(NOW.plus(11 * 60_000)).await.unwrap();
    assert!(store.use_nonce(&linked.session, b"n", NOW).await.unwrap());
    store.close().await;
});

on_both!(attachments_are_what_their_name_says, async |place: Place| {
    let store = place.open().await;
    let (bytes, hash) = (b"ciphertext".to_vec(), sha256(&[b"ciphertext"]));
    assert_eq!(store.put_object(&Hash32([0; 32]), bytes.clone()).await.unwrap_err().code(), "hash-mismatch");
    assert_eq!(store.get_object(&hash).await.unwrap(), None);
    store.put_object(&hash, bytes.clone()).await.unwrap();
    store.put_object(&hash, bytes.clone()).await.unwrap();
    assert_eq!(store.has_object(&hash).await.unwrap(), Some(10));
    let hex = hash.to_string();
    let file = place.path().join("objects").join(&hex[..2]).join(&hex[2..]);
    std::fs::write(&file, b"ciphertexT").unwrap();
    assert_eq!(store.get_object(&hash).await.unwrap_err().code(), "damaged");
    store.put_object(&hash, bytes.clone()).await.unwrap();
    assert_eq!(store.get_object(&hash).await.unwrap(), Some(bytes));
    store.close().await;
});
