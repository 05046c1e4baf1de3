//! What a colleague or a linked device could do with well-signed things, held against the real server. The server refuses most of it by itself; here it is
//! put into the server's answers, so that the member's side is seen to hold alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use serde::{Serialize, de::DeserializeOwned};
use subrosa_crypto::{CompartmentKey, Endorsed, HpkeSecret, Signed, SigningKey, cbor, random, sha256};
use subrosa_model::{Bytes, ChartId, Compartment, DeviceId, Hash32, KeyId, MemberId, Role, TeamId, TeamKind, Timestamp};
use subrosa_protocol::api::{Released, RosterPage};
use subrosa_protocol::chart::{RosterBlob, RosterContext, RosterStatement, Target, Wrap, WrapContext, WrapStatement};
use subrosa_protocol::directory::Act;
use subrosa_protocol::keys::EpochSeal;

use crate::directory::Signer;
use crate::verify::{Worth, worth};
use crate::{IdentityDraft, Invited, NewBody, Proposal, Request, Response, SoftPasskey, Transport, Vault, offer_device, signin};

#[allow(dead_code)]
#[path = "../tests/client/practice.rs"]
mod practice;
use practice::{Between, Practice, opened};

async fn colleague(practice: &Practice, owner: &mut Vault, role: Role) -> Vault {
    let invitation = owner.invite().await.unwrap();
    let passkey = SoftPasskey::new(&practice.origin());
    Invited::read(&practice.conn, &invitation.fragment).await.unwrap().accept(&passkey, "Mallory").await.unwrap();
    owner.finish_invitation(invitation.id, role).await.unwrap();
    opened(signin(&practice.conn, &passkey, None).await.unwrap())
}

