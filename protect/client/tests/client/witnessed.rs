//! A witness elsewhere: seen, missed after a day, and not to be played off against the client.

use subrosa_client::{IdentityDraft, Request, Transport};
use subrosa_crypto::{SigningKey, cbor, random, sha256};
use subrosa_ledger::{KeyName, LogKey, SignedCheckpoint, WitnessKey};
use subrosa_model::{Compartment, SessionId, Timestamp};
use subrosa_protocol::access::access_origin;
use subrosa_protocol::api::{CBOR, KeeperReport, Witnessed};
use subrosa_protocol::directory::Act;
use subrosa_protocol::session::RequestToSign;

use crate::hostile::{Stage, change};

const NAME: &str = "keeper-one";

/// Cosigns the newest checkpoint and reports it as a keeper does.
async fn cosign(stage: &Stage, log_key: subrosa_crypto::VerifyingKey, practice: subrosa_model::PracticeId, key: &SigningKey) {
    let http = subrosa_client::HttpTransport::new(&format!("http://{}", stage.practice.running.address())).unwrap();
    let get = Request { method: "GET", path: "/log/access/checkpoint".into(), headers: vec![], body: vec![] };
    let note = String::from_utf8(http.send(get).await.unwrap().body).unwrap();
    let origin: KeyName = access_origin(&practice).parse().unwrap();
    let mut signed = SignedCheckpoint::open(&note, &[LogKey::new(origin, log_key)]).unwrap();
    let name: KeyName = NAME.parse().unwrap();
    let now = stage.practice.conn.now();
    let line = signed.cosign(&name, key, now).unwrap();
    let known = signed.add_cosignatures(&format!("{line}\n"), &[WitnessKey::new(name, key.public())]).unwrap();
    assert_eq!(known, 1);
    let body = cbor::encode(&KeeperReport { kept: 0, access: signed.to_string(), directory: String::new() });
    let path = "/v1/keeper/report";
    let request = RequestToSign { session: SessionId::default(), method: "POST", path, body: sha256(&[&body]), at: now, nonce: random::make_bytes() };
    let header = |n: &str, v: &str| (n.to_owned(), v.to_owned());
    let headers = vec![
        header("subrosa-protocol", "1"),
        header("subrosa-keeper", NAME),
        header("subrosa-signature", &request.sign(key)),
        header("content-type", CBOR),
        header("accept", CBOR),
    ];
    let answer = http.send(Request { method: "POST", path: path.into(), headers, body }).await.unwrap();
    assert!(answer.status < 300, "{}", String::from_utf8_lossy(&answer.body));
}

#[tokio::test]
async fn a_cosigned_checkpoint_is_proven_to_be_of_the_same_log_and_missed_after_a_day() {
    let stage = Stage::set().await;
    let mut vault = stage.sign_in(None).await.unwrap();
    assert_eq!(vault.check_witness().await.unwrap(), subrosa_client::WitnessState::default());
    let key = SigningKey::make();
    vault.append(vec![Act::SetWitness { name: NAME.into(), key: key.public() }]).await.unwrap();
    let none = vault.check_witness().await.unwrap();
    assert!(none.overdue && none.newest.is_none() && none.expected == [NAME]);

    let log_key = *vault.directory().log_key().unwrap();
    cosign(&stage, log_key, vault.practice(), &key).await;
    vault.open_chart(stage.a, &[Compartment::Record]).await.unwrap();
    vault.make_chart(&IdentityDraft::new("After", "Cosignature", "", vec![])).await.unwrap();
    let seen = vault.check_witness().await.unwrap();
    assert!(!seen.overdue);
    let (who, size, _) = seen.newest.unwrap();
    assert!(who == NAME && size < vault.pins().ledger.size);

    // The witness is shown one log and the client another: the proof between them is missing.
    stage.attack("/v1/witnessed", change(|w: &mut Witnessed| w.consistency.truncate(0)));
    assert_eq!(vault.check_witness().await.unwrap_err().code(), "fork");
    stage.attack("/v1/witnessed", change(|w: &mut Witnessed| w.note = w.note.lines().filter(|l| !l.contains(NAME)).map(|l| format!("{l}\n")).collect()));
    assert_eq!(vault.check_witness().await.unwrap_err().code(), "forged-checkpoint");
    stage.attack("/v1/witnessed", change(|w: &mut Witnessed| w.extension.checkpoint = String::new()));
    assert_eq!(vault.check_witness().await.unwrap_err().code(), "forged-checkpoint");
    stage.honest();

    stage.practice.clock.0.advance(25 * Timestamp::HOUR);
    let mut later = stage.sign_in(None).await.unwrap();
    assert!(later.check_witness().await.unwrap().overdue);
    stage.practice.running.stop().await;
}
