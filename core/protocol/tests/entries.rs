//! Entries, wraps, roster rows and sessions: what opens, and what a hostile server cannot make open.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
use common::*;

use subrosa_crypto::{CompartmentKey, EpochKey, HpkeSecret, SigningKey, random, sha256};
use subrosa_model::{Bytes, ChartId, Compartment, EntryId, Hash32, MemberId, PracticeId, SessionId, TeamId, Timestamp};
use subrosa_protocol::ProtocolError;
use subrosa_protocol::chart::{RosterBlob, RosterContext, RosterRow, Target, Wrap, WrapContext};
use subrosa_protocol::entry::{EntryBlob, EntryBody, EntryContext, MAX_BODY, seal_entry};
use subrosa_protocol::keys::{Introduction, NewKeys};
use subrosa_protocol::session::{MAX_SKEW_MS, RequestSignature, RequestToSign};

const PRACTICE: PracticeId = PracticeId([1; 16]);

fn code<T: std::fmt::Debug>(r: Result<T, ProtocolError>) -> &'static str {
    r.unwrap_err().code()
}

fn context(key: &CompartmentKey) -> EntryContext {
    EntryContext {
        practice: PRACTICE,
        chart: ChartId([2; 16]),
        compartment: Compartment::Record,
        key: key.id(),
        entry: EntryId([3; 16]),
        version: 1,
        author: MemberId([4; 16]),
        device: None,
        prev: None,
        made: NOW,
    }
}

fn body(text: &str) -> EntryBody {
    EntryBody {
        schema: "note/1".into(),
        content_type: "text/plain".into(),
        title: "Session note".into(),
        occurred: None,
        body: Bytes(text.as_bytes().to_vec()),
        attachments: Vec::new(),
    }
}

#[test]
fn a_note_opens_for_whom_it_was_made_and_keeps_its_length_to_itself() {
    let (author, key) = (SigningKey::make(), CompartmentKey::make());
    let short = seal_entry(&author, &key, &context(&key), &body("a"), Vec::new()).unwrap();
    let longer = seal_entry(&author, &key, &context(&key), &body(&"b".repeat(3000)), Vec::new()).unwrap();
    assert_eq!(short.sealed.len(), longer.sealed.len());
    let header = longer.verify(&PRACTICE, &author.public()).unwrap();
    assert_eq!(longer.open(&key, &header).unwrap().body.len(), 3000);
}

#[test]
fn swapped_bodies_other_authors_and_other_practices_are_refused_by_name() {
    let (author, key) = (SigningKey::make(), CompartmentKey::make());
    let one = seal_entry(&author, &key, &context(&key), &body("one"), Vec::new()).unwrap();
    let two = seal_entry(&author, &key, &EntryContext { entry: EntryId([5; 16]), ..context(&key) }, &body("two"), Vec::new()).unwrap();
    let mixed = EntryBlob { signed: one.signed.clone(), sealed: two.sealed.clone() };
    assert_eq!(code(mixed.verify(&PRACTICE, &author.public())), "hash-mismatch");
    assert!(one.verify(&PRACTICE, &SigningKey::make().public()).is_err());
    assert!(one.verify(&PracticeId([9; 16]), &author.public()).is_err());
    // A header of another entry opens nothing of this one.
    let other = two.verify(&PRACTICE, &author.public()).unwrap();
    assert!(one.open(&key, &other).is_err());
}

#[test]
fn no_flipped_bit_in_a_version_goes_unnoticed() {
    let (author, key) = (SigningKey::make(), CompartmentKey::make());
    let blob = seal_entry(&author, &key, &context(&key), &body("said in confidence"), Vec::new()).unwrap();
    for i in 0..blob.signed.len() {
        let mut bad = blob.clone();
        bad.signed.0[i] ^= 1 << (i % 8);
        assert!(bad.verify(&PRACTICE, &author.public()).is_err(), "signed byte {i}");
    }
    for i in (0..blob.sealed.len()).step_by(7) {
        let mut bad = blob.clone();
        bad.sealed.0[i] ^= 1 << (i % 8);
        assert!(bad.verify(&PRACTICE, &author.public()).is_err(), "sealed byte {i}");
    }
}

#[test]
fn version_one_has_no_predecessor_and_every_other_has_one() {
    let (author, key) = (SigningKey::make(), CompartmentKey::make());
    for (version, prev) in [(0, None), (1, Some(Hash32([1; 32]))), (2, None)] {
        let blob = seal_entry(&author, &key, &EntryContext { version, prev, ..context(&key) }, &body("x"), Vec::new()).unwrap();
        assert_eq!(code(blob.verify(&PRACTICE, &author.public())), "not-allowed");
    }
}

#[test]
fn a_body_beyond_the_bound_is_refused_before_it_is_sealed() {
    let (author, key) = (SigningKey::make(), CompartmentKey::make());
    let large = body(&"x".repeat(MAX_BODY + 1));
    assert_eq!(code(seal_entry(&author, &key, &context(&key), &large, Vec::new())), "too-large");
}

