//! The directory: what it accepts, and every way in which a hostile server or one deceived person could bend it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
use common::*;

use std::collections::BTreeSet;

use subrosa_crypto::{EpochKey, HpkeSecret, SigningKey, random};
use subrosa_model::{ChartId, Hash32, OrderId, PracticeId, Role, TeamId, TeamKind, Timestamp};
use subrosa_protocol::directory::{Act, Directory, OrderKind, Policy, Recipient};

fn solo() -> Practice {
    Practice::found(Policy::solo("Europe/Helsinki"))
}

fn code<T: std::fmt::Debug>(r: Result<T, subrosa_protocol::ProtocolError>) -> &'static str {
    r.unwrap_err().code()
}

#[test]
fn a_log_replays_to_the_same_directory() {
    let mut p = solo();
    p.join(Role::Clinician);
    let again = Directory::replay(p.directory.practice(), p.log.iter().map(Vec::as_slice), p.directory.root()).unwrap();
    assert_eq!(again, p.directory);
}

#[test]
fn every_flipped_bit_in_a_statement_is_refused_and_changes_nothing() {
    let mut p = solo();
    let newcomer = Person::make();
    let good = p.bytes(admit(&newcomer, Role::Clinician), &[&p.owner.sign]);
    let before = p.directory.clone();
    for i in 0..good.len() {
        let mut bad = good.clone();
        bad[i] ^= 1 << (i % 8);
        assert!(p.directory.apply(&bad).is_err(), "byte {i}");
    }
    assert_eq!(p.directory, before);
    p.apply(good).unwrap();
}

#[test]
fn a_statement_holds_in_its_place_only() {
    let mut p = solo();
    let first = p.log[2].clone();
    assert_eq!(code(p.directory.apply(&first)), "directory-out-of-sequence");
    // Left out, or two in the wrong order.
    p.join(Role::Clinician);
    p.join(Role::FrontDesk);
    let practice = p.directory.practice();
    let mut without = p.log.clone();
    without.remove(3);
    assert!(Directory::replay(practice, without.iter().map(Vec::as_slice), None).is_err());
    let mut swapped = p.log.clone();
    swapped.swap(3, 4);
    assert!(Directory::replay(practice, swapped.iter().map(Vec::as_slice), None).is_err());
}

#[test]
fn a_directory_under_another_root_or_of_another_practice_is_refused() {
    let p = solo();
    let other = solo();
    let log = || p.log.iter().map(Vec::as_slice);
    assert_eq!(code(Directory::replay(p.directory.practice(), log(), other.directory.root())), "wrong-signer");
    assert_eq!(code(Directory::replay(PracticeId([9; 16]), log(), None)), "wrong-practice");
}

#[test]
fn nobody_but_an_owner_admits_members_or_makes_orders() {
    let mut p = solo();
    for role in [Role::Clinician, Role::Supervisor, Role::FrontDesk, Role::Billing, Role::PrivacyOfficer] {
        let member = p.join(role);
        let newcomer = Person::make();
        assert_eq!(code(p.state(admit(&newcomer, Role::Clinician), &[&member.sign])), "wrong-signer", "{role}");
        let erase = Act::Order { order: OrderId([1; 16]), kind: OrderKind::EraseChart { chart: ChartId([2; 16]) } };
        assert_eq!(code(p.state(erase, &[&member.sign])), "wrong-signer", "{role}");
    }
    let stranger = SigningKey::make();
    assert!(p.state(admit(&Person::make(), Role::Owner), &[&stranger]).is_err());
}

