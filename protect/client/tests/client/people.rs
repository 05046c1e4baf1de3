//! Two people, leaving, linked devices, kits, words, offline.

use std::collections::BTreeSet;

use subrosa_client::{
    DeviceSecrets, IdentityDraft, Invited, KitUse, NewBody, SignIn, SoftPasskey, Vault, device_signin, kit_use, offer_device, open_offline, setup, signin,
};
use subrosa_model::{CareKind, Compartment, Role, TeamKind, Timestamp};

use subrosa_protocol::keys::WayIn;

use crate::practice::{Practice, opened};

async fn colleague(practice: &Practice, owner: &mut Vault, name: &str, role: Role) -> (SoftPasskey, Vault) {
    let invitation = owner.invite().await.unwrap();
    let passkey = SoftPasskey::new(&practice.origin());
    let invited = Invited::read(&practice.conn, &invitation.fragment).await.unwrap();
    let accepted = invited.accept(&passkey, name).await.unwrap();
    let waiting = owner.invitations().await.unwrap();
    assert_eq!(waiting.iter().find(|w| w.id == invitation.id).unwrap().accepted.as_ref().unwrap().six_words, accepted.six_words);
    owner.finish_invitation(invitation.id, role).await.unwrap();
    let vault = opened(signin(&practice.conn, &passkey, None).await.unwrap());
    (passkey, vault)
}

#[tokio::test]
async fn a_colleague_is_invited_opens_a_shared_chart_leaves_and_opens_nothing_more() {
    let (practice, mut owner) = Practice::founded().await;
    let chart = owner.make_chart(&IdentityDraft::new("Anna", "Muster", "", vec![])).await.unwrap();
    owner.write(chart, Compartment::Record, NewBody::note("before", "written before anyone else was here")).await.unwrap();
    owner.write(chart, Compartment::Psychotherapy, NewBody::note("mine", "for the author alone")).await.unwrap();
    let (passkey, mut carol) = colleague(&practice, &mut owner, "Carol", Role::Clinician).await;
    assert_eq!(carol.root_fingerprint(), owner.root_fingerprint());
    carol.put_kit().await.unwrap();

    let now = practice.conn.now();
    let stated = owner.relate(chart, carol.member(), CareKind::Covers, now, None).await.unwrap();
    if stated.counts_from.is_none() {
        let relations = carol.relations(Some(chart)).await.unwrap();
        let view = relations.iter().find(|r| r.relation.relation == stated.relation).unwrap();
        carol.confirm_relation(view).await.unwrap();
    }
    let all = [Compartment::Identity, Compartment::Record, Compartment::Psychotherapy];
    let seen = carol.open_chart(chart, &all).await.unwrap();
    assert_eq!(seen.entries.len(), 2, "identity and the note, through the older epoch");
    assert_eq!(seen.locked, 0);
    carol.write(chart, Compartment::Record, NewBody::note("carol", "covering")).await.unwrap();
    let back = owner.open_chart(chart, &all).await.unwrap();
    assert!(back.entries.iter().any(|e| e.head().unwrap().author == carol.member()));

    let epochs_before: u32 = owner.directory().teams().values().map(|t| t.epoch()).sum();
    owner.remove_member(carol.member()).await.unwrap();
    assert_eq!(owner.directory().teams().values().map(|t| t.epoch()).sum::<u32>(), epochs_before + 3);
    assert!(carol.open_chart(chart, &all).await.is_err());
    assert!(signin(&practice.conn, &passkey, None).await.is_err());
    // What is written from now on is sealed under a key that Carol never had.
    owner.close_chart(chart);
    owner.write(chart, Compartment::Record, NewBody::note("after", "not for Carol")).await.unwrap();
    let opened = owner.open_chart(chart, &all).await.unwrap();
    assert_eq!(opened.entries.len(), 5);
    practice.running.stop().await;
}