type Hand = Arc<Mutex<Option<(&'static str, Box<dyn FnMut(Vec<u8>) -> Vec<u8> + Send>)>>>;

fn change<T: DeserializeOwned + Serialize>(hand: &Hand, path: &'static str, mut f: impl FnMut(&mut T) + Send + 'static) {
    *hand.lock().unwrap() = Some((path, Box::new(move |body| {
        let mut message: T = cbor::decode(&body).unwrap();
        f(&mut message);
        cbor::encode(&message)
    })));
}

/// The owner again, with every answer passing through a hand.
async fn handled(practice: &Practice) -> (Hand, Vault) {
    let hand = Hand::default();
    let inner = hand.clone();
    let conn = practice.through(move |transport: Arc<dyn Transport>| {
        Arc::new(Between {
            inner: transport,
            change: move |request: &Request, answer: Response| match inner.lock().unwrap().as_mut() {
                Some((path, f)) if request.path.starts_with(*path) && answer.status == 200 => Response { body: f(answer.body), ..answer },
                _ => answer,
            },
        })
    });
    let vault = opened(signin(&conn, &practice.passkey, None).await.unwrap());
    (hand, vault)
}

fn context(vault: &Vault, chart: ChartId, key: KeyId, version: u32, target: Target) -> WrapContext {
    WrapContext { practice: vault.practice, chart, compartment: Compartment::Record, version, key, target }
}

#[tokio::test]
async fn nobody_writes_under_a_key_that_a_colleague_planted_nor_is_kept_out_by_a_wrap_that_does_not_open() {
    let (practice, mut owner) = Practice::founded().await;
    let chart = owner.make_chart(&IdentityDraft::new("Anna", "Muster", "", vec![])).await.unwrap();
    let desk = colleague(&practice, &mut owner, Role::FrontDesk).await;
    owner.write(chart, Compartment::Record, NewBody::note("one", "text")).await.unwrap();
    let real = owner.writing_key(chart, Compartment::Record).await.unwrap();
    let (me, planted) = (owner.member(), CompartmentKey::make());
    let to_me = context(&desk, chart, planted.id(), real.version + 7, Target::Member { member: me });
    let by_desk = Wrap::make_to_member(&desk.keys.sign, desk.member(), &owner.keys.hpke.public(), to_me, &planted).unwrap();
    // The same through the team that both are in, and nonsense in place of the real key.
    let (team, epoch) = owner.directory().teams().iter().find(|(_, t)| t.kind == TeamKind::FrontDesk).map(|(id, t)| (*id, t.epoch())).unwrap();
    let to_team = context(&desk, chart, planted.id(), real.version + 8, Target::Team { team, epoch });
    let to_desk = Wrap::make_to_team(&desk.keys.sign, desk.member(), &desk.epochs[&(team, epoch)], to_team, &planted).unwrap();
    let sealed = random::make_bytes::<64>().to_vec();
    let nonsense = WrapStatement { context: context(&desk, chart, real.id, real.version, real.targets[0]), maker: desk.member(), sealed: sha256(&[&sealed]) };
    let garbage = Wrap { signed: Signed::sign(&desk.keys.sign, &desk.practice, &nonsense).to_bytes().into(), sealed: sealed.into() };

    let (hand, mut owner) = handled(&practice).await;
    change(&hand, "/v1/release", move |r: &mut Released| {
        for wrap in [&by_desk, &to_desk, &garbage] {
            r.charts[0].wraps.insert(0, wrap.clone());
        }
    });
    let seen = owner.open_chart(chart, &[Compartment::Record]).await.unwrap();
    assert_eq!((seen.entries.len(), seen.locked), (1, 0));
    assert!(owner.chart_keys[&(chart, Compartment::Record)].iter().any(|k| k.id == planted.id()), "it is held, for reading");
    assert_eq!(owner.writing_key(chart, Compartment::Record).await.unwrap().id, real.id);
    practice.running.stop().await;
}

#[tokio::test]
async fn a_device_wraps_for_its_teams_alone_and_never_psychotherapy() {
    let (practice, mut owner) = Practice::founded().await;
    let pairing = owner.begin_link().await.unwrap();
    offer_device(&practice.conn, &pairing.fragment, "Desk PC").await.unwrap();
    let team = |kind| owner.directory().teams().iter().find(|(_, t)| t.kind == kind).map(|(id, _)| *id).unwrap();
    let (desk, care): (TeamId, TeamId) = (team(TeamKind::FrontDesk), team(TeamKind::Care));
    owner.fresh(&practice.passkey).await.unwrap();
    let device = owner.finish_link(pairing.id, BTreeSet::from([desk]), practice.conn.now().plus(Timestamp::DAY)).await.unwrap();
    let me = owner.member();
    let judged = |by: Option<DeviceId>, compartment, target| {
        let context = WrapContext { compartment, ..context(&owner, ChartId([1; 16]), KeyId([2; 32]), 1, target) };
        let signer = Signer { member: me, device: by, key: owner.keys.sign.public() };
        worth(&WrapStatement { context, maker: me, sealed: Hash32::default() }, &signer, owner.directory())
    };
    let now = |team: TeamId| Target::Team { team, epoch: owner.directory().teams()[&team].epoch() };
    let myself = Target::Member { member: me };
    assert_eq!(judged(Some(device), Compartment::Admin, now(desk)), Worth::Write);
    assert_eq!(judged(Some(device), Compartment::Record, now(care)), Worth::Nothing);
    assert_eq!(judged(Some(device), Compartment::Admin, myself), Worth::Nothing);
    assert_eq!(judged(Some(device), Compartment::Psychotherapy, myself), Worth::Nothing);
    assert_eq!(judged(None, Compartment::Psychotherapy, myself), Worth::Write);
    assert_eq!(judged(None, Compartment::Record, myself), Worth::Read);
    assert_eq!(judged(None, Compartment::Record, now(care)), Worth::Write);
    assert_eq!(judged(None, Compartment::Record, now(desk)), Worth::Read, "the front desk's team has no records");
    assert_eq!(judged(None, Compartment::Admin, Target::Team { team: desk, epoch: 1 }), Worth::Known, "an epoch that has passed");
    owner.revoke_device(device).await.unwrap();
    let signer = Signer { member: me, device: Some(device), key: owner.keys.sign.public() };
    let target = Target::Team { team: desk, epoch: owner.directory().teams()[&desk].epoch() };
    let context = WrapContext { compartment: Compartment::Admin, ..context(&owner, ChartId([1; 16]), KeyId([2; 32]), 1, target) };
    assert_eq!(worth(&WrapStatement { context, maker: me, sealed: Hash32::default() }, &signer, owner.directory()), Worth::Known, "revoked");
    practice.running.stop().await;
}

#[tokio::test]
async fn an_epoch_that_its_maker_broke_locks_nobody_out_and_is_told_with_their_name() {
    let (practice, mut owner) = Practice::founded().await;
    let chart = owner.make_chart(&IdentityDraft::new("Anna", "Muster", "", vec![])).await.unwrap();
    owner.write(chart, Compartment::Record, NewBody::note("one", "text")).await.unwrap();
    let mut mallory = colleague(&practice, &mut owner, Role::Clinician).await;
    let third = colleague(&practice, &mut owner, Role::Clinician).await.member();
    let (team, members) = owner.directory().teams().iter().find(|(_, t)| t.kind == TeamKind::Care).map(|(id, t)| (*id, t.members.clone())).unwrap();
    let fewer: BTreeSet<MemberId> = members.iter().copied().filter(|m| *m != third).collect();
    owner.append(vec![Act::ChangeTeam { team, members: fewer }]).await.unwrap();

    mallory.sync().await.unwrap();
    let epoch = mallory.directory().teams()[&team].epoch() + 1;
    let (mut seals, mut named) = (Vec::new(), BTreeMap::new());
    for who in mallory.directory().recipients(&team, mallory.now()) {
        let seal = EpochSeal { team, epoch, to: Some(who), sealed: random::make_bytes::<64>().to_vec().into() };
        named.insert(who, seal.hash());
        seals.push(seal);
    }
    let chain = EpochSeal { team, epoch, to: None, sealed: random::make_bytes::<64>().to_vec().into() };
    let act = Act::TurnEpoch { team, epoch, key: KeyId(random::make_bytes()), seals: named, previous: Some(chain.hash()) };
    seals.push(chain);
    mallory.append_with(vec![act], seals, None).await.unwrap();

    let mut owner = practice.sign_in(None).await;
    assert_eq!(owner.broken_epochs(), vec![(team, epoch, Some(mallory.member()))]);
    assert_eq!(owner.open_chart(chart, &[Compartment::Record]).await.unwrap().entries.len(), 1);
    assert_eq!(owner.write(chart, Compartment::Record, NewBody::note("two", "")).await.unwrap_err().code(), "broken-epoch");
    // Without whoever broke it the team begins anew.
    owner.change_team(team, members.into_iter().filter(|m| *m != mallory.member()).collect()).await.unwrap();
    owner.write(chart, Compartment::Record, NewBody::note("two", "")).await.unwrap();
    owner.close_chart(chart);
    assert_eq!(owner.open_chart(chart, &[Compartment::Record]).await.unwrap().entries.len(), 2);
    practice.running.stop().await;
}

#[tokio::test]
async fn a_second_signature_is_never_all_that_a_colleague_lacks() {
    let (practice, mut owner) = Practice::founded().await;
    let mallory = colleague(&practice, &mut owner, Role::Clinician).await;
    let (me, team) = (owner.member(), *owner.directory().teams().keys().next().unwrap());
    let link = Act::LinkDevice {
        device: DeviceId(random::make_bytes()),
        member: me,
        name: "x".into(),
        sign: SigningKey::make().public(),
        hpke: HpkeSecret::make().public(),
        teams: BTreeSet::from([team]),
        until: practice.conn.now().plus(Timestamp::DAY),
    };
    let directive = owner.directory().next(practice.conn.now(), link.clone());
    let bytes: Bytes = Endorsed::sign(&[&mallory.keys.sign], &owner.practice, &directive).to_bytes().into();
    let proposal = Proposal { bytes, directive, signers: BTreeSet::from([mallory.member()]) };
    assert_eq!(owner.approve(&proposal).await.unwrap_err().code(), "invalid");
    assert_eq!(owner.propose(link).await.unwrap_err().code(), "invalid");
    assert!(owner.directory().devices().is_empty());
    practice.running.stop().await;
}

#[tokio::test]
async fn the_bundle_is_renewed_after_a_change_of_teams_and_when_it_is_a_day_old() {
    let (practice, mut owner) = Practice::founded().await;
    let version = |v: &Vault| v.directory().member(&v.member()).unwrap().bundle.unwrap().0;
    let first = version(&owner);
    let mallory = colleague(&practice, &mut owner, Role::Clinician).await;
    let then = version(&owner);
    assert!(then > first);
    owner.fresh(&practice.passkey).await.unwrap();
    owner.remove_member(mallory.member()).await.unwrap();
    let after = version(&owner);
    assert!(after > then);
    assert_eq!(version(&practice.sign_in(None).await), after, "not at every sign-in");
    practice.clock.0.advance(25 * Timestamp::HOUR);
    assert_eq!(version(&practice.sign_in(None).await), after + 1);
    practice.sign_in(None).await;
    practice.running.stop().await;
}

#[tokio::test]
async fn one_damaged_row_hides_itself_and_no_other() {
    let (practice, mut owner) = Practice::founded().await;
    let a = owner.make_chart(&IdentityDraft::new("Anna", "Alpha", "", vec![])).await.unwrap();
    owner.make_chart(&IdentityDraft::new("Berta", "Beta", "", vec![])).await.unwrap();
    let key = owner.writing_key(a, Compartment::Identity).await.unwrap().id;
    let context = RosterContext { practice: owner.practice, chart: a, key, drawn_from: Hash32([3; 32]) };
    let sealed = random::make_bytes::<300>().to_vec();
    let statement = RosterStatement { context, sealed: sha256(&[&sealed]) };
    let bad = RosterBlob { signed: Signed::sign(&owner.keys.sign, &owner.practice, &statement).to_bytes().into(), sealed: sealed.into() };
    let (hand, mut owner) = handled(&practice).await;
    change(&hand, "/v1/roster", move |p: &mut RosterPage| {
        for row in p.rows.iter_mut().filter(|r| r.chart == a) {
            row.row.as_mut().unwrap().blob = bad.clone();
        }
    });
    assert_eq!(owner.sync_roster().await.unwrap().put, 1);
    assert_eq!(owner.roster().damaged().iter().copied().collect::<Vec<_>>(), vec![a]);
    assert_eq!(owner.search("beta", 3).len(), 1);
    practice.running.stop().await;
}