#[test]
fn under_the_two_person_policy_one_deceived_owner_does_no_dangerous_act() {
    let mut p = Practice::found(two_person());
    let newcomer = Person::make();
    let erase = || Act::Order { order: OrderId([1; 16]), kind: OrderKind::EraseChart { chart: ChartId([2; 16]) } };
    assert_eq!(code(p.state_by_owner(admit(&newcomer, Role::Owner))), "second-person-needed");
    assert_eq!(code(p.state_by_owner(admit(&newcomer, Role::PrivacyOfficer))), "second-person-needed");
    assert_eq!(code(p.state_by_owner(erase())), "second-person-needed");
    assert_eq!(code(p.state_by_owner(Act::SetPolicy { policy: Policy::solo("UTC") })), "second-person-needed");
    // The root brings in the second owner; then two sign, and the same person twice does not count as two.
    p.state_by_root(admit(&newcomer, Role::Owner)).unwrap();
    let bytes = p.bytes(erase(), &[&p.owner.sign, &p.owner.sign]);
    assert!(p.directory.apply(&bytes).is_err());
    let bytes = p.bytes(erase(), &[&p.owner.sign, &newcomer.sign]);
    p.apply(bytes).unwrap();
    assert_eq!(p.directory.orders()[&OrderId([1; 16])].signers.len(), 2);
    assert_eq!(p.directory.orders()[&OrderId([1; 16])].delay_ms, 0);
}

#[test]
fn a_linked_device_is_no_second_person_and_decides_nothing() {
    let mut p = Practice::found(two_person());
    let (sign, hpke) = (SigningKey::make(), HpkeSecret::make());
    let (_, act) = link(&p.owner, &sign, &hpke, &[p.care]);
    p.state_by_owner(act).unwrap();
    let erase = Act::Order { order: OrderId([1; 16]), kind: OrderKind::EraseChart { chart: ChartId([2; 16]) } };
    let bytes = p.bytes(erase, &[&p.owner.sign, &sign]);
    assert_eq!(code(p.directory.apply(&bytes)), "wrong-signer");
    let bytes = p.bytes(admit(&Person::make(), Role::Clinician), &[&sign]);
    assert_eq!(code(p.directory.apply(&bytes)), "wrong-signer");
}

#[test]
fn in_a_practice_of_one_an_order_waits_seven_days() {
    let mut p = solo();
    p.state_by_owner(Act::Order { order: OrderId([1; 16]), kind: OrderKind::EraseChart { chart: ChartId([2; 16]) } }).unwrap();
    assert_eq!(p.directory.orders()[&OrderId([1; 16])].delay_ms, 7 * Timestamp::DAY);
    assert!(p.state_by_owner(Act::SetPolicy { policy: Policy { solo_delay_ms: 1, ..Policy::solo("UTC") } }).is_err());
}

#[test]
fn the_last_owner_can_neither_leave_nor_step_down() {
    let mut p = solo();
    let owner = p.owner.id;
    assert_eq!(code(p.state_by_owner(Act::RemoveMember { member: owner })), "not-allowed");
    assert_eq!(code(p.state_by_owner(Act::SetRole { member: owner, role: Role::Clinician })), "not-allowed");
}

#[test]
fn a_leaver_signs_nothing_more_and_the_teams_epochs_must_turn() {
    let mut p = solo();
    let kim = p.join(Role::Clinician);
    let care = p.care;
    p.state_by_owner(Act::ChangeTeam { team: care, members: BTreeSet::from([p.owner.id, kim.id]) }).unwrap();
    let first = EpochKey::make();
    let (turn, _) = p.turn(care, &first, None);
    p.state_by_owner(turn).unwrap();
    assert!(!p.directory.teams()[&care].must_turn());
    p.state_by_owner(Act::RemoveMember { member: kim.id }).unwrap();
    assert!(p.directory.teams()[&care].must_turn());
    let second = EpochKey::make();
    let (turn, seals) = p.turn(care, &second, Some(&first));
    assert_eq!(code(p.state(turn.clone(), &[&kim.sign])), "signature-signer-unknown");
    assert!(seals.iter().all(|s| s.to != Some(Recipient::Member(kim.id))));
    p.state_by_owner(turn).unwrap();
}