#[tokio::test]
async fn a_linked_device_works_in_its_teams_until_it_is_revoked() {
    let (practice, mut owner) = Practice::founded().await;
    let chart = owner.make_chart(&IdentityDraft::new("Anna", "Muster", "", vec![])).await.unwrap();
    let pairing = owner.begin_link().await.unwrap();
    let offered = offer_device(&practice.conn, &pairing.fragment, "Office PC").await.unwrap();
    let waiting = owner.invitations().await.unwrap();
    assert_eq!(waiting[0].accepted.as_ref().unwrap().six_words, offered.six_words);
    assert!(device_signin(&practice.conn, &offered.secrets, None).await.is_err(), "nobody has confirmed it yet");
    let teams: BTreeSet<_> = owner.directory().teams().iter().filter(|(_, t)| t.kind != TeamKind::OnCall).map(|(id, _)| *id).collect();
    owner.fresh(&practice.passkey).await.unwrap();
    let until = practice.conn.now().plus(30 * Timestamp::DAY);
    let device = owner.finish_link(pairing.id, teams, until).await.unwrap();

    let file = offered.secrets.seal("four words of mine").unwrap();
    let secrets = DeviceSecrets::open(&file, "four words of mine").unwrap();
    let mut linked = device_signin(&practice.conn, &secrets, None).await.unwrap();
    assert_eq!(linked.device(), Some(device));
    let opened = linked.open_chart(chart, &[Compartment::Identity]).await.unwrap();
    assert_eq!(opened.entries.len(), 1);
    linked.write(chart, Compartment::Record, NewBody::note("from the device", "text")).await.unwrap();
    assert_eq!(linked.write(chart, Compartment::Psychotherapy, NewBody::note("no", "")).await.unwrap_err().code(), "not-here");
    let local = linked.seal_local();
    owner.revoke_device(device).await.unwrap();
    assert!(linked.open_chart(chart, &[Compartment::Identity]).await.is_err());
    assert!(device_signin(&practice.conn, &secrets, Some(&local)).await.is_err());
    let seen = owner.open_chart(chart, &[Compartment::Record]).await.unwrap();
    assert_eq!(seen.entries[0].head().unwrap().device, Some(device));
    practice.running.stop().await;
}

#[tokio::test]
async fn whoever_lost_every_passkey_comes_back_with_the_kit_after_a_day() {
    let practice = Practice::start().await;
    let mut owner = setup(&practice.conn, &practice.passkey, &practice.options()).await.unwrap().vault;
    let kit = owner.put_kit().await.unwrap();
    let chart = owner.make_chart(&IdentityDraft::new("Anna", "Muster", "", vec![])).await.unwrap();
    let member = kit.member.unwrap();
    let lost = owner.ways().await.unwrap().into_iter().find(|w| matches!(w, WayIn::Passkey { .. })).unwrap();
    drop(owner);
    let KitUse::Wait { ready_at } = kit_use(&practice.conn, member, &kit.words).await.unwrap() else { panic!("no wait") };
    assert!(ready_at > practice.conn.now());
    practice.clock.0.advance(25 * Timestamp::HOUR);
    let KitUse::Ready(mut vault) = kit_use(&practice.conn, member, &kit.words).await.unwrap() else { panic!("still waiting") };
    let new = SoftPasskey::new(&practice.origin());
    vault.add_passkey(&new, "new key").await.unwrap();
    let mut vault = opened(signin(&practice.conn, &new, None).await.unwrap());
    assert_eq!(vault.open_chart(chart, &[Compartment::Identity]).await.unwrap().entries.len(), 1);
    // The lost passkey stops working; the new one and the kit stay.
    vault.fresh(&new).await.unwrap();
    assert_eq!(vault.remove_way(lost).await.unwrap().len(), 2);
    assert!(signin(&practice.conn, &practice.passkey, None).await.is_err());
    let mut wrong: Vec<&str> = kit.words.split(' ').collect();
    wrong.swap(0, 1);
    assert!(kit_use(&practice.conn, member, &wrong.join(" ")).await.is_err());
    practice.running.stop().await;
}

#[tokio::test]
async fn a_passkey_without_prf_asks_for_the_seven_words() {
    let practice = Practice::start().await;
    let passkey = SoftPasskey::without_prf(&practice.origin());
    let outcome = setup(&practice.conn, &passkey, &practice.options()).await.unwrap();
    let words = outcome.words.unwrap();
    let SignIn::NeedsWords(pending) = signin(&practice.conn, &passkey, None).await.unwrap() else { panic!("opened without words") };
    let other = subrosa_crypto::words::make_seven_words();
    assert_eq!(pending.unlock(&other).await.unwrap_err().code(), "wrong-words");
    let vault = pending.unlock(&words.to_uppercase()).await.unwrap();
    assert_eq!(vault.member(), outcome.vault.member());
    practice.running.stop().await;
}

