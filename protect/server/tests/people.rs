//! Several people: invitations, the gate's bounds, care relations, leaving, kits, second persons, erasure.
#![allow(clippy::unwrap_used)]

mod common;
use common::{House, RECORD, chart, connect, note};
use subrosa_client::{ClientError, Invited, KitUse, SoftPasskey, Vault, kit_use};
use subrosa_model::{CareKind, ChartId, Compartment, MemberId, OrderId, Role, Timestamp};
use subrosa_protocol::directory::{Act, OrderKind};

/// Somebody follows an invitation and is admitted.
async fn join(house: &House, owner: &mut Vault, owner_passkey: &SoftPasskey, role: Role) -> (Vault, SoftPasskey, MemberId) {
    owner.fresh(owner_passkey).await.unwrap();
    let invitation = owner.invite().await.unwrap();
    let passkey = house.passkey();
    let conn = connect(&house.base, &house.clock);
    let accepted = Invited::read(&conn, &invitation.fragment).await.unwrap().accept(&passkey, "Colleague").await.unwrap();
    // The link works once.
    let again = Invited::read(&conn, &invitation.fragment).await.unwrap().accept(&house.passkey(), "Thief").await.unwrap_err();
    assert_eq!(again.server_code(), Some("invitation"));
    let waiting = owner.invitations().await.unwrap();
    let found = waiting.iter().find(|w| w.id == invitation.id).unwrap().accepted.as_ref().unwrap();
    assert_eq!(found.six_words, accepted.six_words);
    // Before an owner has confirmed, the new passkey opens nothing.
    assert_eq!(subrosa_client::signin(&conn, &passkey, None).await.err().unwrap().server_code(), Some("passkey"));
    let member = owner.finish_invitation(invitation.id, role).await.unwrap();
    (house.signin(&passkey).await, passkey, member)
}

async fn charts(owner: &mut Vault, n: usize) -> Vec<ChartId> {
    let mut all = Vec::new();
    for i in 0..n {
        all.push(chart(owner, &format!("Patient {i}")).await);
    }
    all
}

#[tokio::test]
async fn the_gate_stops_at_the_twenty_first_foreign_chart_until_somebody_else_has_looked() {
    let house = House::open().await;
    let (mut owner, passkey) = house.owner().await;
    let all = charts(&mut owner, 22).await;
    let (mut clinician, _, member) = join(&house, &mut owner, &passkey, Role::Clinician).await;
    for patient in &all[..20] {
        clinician.open_chart(*patient, RECORD).await.unwrap();
    }
    assert!(matches!(clinician.open_chart(all[20], RECORD).await, Err(ClientError::GateStop)));
    assert!(matches!(clinician.open_charts(&all[20..22], RECORD).await, Err(ClientError::GateStop)));
    // What was opened before stays open, and the refusals are in the charts' histories.
    clinician.open_chart(all[0], RECORD).await.unwrap();
    let looked = owner.who_has_looked(all[20]).await.unwrap();
    let refused = looked.events.iter().flatten().filter(|e| e.what == subrosa_protocol::access::What::Refused && e.member == Some(member)).count();
    assert_eq!(refused, 2);
    owner.fresh(&passkey).await.unwrap();
    owner.append(vec![Act::ReviewPace { member }]).await.unwrap();
    clinician.open_chart(all[20], RECORD).await.unwrap();
    house.stop().await;
}

#[tokio::test]
async fn the_ninth_own_chart_in_ten_minutes_asks_for_the_passkey() {
    let house = House::open().await;
    let (mut owner, passkey) = house.owner().await;
    let all = charts(&mut owner, 10).await;
    house.clock.advance(11 * Timestamp::MINUTE);
    for patient in &all[..8] {
        owner.open_chart(*patient, RECORD).await.unwrap();
    }
    assert!(matches!(owner.open_chart(all[8], RECORD).await, Err(ClientError::GatePasskey)));
    owner.fresh(&passkey).await.unwrap();
    owner.open_chart(all[8], RECORD).await.unwrap();
    house.stop().await;
}

#[tokio::test]
async fn a_front_desk_never_opens_a_record() {
    let house = House::open().await;
    let (mut owner, passkey) = house.owner().await;
    let patient = chart(&mut owner, "Muster").await;
    let (mut desk, ..) = join(&house, &mut owner, &passkey, Role::FrontDesk).await;
    assert!(matches!(desk.open_chart(patient, RECORD).await, Err(ClientError::Never)));
    assert_eq!(desk.open_chart(patient, &[Compartment::Identity]).await.unwrap().entries.len(), 1);
    assert_eq!(desk.backup_state().await.unwrap_err().code(), "never");
    house.stop().await;
}

