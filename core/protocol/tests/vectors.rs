//! Frozen vectors of format 1: what was written on the first day must open for ever.
//!
//! `tests/vectors/v1.txt` was made once. A change that makes this test fail is a change of format: it needs a new version beside the old one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
use common::*;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use subrosa_crypto::{BundleKey, CompartmentKey, Endorsed, EpochKey, HpkeSecret, Signed, SigningKey, cbor, sha256};
use subrosa_model::*;
use subrosa_protocol::access::{AccessEvent, ChartLink, Leaf, Purpose, ReleaseRequest, What, map_key, map_value};
use subrosa_protocol::chart::*;
use subrosa_protocol::directory::{Act, Directory, Policy, Recipient};
use subrosa_protocol::entry::{EntryBlob, EntryBody, EntryContext, seal_entry};
use subrosa_protocol::journal::Change;
use subrosa_protocol::keys::*;
use subrosa_protocol::session::{RequestSignature, RequestToSign, challenge};

const PRACTICE: PracticeId = PracticeId([0x11; 16]);
const MEMBER: MemberId = MemberId([0x22; 16]);
const CHART: ChartId = ChartId([0x33; 16]);
const TEAM: TeamId = TeamId([0x44; 16]);

fn author() -> SigningKey {
    SigningKey::from_seed([1; 32])
}
fn sealing() -> HpkeSecret {
    HpkeSecret::from_seed([2; 32])
}
fn compartment_key() -> CompartmentKey {
    CompartmentKey::from_bytes([3; 32])
}
fn epoch_keys() -> (EpochKey, EpochKey) {
    (EpochKey::from_bytes([4; 32]), EpochKey::from_bytes([5; 32]))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, b| {
        write!(out, "{b:02x}").unwrap();
        out
    })
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

fn entry_context() -> EntryContext {
    EntryContext {
        practice: PRACTICE,
        chart: CHART,
        compartment: Compartment::Record,
        key: compartment_key().id(),
        entry: EntryId([0x55; 16]),
        version: 2,
        author: MEMBER,
        device: Some(DeviceId([0x66; 16])),
        prev: Some(Hash32([0x77; 32])),
        made: NOW,
    }
}

fn wrap_context(target: Target) -> WrapContext {
    WrapContext { practice: PRACTICE, chart: CHART, compartment: Compartment::Record, version: 1, key: compartment_key().id(), target }
}

const TO_TEAM: Target = Target::Team { team: TEAM, epoch: 1 };
const TO_MEMBER: Target = Target::Member { member: MEMBER };

fn bundle() -> Bundle {
    Bundle {
        sign_seed: [1; 32],
        hpke_seed: [2; 32],
        root: author().public(),
        expect_root: None,
        directory_size: 5,
        directory_head: Hash32([8; 32]),
        ledger: LedgerPin { size: 7, root: Hash32([9; 32]) },
    }
}

fn event() -> AccessEvent {
    AccessEvent {
        practice: PRACTICE,
        what: What::Released,
        member: Some(MEMBER),
        device: None,
        session: Some(SessionId([0x99; 16])),
        chart: Some(CHART),
        compartments: vec![Compartment::Identity, Compartment::Record],
        at: NOW,
        request: Hash32([0xaa; 32]),
        related: true,
    }
}

fn release_request() -> ReleaseRequest {
    ReleaseRequest {
        practice: PRACTICE,
        member: MEMBER,
        device: None,
        session: SessionId([0x99; 16]),
        charts: vec![CHART],
        compartments: vec![Compartment::Record],
        purpose: Purpose::OnCall { reason: Hash32([0xbb; 32]) },
        nonce: Bytes(vec![0xcc; 16]),
        at: NOW,
    }
}

fn roster_context() -> RosterContext {
    RosterContext { practice: PRACTICE, chart: CHART, key: compartment_key().id(), drawn_from: Hash32([0xdd; 32]) }
}

fn relation() -> CareRelation {
    CareRelation { relation: RelationId([0xee; 16]), practice: PRACTICE, member: MEMBER, chart: CHART, kind: CareKind::Treats, from: NOW, to: None, maker: MEMBER }
}

fn request() -> RequestToSign<'static> {
    RequestToSign { session: SessionId([0x99; 16]), method: "POST", path: "/v1/release", body: sha256(&[b"body"]), at: NOW, nonce: [0xcc; 16] }
}