#[test]
fn an_epoch_goes_to_exactly_the_team_and_opens_for_them_alone() {
    let mut p = solo();
    let kim = p.join(Role::Clinician);
    let care = p.care;
    let practice = p.directory.practice();
    p.state_by_owner(Act::ChangeTeam { team: care, members: BTreeSet::from([p.owner.id, kim.id]) }).unwrap();
    let first = EpochKey::make();
    let (turn, seals) = p.turn(care, &first, None);
    // Left somebody out, or let somebody in: refused.
    if let Act::TurnEpoch { team, epoch, key, seals: hashes, previous } = turn.clone() {
        let mut fewer = hashes.clone();
        fewer.remove(&Recipient::Member(kim.id));
        let act = Act::TurnEpoch { team, epoch, key, seals: fewer, previous };
        assert_eq!(code(p.state_by_owner(act)), "not-allowed");
        let mut more = hashes;
        more.insert(Recipient::Member(Person::make().id), Hash32([7; 32]));
        let act = Act::TurnEpoch { team, epoch, key, seals: more, previous };
        assert_eq!(code(p.state_by_owner(act)), "not-allowed");
    }
    p.state_by_owner(turn).unwrap();
    let info = p.directory.teams()[&care].epochs[0].clone();
    let mine = seal_for(&seals, Recipient::Member(kim.id));
    let opened = mine.open(practice, &info, Recipient::Member(kim.id), &kim.hpke).unwrap();
    assert_eq!(opened.id(), first.id());
    assert!(mine.open(practice, &info, Recipient::Member(kim.id), &p.owner.hpke).is_err());
    // The server swaps one seal for another.
    let other = seal_for(&seals, Recipient::Member(p.owner.id));
    assert_eq!(code(other.open(practice, &info, Recipient::Member(kim.id), &kim.hpke)), "hash-mismatch");
    // Nobody turns it for nothing; an owner can ask for a turn by naming the team's members again.
    let second = EpochKey::make();
    let (turn, _) = p.turn(care, &second, Some(&first));
    assert_eq!(code(p.state(turn, &[&kim.sign])), "not-allowed");
    p.state_by_owner(Act::ChangeTeam { team: care, members: BTreeSet::from([p.owner.id, kim.id]) }).unwrap();
    // The chain leads from the second epoch to the first, and not from a chain that the server made.
    let (turn, seals) = p.turn(care, &second, Some(&first));
    p.state_by_owner(turn).unwrap();
    let epochs = &p.directory.teams()[&care].epochs;
    let chain = seals.iter().find(|s| s.to.is_none()).unwrap();
    assert_eq!(chain.open_chain(practice, &epochs[1], &epochs[0], &second).unwrap().id(), first.id());
    let forged = subrosa_protocol::keys::EpochSeal::make_chain(practice, care, 2, &EpochKey::make(), &second);
    assert_eq!(code(forged.open_chain(practice, &epochs[1], &epochs[0], &second)), "hash-mismatch");
}

#[test]
fn one_key_is_never_two_people() {
    let mut p = solo();
    let twin = Person { sign: SigningKey::from_seed(*p.owner.sign.seed()), ..Person::make() };
    assert_eq!(code(p.state_by_owner(admit(&twin, Role::Clinician))), "not-allowed");
    let rooted = Person { sign: SigningKey::from_seed(*p.root.sign.seed()), ..Person::make() };
    assert_eq!(code(p.state_by_owner(admit(&rooted, Role::Clinician))), "not-allowed");
}

#[test]
fn bundles_count_up_and_only_their_member_sets_them() {
    let mut p = solo();
    let kim = p.join(Role::Clinician);
    let set = |version| Act::SetBundle { member: kim.id, version, hash: Hash32([3; 32]) };
    assert_eq!(code(p.state_by_owner(set(1))), "wrong-signer");
    assert_eq!(code(p.state(set(2), &[&kim.sign])), "not-allowed");
    p.state(set(1), &[&kim.sign]).unwrap();
    assert_eq!(code(p.state(set(1), &[&kim.sign])), "not-allowed");
}