#[tokio::test]
async fn a_relation_made_by_who_gains_by_it_counts_when_somebody_else_confirms_it() {
    let house = House::open().await;
    let (mut owner, passkey) = house.owner().await;
    let patient = chart(&mut owner, "Muster").await;
    let (mut clinician, _, member) = join(&house, &mut owner, &passkey, Role::Clinician).await;
    let now = house.clock.now();
    let state = clinician.relate(patient, member, CareKind::Treats, now, None).await.unwrap();
    assert_eq!(state.counts_from, None);
    clinician.sync_roster().await.unwrap();
    assert_eq!(clinician.roster().len(), 0);
    let own = clinician.relations(Some(patient)).await.unwrap();
    let waiting = own.iter().find(|r| r.relation.member == member).unwrap();
    assert_eq!(clinician.confirm_relation(waiting).await.unwrap_err().server_code(), Some("second-person-needed"));
    assert!(owner.confirm_relation(waiting).await.unwrap().counts_from.is_some());
    clinician.sync_roster().await.unwrap();
    assert_eq!(clinician.roster().len(), 1);
    house.stop().await;
}

#[tokio::test]
async fn two_colleagues_do_not_relate_each_other_to_a_chart_of_neither() {
    let house = House::open().await;
    let (mut owner, passkey) = house.owner().await;
    let patient = chart(&mut owner, "Muster").await;
    let (mut one, _, one_id) = join(&house, &mut owner, &passkey, Role::Clinician).await;
    let (mut two, _, two_id) = join(&house, &mut owner, &passkey, Role::Clinician).await;
    let now = house.clock.now();
    assert_eq!(one.relate(patient, two_id, CareKind::Covers, now, None).await.unwrap().counts_from, None);
    one.relate(patient, one_id, CareKind::Covers, now, None).await.unwrap();
    let waiting = two.relations(Some(patient)).await.unwrap();
    let of_one = waiting.iter().find(|r| r.relation.member == one_id).unwrap();
    assert_eq!(two.confirm_relation(of_one).await.unwrap_err().server_code(), Some("second-person-needed"));
    // Whoever made the chart brings in whom they like; who was brought in today brings in nobody.
    assert!(owner.relate(patient, two_id, CareKind::Covers, now, None).await.unwrap().counts_from.is_some());
    let three = join(&house, &mut owner, &passkey, Role::Clinician).await.2;
    assert_eq!(two.relate(patient, three, CareKind::Covers, now, None).await.unwrap().counts_from, None);
    assert_eq!(two.confirm_relation(of_one).await.unwrap_err().server_code(), Some("second-person-needed"));
    assert!(owner.confirm_relation(of_one).await.unwrap().counts_from.is_some());
    house.stop().await;
}

#[tokio::test]
async fn who_leaves_opens_nothing_from_that_moment() {
    let house = House::open().await;
    let (mut owner, passkey) = house.owner().await;
    let patient = chart(&mut owner, "Muster").await;
    let (mut clinician, theirs, member) = join(&house, &mut owner, &passkey, Role::Clinician).await;
    clinician.open_chart(patient, RECORD).await.unwrap();
    owner.fresh(&passkey).await.unwrap();
    owner.remove_member(member).await.unwrap();
    let refused = clinician.open_chart(patient, RECORD).await.unwrap_err();
    assert!(matches!(refused, ClientError::SessionOver) || refused.server_code() == Some("no-access"), "{refused:?}");
    let conn = connect(&house.base, &house.clock);
    assert_eq!(subrosa_client::signin(&conn, &theirs, None).await.err().unwrap().server_code(), Some("no-access"));
    owner.write(patient, Compartment::Record, note("after they left")).await.unwrap();
    house.stop().await;
}