#[tokio::test]
async fn crisis_sheet_roster_and_draft_open_offline_with_the_passkey_alone() {
    let (practice, mut vault) = Practice::founded().await;
    let chart = vault.make_chart(&IdentityDraft::new("Anna", "Muster", "1980-05-13", vec!["0171 5550123".into()])).await.unwrap();
    let mut plan = NewBody::note("Safety plan", "call the sister first");
    plan.schema = "safety-plan/1".into();
    vault.write(chart, Compartment::Record, plan).await.unwrap();
    vault.write(chart, Compartment::Record, NewBody::note("Session", "not on the sheet")).await.unwrap();
    vault.sync_roster().await.unwrap();
    let (door, sheet, roster) = (vault.offline_door().await.unwrap(), vault.crisis_sheet(&[chart]).await.unwrap(), vault.seal_roster());
    let draft = subrosa_client::DraftBody { entry: Default::default(), chart, compartment: Compartment::Record, body: NewBody::note("d", "unsent") };
    let kept = vault.seal_local_draft(&draft);
    practice.running.stop().await;

    let offline = open_offline(&practice.passkey, None, &door).await.unwrap();
    let opened = offline.crisis_sheet(&sheet).unwrap();
    assert_eq!(opened.charts.len(), 1);
    assert_eq!(opened.charts[0].row.family, "Muster");
    assert!(opened.charts[0].items.iter().any(|i| i.body.as_slice() == b"call the sister first"));
    assert!(!opened.charts[0].items.iter().any(|i| i.body.as_slice() == b"not on the sheet"));
    assert_eq!(offline.roster(&roster).unwrap().search("0171555", 5).len(), 1);
    assert_eq!(offline.open_draft(&kept).unwrap(), draft);
    let stranger = SoftPasskey::new("http://localhost:7110");
    assert!(open_offline(&stranger, None, &door).await.is_err());
}

#[tokio::test]
async fn a_front_desk_makes_a_chart_and_a_clinician_writes_the_record_that_the_front_desk_never_opens() {
    let (practice, mut owner) = Practice::founded().await;
    let (_, mut desk) = colleague(&practice, &mut owner, "Desk", Role::FrontDesk).await;
    desk.put_kit().await.unwrap();
    let chart = desk.make_chart(&IdentityDraft::new("Anna", "Muster", "", vec![])).await.unwrap();
    assert_eq!(desk.write(chart, Compartment::Record, NewBody::note("no", "")).await.unwrap_err().code(), "never");
    assert_eq!(desk.open_chart(chart, &[Compartment::Record]).await.unwrap_err().code(), "never");
    let stated = desk.relate(chart, owner.member(), CareKind::Treats, practice.conn.now(), None).await.unwrap();
    assert!(stated.counts_from.is_some());
    let seen = owner.open_chart(chart, &[Compartment::Identity, Compartment::Admin, Compartment::Record]).await.unwrap();
    assert_eq!(seen.entries.len(), 1);
    let note = owner.write(chart, Compartment::Record, NewBody::note("first", "hour")).await.unwrap();
    owner.close_chart(chart);
    assert_eq!(owner.open_chart(chart, &[Compartment::Record]).await.unwrap().entries[0].entry, note.entry);
    desk.sync_roster().await.unwrap();
    assert_eq!(desk.search("muster", 3).len(), 1);
    practice.running.stop().await;
}

#[tokio::test]
async fn emergency_access_opens_one_foreign_chart_leaves_its_reason_and_never_psychotherapy() {
    let (practice, mut owner) = Practice::founded().await;
    let chart = owner.make_chart(&IdentityDraft::new("Anna", "Muster", "", vec![])).await.unwrap();
    owner.write(chart, Compartment::Record, NewBody::note("note", "text")).await.unwrap();
    owner.write(chart, Compartment::Psychotherapy, NewBody::note("own", "text")).await.unwrap();
    let (_, mut carol) = colleague(&practice, &mut owner, "Carol", Role::Clinician).await;
    assert_eq!(carol.open_on_call(chart, "short").await.unwrap_err().code(), "invalid");
    let opened = carol.open_on_call(chart, "called at night: acute crisis").await.unwrap();
    assert_eq!(opened.entries.len(), 2);
    assert!(opened.entries.iter().all(|e| e.compartment != Compartment::Psychotherapy));
    let after = owner.open_chart(chart, &[Compartment::Record]).await.unwrap();
    assert!(after.entries.iter().any(|e| e.head().unwrap().body.schema == "on-call-reason/1" && e.head().unwrap().author == carol.member()));
    let looked = owner.who_has_looked(chart).await.unwrap();
    assert!(looked.events.iter().flatten().any(|e| e.what == subrosa_protocol::access::What::OnCall && e.member == Some(carol.member())));
    assert_eq!(looked.names[&carol.member()], "Carol");
    practice.running.stop().await;
}