#[test]
fn a_wrap_opens_only_in_the_place_it_was_made_for() {
    let (maker, epoch, key) = (SigningKey::make(), EpochKey::make(), CompartmentKey::make());
    let at = |chart: u8, compartment| WrapContext {
        practice: PRACTICE,
        chart: ChartId([chart; 16]),
        compartment,
        version: 1,
        key: key.id(),
        target: Target::Team { team: TeamId([6; 16]), epoch: 1 },
    };
    let asked = at(2, Compartment::Record);
    let wrap = Wrap::make_to_team(&maker, MemberId([4; 16]), &epoch, asked.clone(), &key).unwrap();
    assert_eq!(wrap.verify(&PRACTICE, &maker.public()).unwrap().context, asked);
    assert_eq!(wrap.open_with_epoch(&epoch, &asked).unwrap().id(), key.id());
    assert!(wrap.open_with_epoch(&epoch, &at(3, Compartment::Record)).is_err());
    assert!(wrap.open_with_epoch(&epoch, &at(2, Compartment::Identity)).is_err());
    assert!(wrap.open_with_epoch(&EpochKey::make(), &asked).is_err());
    // Overwritten by the server: the signature still stands, the hash does not fit.
    let other = Wrap::make_to_team(&maker, MemberId([4; 16]), &epoch, at(3, Compartment::Record), &key).unwrap();
    let mixed = Wrap { signed: wrap.signed, sealed: other.sealed };
    assert_eq!(code(mixed.verify(&PRACTICE, &maker.public())), "hash-mismatch");
}

#[test]
fn psychotherapy_is_sealed_to_its_author_alone() {
    let (maker, author, key) = (SigningKey::make(), HpkeSecret::make(), CompartmentKey::make());
    let asked = WrapContext {
        practice: PRACTICE,
        chart: ChartId([2; 16]),
        compartment: Compartment::Psychotherapy,
        version: 1,
        key: key.id(),
        target: Target::Member { member: MemberId([4; 16]) },
    };
    let wrap = Wrap::make_to_member(&maker, MemberId([4; 16]), &author.public(), asked.clone(), &key).unwrap();
    assert_eq!(wrap.open_with_member(&author, &asked).unwrap().id(), key.id());
    assert!(wrap.open_with_member(&HpkeSecret::make(), &asked).is_err());
    for kind in subrosa_model::TeamKind::ALL {
        assert!(!subrosa_protocol::chart::compartments_for(*kind).contains(&Compartment::Psychotherapy));
    }
}

#[test]
fn a_roster_row_belongs_to_one_chart_and_one_identity() {
    let (maker, key) = (SigningKey::make(), CompartmentKey::make());
    let context = RosterContext { practice: PRACTICE, chart: ChartId([2; 16]), key: key.id(), drawn_from: Hash32([8; 32]) };
    let row = RosterRow { given: "Ada".into(), family: "Example".into(), birth_date: "1984-01-02".into(), more: Vec::new() };
    let blob = RosterBlob::make(&maker, &key, context.clone(), &row).unwrap();
    assert_eq!(blob.verify(&PRACTICE, &maker.public()).unwrap(), context);
    assert!(blob.open(&key, &context).unwrap() == row);
    assert!(blob.open(&key, &RosterContext { chart: ChartId([3; 16]), ..context }).is_err());
}

#[test]
fn a_request_is_signed_for_one_session_method_path_body_and_minute() {
    let key = SigningKey::make();
    let session = SessionId([5; 16]);
    let body = sha256(&[b"{}"]);
    let request = RequestToSign { session, method: "POST", path: "/v1/release", body, at: NOW, nonce: random::make_bytes() };
    let header = RequestSignature::parse(&request.sign(&key)).unwrap();
    let check = |s, m, p, b, now| header.verify(&key.public(), s, m, p, b, now);
    check(session, "POST", "/v1/release", body, NOW).unwrap();
    assert!(check(SessionId([6; 16]), "POST", "/v1/release", body, NOW).is_err());
    assert!(check(session, "GET", "/v1/release", body, NOW).is_err());
    assert!(check(session, "POST", "/v1/releas", body, NOW).is_err());
    assert!(check(session, "POST", "/v1/release", sha256(&[b"[]"]), NOW).is_err());
    assert_eq!(code(check(session, "POST", "/v1/release", body, NOW.plus(MAX_SKEW_MS + 1))), "bad-time");
    assert_eq!(code(check(session, "POST", "/v1/release", body, Timestamp(i64::MIN))), "bad-time");
    for bad in ["", "v1", "v2.1.a.b", "v1.x.AAAA.AAAA", "v1.1.AAAA.AAAA.AAAA"] {
        assert!(RequestSignature::parse(bad).is_err());
    }
}

#[test]
fn an_invitation_shows_a_swapped_key_in_the_mac_and_in_the_six_words() {
    let intro = Introduction { practice: PRACTICE, invitation: subrosa_model::InvitationId([7; 16]), root: Hash32([8; 32]), secret: random::make_bytes() };
    let person = Person::make();
    let keys = NewKeys {
        who: subrosa_protocol::directory::Recipient::Member(person.id),
        sign: person.sign.public(),
        hpke: person.hpke.public(),
        name: "Kim".into(),
    };
    let tag = intro.mac(&keys);
    intro.verify(&keys, &tag).unwrap();
    let swapped = NewKeys { sign: SigningKey::make().public(), ..keys.clone() };
    assert!(intro.verify(&swapped, &tag).is_err());
    assert_ne!(intro.six_words(&keys), intro.six_words(&swapped));
    let again = Introduction::from_text(&intro.to_text()).unwrap();
    assert_eq!(again.six_words(&keys), intro.six_words(&keys));
    assert!(Introduction::from_text("AAAA").is_err());
}