#[test]
fn a_device_is_linked_by_its_member_for_their_own_teams_and_not_for_ever() {
    let mut p = solo();
    let kim = p.join(Role::Clinician);
    let (sign, hpke) = (SigningKey::make(), HpkeSecret::make());
    let (_, mine) = link(&kim, &sign, &hpke, &[]);
    assert_eq!(code(p.state_by_owner(mine)), "wrong-signer");
    let (_, foreign) = link(&kim, &sign, &hpke, &[p.care]);
    assert_eq!(code(p.state(foreign, &[&kim.sign])), "not-allowed");
    let (device, act) = link(&kim, &sign, &hpke, &[]);
    if let Act::LinkDevice { device, member, name, sign, hpke, teams, .. } = act.clone() {
        let until = NOW.plus(4000 * Timestamp::DAY);
        let eternal = Act::LinkDevice { device, member, name, sign, hpke, teams, until };
        assert_eq!(code(p.state(eternal, &[&kim.sign])), "not-allowed");
    }
    p.state(act, &[&kim.sign]).unwrap();
    p.state_by_owner(Act::RevokeDevice { device }).unwrap();
    assert!(p.directory.signer(&sign.public().id()).is_none());
    assert!(p.directory.past_signer(&sign.public().id()).is_some());
}

#[test]
fn the_root_can_hand_over_and_bring_in_an_owner_but_not_read_orders_or_staff() {
    let mut p = solo();
    let next = subrosa_protocol::keys::PracticeRoot::derive(&random::make_bytes());
    let hand_over = Act::SetRoot { root: next.sign.public(), backup: next.backup.public() };
    assert_eq!(code(p.state_by_root(hand_over.clone())), "wrong-signer");
    let bytes = p.bytes(hand_over, &[&p.root.sign, &next.sign]);
    p.apply(bytes).unwrap();
    assert_eq!(p.directory.root(), Some(&next.sign.public()));
    // The old root is nobody now.
    assert!(p.state_by_root(admit(&Person::make(), Role::Owner)).is_err());
    let newcomer = Person::make();
    p.state(admit(&newcomer, Role::Owner), &[&next.sign]).unwrap();
    let clinician = admit(&Person::make(), Role::Clinician);
    assert_eq!(code(p.state(clinician, &[&next.sign])), "wrong-signer");
    let team = Act::MakeTeam { team: TeamId([8; 16]), kind: TeamKind::Care, name: "x".into(), members: BTreeSet::from([newcomer.id]) };
    assert_eq!(code(p.state(team, &[&next.sign])), "wrong-signer");
}

#[test]
fn holds_and_orders_stand_until_lifted() {
    let mut p = solo();
    let chart = ChartId([2; 16]);
    assert_eq!(code(p.state_by_owner(Act::LiftHold { chart })), "unknown");
    p.state_by_owner(Act::Hold { chart, until: None }).unwrap();
    assert!(p.directory.holds().contains_key(&chart));
    p.state_by_owner(Act::LiftHold { chart }).unwrap();
    assert!(p.directory.holds().is_empty());
}

#[test]
fn under_the_two_person_policy_one_owner_removes_no_guardian_and_two_always_remain() {
    let mut p = Practice::found(two_person());
    let second = Person::make();
    p.state_by_root(admit(&second, Role::Owner)).unwrap();
    assert_eq!(code(p.state_by_owner(Act::RemoveMember { member: second.id })), "second-person-needed");
    assert_eq!(code(p.state_by_owner(Act::SetRole { member: second.id, role: Role::Clinician })), "second-person-needed");
    let bytes = p.bytes(Act::RemoveMember { member: second.id }, &[&p.owner.sign, &second.sign]);
    assert_eq!(code(p.directory.apply(&bytes)), "not-allowed");
    let mut p = solo();
    assert_eq!(code(p.state_by_owner(Act::SetPolicy { policy: two_person() })), "not-allowed");
}

#[test]
fn a_team_never_loses_the_last_who_holds_its_key() {
    let mut p = solo();
    let kim = p.join(Role::Clinician);
    let second = Person::make();
    p.state_by_owner(admit(&second, Role::Owner)).unwrap();
    let care = p.care;
    let (turn, _) = p.turn(care, &EpochKey::make(), None);
    p.state_by_owner(turn).unwrap();
    assert_eq!(code(p.state_by_owner(Act::ChangeTeam { team: care, members: BTreeSet::from([kim.id]) })), "not-allowed");
    assert_eq!(code(p.state(Act::RemoveMember { member: p.owner.id }, &[&second.sign])), "not-allowed");
    p.state_by_owner(Act::ChangeTeam { team: care, members: BTreeSet::from([p.owner.id, kim.id]) }).unwrap();
}