#[tokio::test]
async fn under_the_two_person_rule_a_second_person_signs_what_the_first_proposed() {
    use subrosa_protocol::directory::{Act, Policy};
    let (practice, mut owner) = Practice::founded().await;
    let (second, mut carol) = colleague(&practice, &mut owner, "Carol", Role::Owner).await;
    owner.fresh(&practice.passkey).await.unwrap();
    owner.append(vec![Act::SetPolicy { policy: Policy { two_person: true, ..Policy::solo("Europe/Berlin") } }]).await.unwrap();
    let (_, dan) = colleague(&practice, &mut owner, "Dan", Role::Clinician).await;
    assert!(owner.set_role(dan.member(), Role::PrivacyOfficer).await.is_err());
    owner.propose(Act::SetRole { member: dan.member(), role: Role::PrivacyOfficer }).await.unwrap();
    let waiting = carol.approvals().await.unwrap();
    assert_eq!(waiting.len(), 1);
    assert!(waiting[0].signers.contains(&owner.member()));
    carol.fresh(&second).await.unwrap();
    carol.approve(&waiting[0]).await.unwrap();
    owner.sync().await.unwrap();
    assert_eq!(owner.directory().member(&dan.member()).unwrap().role, Role::PrivacyOfficer);

    let invitation = owner.invite().await.unwrap();
    let third = SoftPasskey::new(&practice.origin());
    Invited::read(&practice.conn, &invitation.fragment).await.unwrap().accept(&third, "Eve").await.unwrap();
    assert_eq!(owner.finish_invitation(invitation.id, Role::Owner).await.unwrap_err().code(), "second-person-needed");
    let eve = owner.propose_invitation(invitation.id, Role::Owner).await.unwrap();
    let waiting = carol.approvals().await.unwrap();
    carol.fresh(&second).await.unwrap();
    carol.approve(&waiting[0]).await.unwrap();
    owner.join_teams(eve).await.unwrap();
    let eve = opened(signin(&practice.conn, &third, None).await.unwrap());
    assert_eq!(eve.role().unwrap(), Role::Owner);
    assert!(eve.directory().teams().values().all(|t| t.members.contains(&eve.member())));
    practice.running.stop().await;
}

#[tokio::test]
async fn somebody_alone_reviews_their_own_stop_a_day_after_asking() {
    let (practice, mut owner) = Practice::founded().await;
    let me = owner.member();
    owner.fresh(&practice.passkey).await.unwrap();
    let refused = owner.review_pace(me).await.unwrap_err();
    assert_eq!(refused.server_code(), Some("wait"), "{refused:?}");
    let local = owner.seal_local();
    practice.clock.0.advance(25 * Timestamp::HOUR);
    let mut owner = practice.sign_in(Some(&local)).await;
    owner.review_pace(me).await.unwrap();
    assert!(owner.directory().reviewed(&me) > 0);
    practice.running.stop().await;
}

#[tokio::test]
async fn an_erasure_in_a_practice_of_one_is_ordered_and_withdrawn() {
    let (practice, mut owner) = Practice::founded().await;
    let chart = owner.make_chart(&IdentityDraft::new("Anna", "Muster", "", vec![])).await.unwrap();
    owner.fresh(&practice.passkey).await.unwrap();
    let order = owner.order_erasure(chart).await.unwrap();
    assert!(owner.directory().orders().contains_key(&order));
    owner.withdraw_order(order).await.unwrap();
    assert!(owner.directory().orders().is_empty());
    owner.hold(chart, None).await.unwrap();
    assert_eq!(owner.open_chart(chart, &[Compartment::Identity]).await.unwrap().entries.len(), 1);
    practice.running.stop().await;
}