#[tokio::test]
async fn a_member_kit_waits_a_day_is_seen_and_can_be_stopped() {
    let house = House::open().await;
    let (mut owner, passkey) = house.owner().await;
    let kit = owner.put_kit().await.unwrap();
    let conn = connect(&house.base, &house.clock);
    assert!(matches!(kit_use(&conn, owner.member(), &kit.words).await.unwrap(), KitUse::Wait { .. }));
    assert_eq!(owner.kit_uses().await.unwrap().len(), 1);
    owner.answer_kit_use(owner.member(), false).await.unwrap();
    house.clock.advance(25 * Timestamp::HOUR);
    assert_eq!(kit_use(&conn, owner.member(), &kit.words).await.unwrap_err().server_code(), Some("kit-stopped"));

    let mut owner = house.signin(&passkey).await;
    house.clock.advance(2 * Timestamp::SECOND);
    let kit = owner.put_kit().await.unwrap();
    let patient = chart(&mut owner, "Muster").await;
    assert!(matches!(kit_use(&conn, owner.member(), &kit.words).await.unwrap(), KitUse::Wait { .. }));
    house.clock.advance(23 * Timestamp::HOUR);
    assert!(matches!(kit_use(&conn, owner.member(), &kit.words).await.unwrap(), KitUse::Wait { .. }));
    house.clock.advance(2 * Timestamp::HOUR);
    let KitUse::Ready(mut back) = kit_use(&conn, owner.member(), &kit.words).await.unwrap() else { panic!("the day has passed") };
    // This session makes a passkey and nothing else.
    assert_eq!(back.open_chart(patient, RECORD).await.unwrap_err().server_code(), Some("passkey-needed"));
    let new = house.passkey();
    back.add_passkey(&new, "new").await.unwrap();
    house.signin(&new).await.open_chart(patient, RECORD).await.unwrap();
    house.stop().await;
}

#[tokio::test]
async fn a_chart_is_erased_on_order_after_its_delay_and_not_while_it_is_held() {
    let house = House::open().await;
    let (mut owner, passkey) = house.owner().await;
    let (one, two) = (chart(&mut owner, "One").await, chart(&mut owner, "Two").await);
    owner.fresh(&passkey).await.unwrap();
    let order = |chart, n| Act::Order { order: OrderId([n; 16]), kind: OrderKind::EraseChart { chart } };
    owner.append(vec![order(one, 1), order(two, 2), Act::Hold { chart: two, until: None }]).await.unwrap();
    let job = || subrosa_server::jobs::once(house.app());
    house.clock.advance(6 * Timestamp::DAY);
    assert!(job().await.unwrap().is_empty());
    house.clock.advance(2 * Timestamp::DAY);
    assert_eq!(job().await.unwrap(), vec![one]);
    assert!(job().await.unwrap().is_empty());
    let mut owner = house.signin(&passkey).await;
    assert_eq!(owner.open_chart(one, RECORD).await.unwrap_err().server_code(), Some("erased"));
    owner.open_chart(two, RECORD).await.unwrap();
    house.stop().await;
}

#[tokio::test]
async fn somebody_alone_reviews_their_own_pace_a_day_later_and_relates_to_a_chart_a_day_later() {
    let house = House::open().await;
    let (mut owner, passkey) = house.owner().await;
    let patient = chart(&mut owner, "Muster").await;
    let member = owner.member();
    owner.fresh(&passkey).await.unwrap();
    assert_eq!(owner.append(vec![Act::ReviewPace { member }]).await.unwrap_err().server_code(), Some("wait"));
    let state = owner.relate(patient, member, CareKind::Covers, house.clock.now(), None).await.unwrap();
    assert!(state.counts_from.unwrap().since(house.clock.now()) > 23 * Timestamp::HOUR);
    house.clock.advance(3 * Timestamp::MINUTE);
    assert!(matches!(owner.relate(patient, member, CareKind::Covers, house.clock.now(), None).await, Err(ClientError::GatePasskey)));
    house.stop().await;
}

#[tokio::test]
async fn a_demonstration_takes_no_real_people_and_says_what_it_is() {
    let house = House::open_with(|layer| layer.demo = Some(true)).await;
    let (mut owner, _) = house.owner().await;
    assert!(house.conn.hello().await.unwrap().demo);
    assert_eq!(owner.invite().await.unwrap_err().server_code(), Some("demo"));
    house.running.as_ref().unwrap().fill_demo(true);
    owner.invite().await.unwrap();
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_sessions_of_one_member_open_no_more_foreign_charts_than_one_session() {
    let house = House::open().await;
    let (mut owner, passkey) = house.owner().await;
    let all = charts(&mut owner, 30).await;
    let (_, theirs, _) = join(&house, &mut owner, &passkey, Role::Clinician).await;
    let mut racing = Vec::new();
    for lane in 0..6 {
        let mut vault = house.signin(&theirs).await;
        let mut order = all.clone();
        order.rotate_left(lane * 5);
        racing.push(tokio::spawn(async move {
            let mut opened = std::collections::BTreeSet::new();
            for patient in order {
                match vault.open_chart(patient, RECORD).await {
                    Ok(_) => {
                        opened.insert(patient);
                    }
                    Err(ClientError::GateStop) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
            opened
        }));
    }
    let mut opened = std::collections::BTreeSet::new();
    for lane in racing {
        opened.extend(lane.await.unwrap());
    }
    assert_eq!(opened.len(), 20);
    house.stop().await;
}