/// Makes the whole set anew, as it was made once.
fn make() -> BTreeMap<String, Vec<u8>> {
    let mut out = BTreeMap::new();
    let mut put = |name: &str, bytes: Vec<u8>| {
        out.insert(name.to_owned(), bytes);
    };
    let body = EntryBody {
        schema: "note/1".into(),
        content_type: "text/plain".into(),
        title: "Session note".into(),
        occurred: Some("2026-11-21".into()),
        body: Bytes(b"said in confidence".to_vec()),
        attachments: Vec::new(),
    };
    let blob = seal_entry(&author(), &compartment_key(), &entry_context(), &body, Vec::new()).unwrap();
    put("entry", cbor::encode(&blob));
    put("journal-entry", Change::Entry { blob }.encode());
    let (old, new) = epoch_keys();
    put("wrap-team", cbor::encode(&Wrap::make_to_team(&author(), MEMBER, &old, wrap_context(TO_TEAM), &compartment_key()).unwrap()));
    put("wrap-member", cbor::encode(&Wrap::make_to_member(&author(), MEMBER, &sealing().public(), wrap_context(TO_MEMBER), &compartment_key()).unwrap()));
    put("epoch-seal", cbor::encode(&EpochSeal::make(PRACTICE, TEAM, 1, Recipient::Member(MEMBER), &sealing().public(), &old).unwrap()));
    put("epoch-chain", cbor::encode(&EpochSeal::make_chain(PRACTICE, TEAM, 2, &old, &new)));
    let context = BundleContext { practice: PRACTICE, member: MEMBER, version: 1 };
    put("bundle", seal_bundle(&BundleKey::from_bytes([6; 32]), &context, &bundle()).0);
    let row = RosterRow { given: "Given".into(), family: "Family".into(), birth_date: "1980-01-02".into(), more: vec!["555-0100".into()] };
    put("roster-row", cbor::encode(&RosterBlob::make(&author(), &compartment_key(), roster_context(), &row).unwrap()));
    put("release-request", Signed::sign(&author(), &PRACTICE, &release_request()).to_bytes());
    put("relation", Signed::sign(&author(), &PRACTICE, &relation()).to_bytes());
    put("event", cbor::encode(&event()));
    put("leaf", Leaf::of(&event(), &[0xab; 32], Some(ChartLink { count: 3, prev: Hash32([0xcd; 32]) })).to_bytes());
    put("map-leaf", Leaf::of_map(Hash32([0xef; 32])).to_bytes());
    put("map-key", map_key(&PRACTICE, &CHART).0.to_vec());
    put("map-value", map_value(&Hash32([1; 32]), 3).0.to_vec());
    put("request-signature", request().sign(&author()).into_bytes());
    put("challenge", challenge(&[0x12; 32], &author().public()).0.to_vec());
    let mut practice = Practice::found(Policy::solo("Europe/Helsinki"));
    let key = EpochKey::from_bytes([4; 32]);
    let (turn, _) = practice.turn(practice.care, &key, None);
    practice.state_by_owner(turn).unwrap();
    let owner = practice.owner.id;
    let sign = SigningKey::from_seed(*practice.owner.sign.seed());
    practice.state(Act::SetBundle { member: owner, version: 1, hash: Hash32([3; 32]) }, &[&sign]).unwrap();
    practice.state_by_owner(Act::Hold { chart: CHART, until: Some(NOW) }).unwrap();
    put("directory-practice", practice.directory.practice().0.to_vec());
    put("directory-head", practice.directory.head().0.to_vec());
    for (n, statement) in practice.log.iter().enumerate() {
        put(&format!("directory-{n}"), statement.clone());
    }
    let root = PracticeRoot::derive(&[0x13; 32]);
    put("practice-root", root.sign.public().as_bytes().to_vec());
    put("practice-backup", root.backup.public().hash().0.to_vec());
    put("practice-repository", root.repository.expose().to_vec());
    put("kit-kek", derive_kit_kek(&[0x13; 32], &[0x14; 32], &PRACTICE, &MEMBER).id().0.to_vec());
    out
}

