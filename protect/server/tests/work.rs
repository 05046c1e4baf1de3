//! Work with charts beyond the first note: conflicts, attachments, emergency access, devices, second persons, two servers over one PostgreSQL.
#![allow(clippy::unwrap_used)]

mod common;
use common::{Forger, House, RECORD, borrowed, chart, connect, note};
use subrosa_client::{DeviceSecrets, Invited, NewFile, SoftPasskey, Vault, device_signin, offer_device};
use subrosa_crypto::{SigningKey, random};
use subrosa_model::{Compartment, EntryId, OrderId, Role, SessionId, Timestamp};
use subrosa_protocol::api::{DirectoryAppend, DirectoryPage, EntryOutcome, ErrorBody};
use subrosa_protocol::directory::{Act, OrderKind, Policy};

#[tokio::test]
async fn two_who_write_at_once_are_both_kept() {
    let house = House::open().await;
    let (mut one, passkey) = house.owner().await;
    let patient = chart(&mut one, "Muster").await;
    let written = one.write(patient, Compartment::Record, note("first")).await.unwrap();
    let mut two = house.signin(&passkey).await;
    two.open_chart(patient, RECORD).await.unwrap();
    one.open_chart(patient, RECORD).await.unwrap();
    assert_eq!(one.amend(patient, Compartment::Record, written.entry, note("mine")).await.unwrap().outcome, EntryOutcome::Head);
    assert_eq!(two.amend(patient, Compartment::Record, written.entry, note("yours")).await.unwrap().outcome, EntryOutcome::Conflict);
    let opened = one.open_chart(patient, RECORD).await.unwrap();
    assert!(opened.entries[0].conflict() && opened.entries[0].versions.len() == 3);
    house.stop().await;
}

#[tokio::test]
async fn a_file_comes_back_as_it_was_and_only_through_the_gate() {
    let house = House::open().await;
    let (mut owner, passkey) = house.owner().await;
    let patient = chart(&mut owner, "Muster").await;
    let entry = EntryId(random::make_bytes());
    let bytes: Vec<u8> = (0..200_000u32).map(|i| (i % 251) as u8).collect();
    let file = NewFile { name: "letter.pdf".into(), content_type: "application/pdf".into(), bytes: bytes.clone() };
    owner.write_with_files(patient, Compartment::Record, entry, note("with a letter"), &[file]).await.unwrap();
    // An amended version without the file does not take it away from the older one.
    owner.amend(patient, Compartment::Record, entry, note("without")).await.unwrap();
    let opened = owner.open_chart(patient, RECORD).await.unwrap();
    let version = opened.entries[0].versions.iter().find(|v| v.version == 1).unwrap();
    assert_eq!(*owner.open_file(patient, Compartment::Record, entry, version, 0).await.unwrap(), bytes);
    let (mut desk, _) = join(&house, &mut owner, &passkey, Role::FrontDesk).await;
    assert!(desk.open_file(patient, Compartment::Record, entry, version, 0).await.is_err());
    house.stop().await;
}

async fn join(house: &House, owner: &mut Vault, owner_passkey: &SoftPasskey, role: Role) -> (Vault, SoftPasskey) {
    owner.fresh(owner_passkey).await.unwrap();
    let invitation = owner.invite().await.unwrap();
    let passkey = house.passkey();
    Invited::read(&connect(&house.base, &house.clock), &invitation.fragment).await.unwrap().accept(&passkey, "Colleague").await.unwrap();
    owner.finish_invitation(invitation.id, role).await.unwrap();
    (house.signin(&passkey).await, passkey)
}

#[tokio::test]
async fn emergency_access_is_for_clinicians_with_a_reason_and_never_for_psychotherapy() {
    let house = House::open().await;
    let (mut owner, passkey) = house.owner().await;
    let patient = chart(&mut owner, "Muster").await;
    owner.write(patient, Compartment::Record, note("allergic to penicillin")).await.unwrap();
    owner.write(patient, Compartment::Psychotherapy, note("a dream")).await.unwrap();
    let (mut clinician, _) = join(&house, &mut owner, &passkey, Role::Clinician).await;
    let opened = clinician.open_on_call(patient, "unconscious, brought in").await.unwrap();
    assert!(opened.entries.iter().all(|e| e.compartment != Compartment::Psychotherapy));
    assert!(opened.entries.iter().any(|e| e.compartment == Compartment::Record));
    let looked = owner.who_has_looked(patient).await.unwrap();
    assert!(looked.events.iter().flatten().any(|e| e.what == subrosa_protocol::access::What::OnCall && e.member == Some(clinician.member())));
    // Opening normally gives nobody the ciphertext of another's psychotherapy notes.
    let all = clinician.open_chart(patient, &[Compartment::Record, Compartment::Psychotherapy]).await.unwrap();
    assert!(all.entries.iter().all(|e| e.compartment != Compartment::Psychotherapy));
    let (mut desk, _) = join(&house, &mut owner, &passkey, Role::FrontDesk).await;
    assert!(desk.open_on_call(patient, "curious").await.is_err());
    house.stop().await;
}