fn vectors() -> BTreeMap<String, Vec<u8>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/v1.txt");
    if !std::path::Path::new(path).exists() && std::env::var_os("SUBROSA_MAKE_VECTORS").is_some() {
        let text = make().iter().fold(String::new(), |mut out, (name, bytes)| {
            writeln!(out, "{name} = {}", hex(bytes)).unwrap();
            out
        });
        std::fs::create_dir_all(std::path::Path::new(path).parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().filter_map(|l| l.split_once(" = ")).map(|(n, h)| (n.to_owned(), unhex(h))).collect()
}

#[test]
fn everything_written_on_the_first_day_still_opens() {
    let v = vectors();
    let blob: EntryBlob = cbor::decode(&v["entry"]).unwrap();
    let header = blob.verify(&PRACTICE, &author().public()).unwrap();
    assert_eq!(header.context, entry_context());
    let body = blob.open(&compartment_key(), &header).unwrap();
    assert_eq!((body.body.as_slice(), body.title.as_str()), (b"said in confidence".as_slice(), "Session note"));
    assert_eq!(Change::decode(&v["journal-entry"]).unwrap(), Change::Entry { blob });

    let (old, new) = epoch_keys();
    let wrap: Wrap = cbor::decode(&v["wrap-team"]).unwrap();
    assert_eq!(wrap.verify(&PRACTICE, &author().public()).unwrap().context, wrap_context(TO_TEAM));
    wrap.open_with_epoch(&old, &wrap_context(TO_TEAM)).unwrap();
    let wrap: Wrap = cbor::decode(&v["wrap-member"]).unwrap();
    wrap.verify(&PRACTICE, &author().public()).unwrap();
    wrap.open_with_member(&sealing(), &wrap_context(TO_MEMBER)).unwrap();

    let seal: EpochSeal = cbor::decode(&v["epoch-seal"]).unwrap();
    let chain: EpochSeal = cbor::decode(&v["epoch-chain"]).unwrap();
    let to = Recipient::Member(MEMBER);
    let info = |key: &EpochKey, previous| subrosa_protocol::directory::EpochInfo { key: key.id(), seals: BTreeMap::from([(to, seal.hash())]), previous, seq: 0 };
    assert_eq!(seal.open(PRACTICE, &info(&old, None), to, &sealing()).unwrap().id(), old.id());
    assert_eq!(chain.open_chain(PRACTICE, &info(&new, Some(chain.hash())), &info(&old, None), &new).unwrap().id(), old.id());

    let context = BundleContext { practice: PRACTICE, member: MEMBER, version: 1 };
    let opened = open_bundle(&BundleKey::from_bytes([6; 32]), &context, &v["bundle"]).unwrap();
    assert_eq!((opened.sign_seed, opened.directory_size), ([1; 32], 5));

    let row: RosterBlob = cbor::decode(&v["roster-row"]).unwrap();
    assert_eq!(row.verify(&PRACTICE, &author().public()).unwrap(), roster_context());
    assert_eq!(row.open(&compartment_key(), &roster_context()).unwrap().family, "Family");

    let signed = Signed::<ReleaseRequest>::from_bytes(&v["release-request"]).unwrap();
    assert_eq!(signed.verify(&author().public(), &PRACTICE).unwrap(), release_request());
    let signed = Signed::<CareRelation>::from_bytes(&v["relation"]).unwrap();
    assert_eq!(signed.verify(&author().public(), &PRACTICE).unwrap(), relation());

    let header = RequestSignature::parse(std::str::from_utf8(&v["request-signature"]).unwrap()).unwrap();
    let r = request();
    header.verify(&author().public(), r.session, r.method, r.path, r.body, NOW).unwrap();
}

#[test]
fn a_directory_of_the_first_day_still_replays_to_the_same_head() {
    let v = vectors();
    let practice = PracticeId::from_slice(&v["directory-practice"]).unwrap();
    let log: Vec<&[u8]> = (0..).map_while(|n| v.get(&format!("directory-{n}")).map(Vec::as_slice)).collect();
    assert!(log.len() >= 6);
    let directory = Directory::replay(practice, log.iter().copied(), None).unwrap();
    assert_eq!(directory.head().0.to_vec(), v["directory-head"]);
    assert!(directory.holds().contains_key(&CHART));
    for statement in log {
        assert_eq!(Endorsed::<subrosa_protocol::directory::Directive>::from_bytes(statement).unwrap().to_bytes(), statement);
    }
}

/// What is computed, not drawn, comes out byte for byte.
#[test]
fn what_is_derived_is_the_same_for_ever() {
    let (frozen, now) = (vectors(), make());
    for name in ["event", "leaf", "map-leaf", "map-key", "map-value", "challenge", "request-signature", "release-request", "relation", "practice-root", "practice-backup", "practice-repository", "kit-kek"] {
        assert_eq!(frozen[name], now[name], "{name}");
    }
}