#[tokio::test]
async fn a_linked_device_signs_in_by_itself_until_it_is_revoked() {
    let house = House::open().await;
    let (mut owner, passkey) = house.owner().await;
    let patient = chart(&mut owner, "Muster").await;
    let pairing = owner.begin_link().await.unwrap();
    let conn = connect(&house.base, &house.clock);
    let offered = offer_device(&conn, &pairing.fragment, "Laptop").await.unwrap();
    let secrets: DeviceSecrets = offered.secrets;
    let before = device_signin(&conn, &secrets, None).await.err().unwrap();
    assert_eq!(before.server_code(), Some("no-access"));
    owner.fresh(&passkey).await.unwrap();
    let teams = owner.directory().teams().keys().copied().collect();
    let until = house.clock.now().plus(30 * Timestamp::DAY);
    let device = owner.finish_link(pairing.id, teams, until).await.unwrap();
    let mut laptop = device_signin(&conn, &secrets, None).await.unwrap();
    laptop.open_chart(patient, RECORD).await.unwrap();
    laptop.write(patient, Compartment::Record, note("from the laptop")).await.unwrap();
    assert!(laptop.invite().await.is_err());
    owner.revoke_device(device).await.unwrap();
    assert!(laptop.open_chart(patient, RECORD).await.is_err());
    assert_eq!(device_signin(&conn, &secrets, None).await.err().unwrap().server_code(), Some("no-access"));
    house.stop().await;
}

#[tokio::test]
async fn where_two_have_to_sign_one_alone_does_nothing() {
    let house = House::open().await;
    let (mut owner, passkey) = house.owner().await;
    let patient = chart(&mut owner, "Muster").await;
    let (mut second, their_passkey) = join(&house, &mut owner, &passkey, Role::Owner).await;
    owner.fresh(&passkey).await.unwrap();
    owner.append(vec![Act::SetPolicy { policy: Policy { two_person: true, ..Policy::solo("UTC") } }]).await.unwrap();
    // A second signature is asked for only where two decide: nobody is talked into linking a stranger's device to their own account.
    let stranger = subrosa_crypto::SigningKey::make().public();
    let own = Act::TurnMember { member: second.member(), sign: stranger, hpke: subrosa_crypto::HpkeSecret::make().public() };
    assert!(owner.propose(own).await.is_err());
    let order = Act::Order { order: OrderId([1; 16]), kind: OrderKind::EraseChart { chart: patient } };
    assert!(owner.append(vec![order.clone()]).await.is_err());
    owner.propose(order).await.unwrap();
    let waiting = second.approvals().await.unwrap();
    second.fresh(&their_passkey).await.unwrap();
    second.approve(&waiting[0]).await.unwrap();
    assert!(owner.approvals().await.unwrap().is_empty());
    // The second owner and the policy are new: nobody admits an accomplice and erases on the same day.
    assert_eq!(subrosa_server::jobs::once(house.app()).await.unwrap(), vec![]);
    house.clock.advance(7 * Timestamp::DAY + 1);
    assert_eq!(subrosa_server::jobs::once(house.app()).await.unwrap(), vec![patient]);
    house.stop().await;
}

#[tokio::test]
async fn a_statement_that_comes_second_is_told_so() {
    let house = House::open().await;
    let (owner, _) = house.owner().await;
    let mut row = house.app().store.session(&owner.session()).await.unwrap().unwrap();
    let key = SigningKey::make();
    row.session = SessionId(random::make_bytes());
    row.key = key.public();
    house.app().store.put_session(&row).await.unwrap();
    let forger = Forger { session: row.session, key, clock: house.clock.clone() };
    let log: DirectoryPage = serde_json::from_slice(&house.raw("GET", "/v1/directory?after=0", &borrowed(&forger.sign("GET", "/v1/directory?after=0", b"")), vec![]).await.1).unwrap();
    let again = DirectoryAppend { entries: vec![log.entries.last().unwrap().clone()], seals: vec![], bundle: None };
    let body = serde_json::to_vec(&again).unwrap();
    let (status, answer, _) = house.raw("POST", "/v1/directory", &borrowed(&forger.sign("POST", "/v1/directory", &body)), body.clone()).await;
    assert_eq!((status, serde_json::from_slice::<ErrorBody>(&answer).unwrap().code.as_str()), (409, "directory-out-of-sequence"));
    house.stop().await;
}

#[tokio::test]
async fn two_servers_over_one_postgresql_keep_one_practice() {
    let Ok(base) = std::env::var("SUBROSA_TEST_POSTGRES") else {
        println!("skipped: SUBROSA_TEST_POSTGRES is not set");
        return;
    };
    use sqlx::Executor;
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&base).await.unwrap();
    let mark = if base.contains('?') { '&' } else { '?' };
    let mut urls = Vec::new();
    for part in ["main", "keys"] {
        let schema = format!("s{:x}_{part}", u64::from_le_bytes(random::make_bytes()));
        pool.execute(sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).await.unwrap();
        urls.push(format!("{base}{mark}options=-c%20search_path%3D{schema}"));
    }
    let keys = tempfile::tempdir().unwrap();
    let settings = |layer: &mut subrosa_server::Layer| {
        layer.database = Some(urls[0].clone());
        layer.key_database = Some(urls[1].clone());
        layer.key_file = Some(keys.path().join("store.key"));
    };
    let one = House::open_with(settings).await;
    let (mut owner, passkey) = one.owner().await;
    let patient = chart(&mut owner, "Muster").await;
    // The second server is another address of the same host; its passkeys are the first one's.
    let two = House::open_with(|layer| {
        settings(layer);
        layer.origin = Some(one.base.clone());
    })
    .await;
    assert_eq!(two.conn.hello().await.unwrap().practice, Some(owner.practice()));
    let mut there = two.signin(&passkey).await;
    there.open_chart(patient, RECORD).await.unwrap();
    there.write(patient, Compartment::Record, note("from the other server")).await.unwrap();
    let opened = owner.open_chart(patient, RECORD).await.unwrap();
    assert_eq!(opened.entries.len(), 1);
    // A request that one has served the other does not serve again: nonces are in the database.
    let key = SigningKey::make();
    let mut row = one.app().store.session(&owner.session()).await.unwrap().unwrap();
    row.session = SessionId(random::make_bytes());
    row.key = key.public();
    one.app().store.put_session(&row).await.unwrap();
    let forger = Forger { session: row.session, key, clock: one.clock.clone() };
    let signed = forger.sign("GET", "/v1/sessions", b"");
    assert_eq!(one.raw("GET", "/v1/sessions", &borrowed(&signed), vec![]).await.0, 200);
    assert_eq!(two.refused("GET", "/v1/sessions", &borrowed(&signed), vec![]).await, (401, "replayed".into()));
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn a_lost_way_in_is_ended_with_every_other_session_and_the_last_passkey_stays() {
    use subrosa_protocol::api::{WayInRemove, WaysIn};
    use subrosa_protocol::keys::WayIn;
    let house = House::open().await;
    let (mut owner, _) = house.owner().await;
    let kit = owner.put_kit().await.unwrap();
    let mut row = house.app().store.session(&owner.session()).await.unwrap().unwrap();
    let key = SigningKey::make();
    row.session = SessionId(random::make_bytes());
    row.key = key.public();
    house.app().store.put_session(&row).await.unwrap();
    let forger = Forger { session: row.session, key, clock: house.clock.clone() };
    let ways: WaysIn = serde_json::from_slice(&house.raw("GET", "/v1/ways", &borrowed(&forger.sign("GET", "/v1/ways", b"")), vec![]).await.1).unwrap();
    assert_eq!(ways.ways.len(), 2);
    let remove = |way: WayIn| serde_json::to_vec(&WayInRemove { way }).unwrap();
    for way in ways.ways {
        let body = remove(way.clone());
        let (status, answer, _) = house.raw("POST", "/v1/ways/remove", &borrowed(&forger.sign("POST", "/v1/ways/remove", &body)), body.clone()).await;
        if matches!(way, WayIn::Kit { .. }) {
            assert_eq!(status, 200);
        } else {
            assert_eq!((status, serde_json::from_slice::<ErrorBody>(&answer).unwrap().code.as_str()), (409, "last-way-in"));
        }
    }
    assert_eq!(subrosa_client::kit_use(&house.conn, owner.member(), &kit.words).await.unwrap_err().server_code(), Some("kit"));
    assert!(owner.sessions().await.is_err());
    house.stop().await;
}

#[tokio::test]
async fn a_practice_outlives_a_restart_and_keeps_its_host_name() {
    use subrosa_server::{Layer, Server};
    let folder = tempfile::tempdir().unwrap();
    let layer = Layer { data_dir: Some(folder.path().join("data")), ..Layer::default() };
    let house = House::open_with(|l| l.data_dir.clone_from(&layer.data_dir)).await;
    let (mut owner, passkey) = house.owner().await;
    let patient = chart(&mut owner, "Muster").await;
    owner.write(patient, Compartment::Record, note("kept")).await.unwrap();
    let origin = house.base.clone();
    house.stop().await;

    let moved = Layer { host: Some("other.test".into()), origin: Some("https://other.test".into()), listen: Some("127.0.0.1:0".into()), ..layer.clone() };
    let refused = Server::new(moved.finish().unwrap()).start().await.err().unwrap();
    assert!(refused.to_string().contains("bound to localhost"), "{refused}");

    // On another port, still under the address that the passkey knows.
    let house = House::open_with(|l| {
        l.data_dir.clone_from(&layer.data_dir);
        l.origin = Some(origin);
    })
    .await;
    assert!(house.running.as_ref().unwrap().setup_link().is_none());
    let mut again = house.signin(&passkey).await;
    assert_eq!(again.open_chart(patient, RECORD).await.unwrap().entries.len(), 1);
    house.stop().await;
}
