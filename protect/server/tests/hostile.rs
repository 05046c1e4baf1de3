//! What no honest client sends: replays, foreign keys, stale times, leaked secrets, nonsense at every address.
#![allow(clippy::unwrap_used)]

mod common;
use common::{Forger, House, borrowed, chart};
use subrosa_crypto::{SigningKey, random};
use subrosa_model::{Bytes, MemberId, SessionId, Timestamp};
use subrosa_protocol::api::{Ceremony, CeremonyFinish, CeremonyStart, ErrorBody};

async fn forger(house: &House) -> (Forger, MemberId) {
    let (owner, _) = house.owner().await;
    (beside(house, &owner).await, owner.member())
}

/// A second session of the member, of which the test holds the key.
async fn beside(house: &House, owner: &subrosa_client::Vault) -> Forger {
    let mut row = house.app().store.session(&owner.session()).await.unwrap().unwrap();
    let key = SigningKey::make();
    row.session = SessionId(random::make_bytes());
    row.key = key.public();
    house.app().store.put_session(&row).await.unwrap();
    Forger { session: row.session, key, clock: house.clock.clone() }
}

async fn code(house: &House, method: &'static str, path: &str, headers: &[(String, String)], body: &[u8]) -> (u16, String) {
    house.refused(method, path, &borrowed(headers), body.to_vec()).await
}

#[tokio::test]
async fn a_signed_request_is_served_once_in_its_time_for_its_path_and_body() {
    let house = House::open().await;
    let (forger, _) = forger(&house).await;
    let path = "/v1/sessions";

    let headers = forger.sign("GET", path, b"");
    assert_eq!(house.raw("GET", path, &borrowed(&headers), vec![]).await.0, 200);
    assert_eq!(code(&house, "GET", path, &headers, b"").await, (401, "replayed".into()));

    let stale = forger.sign_at("GET", path, b"", house.clock.now().plus(-3 * Timestamp::MINUTE), random::make_bytes());
    assert_eq!(code(&house, "GET", path, &stale, b"").await, (401, "bad-time".into()));
    let early = forger.sign_at("GET", path, b"", house.clock.now().plus(3 * Timestamp::MINUTE), random::make_bytes());
    assert_eq!(code(&house, "GET", path, &early, b"").await, (401, "bad-time".into()));
    let before_start = forger.sign_at("GET", path, b"", house.clock.now().plus(-Timestamp::MINUTE), random::make_bytes());
    assert_eq!(code(&house, "GET", path, &before_start, b"").await, (401, "bad-time".into()));

    let other_path = forger.sign("GET", "/v1/drafts", b"");
    assert_eq!(code(&house, "GET", path, &other_path, b"").await, (401, "signature".into()));
    let other_query = forger.sign("GET", "/v1/directory?after=0", b"");
    assert_eq!(code(&house, "GET", "/v1/directory?after=1", &other_query, b"").await, (401, "signature".into()));
    let other_body = forger.sign("POST", "/v1/kit/answer", b"{}");
    assert_eq!(code(&house, "POST", "/v1/kit/answer", &other_body, b"[]").await, (401, "signature".into()));

    let thief = Forger { session: forger.session, key: SigningKey::make(), clock: house.clock.clone() };
    assert_eq!(code(&house, "GET", path, &thief.sign("GET", path, b""), b"").await, (401, "signature".into()));
    let nobody = Forger { session: SessionId([9; 16]), key: SigningKey::make(), clock: house.clock.clone() };
    assert_eq!(code(&house, "GET", path, &nobody.sign("GET", path, b""), b"").await, (401, "session-ended".into()));
    assert_eq!(code(&house, "GET", path, &[], b"").await, (401, "signature".into()));
    house.stop().await;
}

#[tokio::test]
async fn a_session_ends_when_idle_when_old_and_when_told() {
    let house = House::open().await;
    let (forger, _) = forger(&house).await;
    house.clock.advance(3 * Timestamp::HOUR);
    assert_eq!(house.raw("GET", "/v1/sessions", &borrowed(&forger.sign("GET", "/v1/sessions", b"")), vec![]).await.0, 200);
    house.clock.advance(5 * Timestamp::HOUR);
    assert_eq!(code(&house, "GET", "/v1/sessions", &forger.sign("GET", "/v1/sessions", b""), b"").await, (401, "session-ended".into()));
    house.stop().await;
}

#[tokio::test]
async fn the_passkeys_secret_is_refused_unread() {
    let house = House::open().await;
    house.owner().await;
    let body = CeremonyFinish { ceremony: Default::default(), credential: r#"{"id":"a","clientExtensionResults":{"prf":{"results":{"first":"c2VjcmV0"}}}}"#.into() };
    let body = serde_json::to_vec(&body).unwrap();
    assert_eq!(house.refused("POST", "/v1/signin/finish", &[], body).await, (400, "prf-leaked".into()));
    house.stop().await;
}

#[tokio::test]
async fn a_ceremony_is_used_once_for_what_it_was_begun_for_and_within_ten_minutes() {
    let house = House::open().await;
    let (_, passkey) = house.owner().await;
    let key = SigningKey::make();
    let start = CeremonyStart { session_key: key.public(), token: String::new(), member: MemberId([0; 16]), label: String::new() };
    let begin = || async {
        let (status, body, _) = house.raw("POST", "/v1/signin/start", &[], serde_json::to_vec(&start).unwrap()).await;
        assert_eq!(status, 200);
        serde_json::from_slice::<Ceremony>(&body).unwrap()
    };
    let answer = |ceremony: Ceremony| {
        let passkey = passkey.clone();
        async move {
            use subrosa_client::Authenticator;
            let credential = passkey.get(&ceremony.options).await.unwrap();
            serde_json::to_vec(&CeremonyFinish { ceremony: ceremony.ceremony, credential: credential.json }).unwrap()
        }
    };
    let finish = answer(begin().await).await;
    assert_eq!(house.raw("POST", "/v1/signin/finish", &[], finish.clone()).await.0, 200);
    assert_eq!(house.refused("POST", "/v1/signin/finish", &[], finish).await.1, "ceremony");

    let late = answer(begin().await).await;
    house.clock.advance(11 * Timestamp::MINUTE);
    assert_eq!(house.refused("POST", "/v1/signin/finish", &[], late).await.1, "ceremony");

    // The signature of one ceremony does not finish another: its challenge is bound to nonce and session key.
    let (one, two) = (begin().await, begin().await);
    let crossed = answer(Ceremony { ceremony: two.ceremony, ..one }).await;
    assert_eq!(house.refused("POST", "/v1/signin/finish", &[], crossed).await, (401, "passkey".into()));

    // A cloned page at another address gets nothing that works here.
    let phished = {
        use subrosa_client::Authenticator;
        let ceremony = begin().await;
        passkey.at("http://localhost:1").get(&ceremony.options).await.map(|c| CeremonyFinish { ceremony: ceremony.ceremony, credential: c.json })
    };
    if let Ok(phished) = phished {
        assert_eq!(house.refused("POST", "/v1/signin/finish", &[], serde_json::to_vec(&phished).unwrap()).await, (401, "passkey".into()));
    }
    house.stop().await;
}

#[tokio::test]
async fn what_is_too_large_of_another_version_or_in_another_form_is_refused_by_name() {
    let house = House::open().await;
    let (status, code) = house.refused("POST", "/v1/signin/start", &[], vec![b'x'; 70 * 1024]).await;
    assert_eq!((status, code.as_str()), (413, "too-large"));
    assert_eq!(house.refused("POST", "/v1/signin/start", &[("subrosa-protocol", "2")], vec![]).await, (426, "protocol".into()));
    assert_eq!(house.refused("POST", "/v1/signin/start", &[("subrosa-protocol", "none")], vec![]).await, (426, "protocol".into()));
    assert_eq!(house.refused("POST", "/v1/setup/start", &[("content-type", "text/html")], vec![]).await, (415, "media-type".into()));
    assert_eq!(house.refused("PATCH", "/v1/hello", &[], vec![]).await, (405, "method".into()));
    assert_eq!(house.refused("GET", "/v1/nothing", &[], vec![]).await, (404, "not-found".into()));
    assert_eq!(house.refused("GET", "/v1/", &[], vec![]).await, (404, "not-found".into()));
    let (status, body, _) = house.raw("POST", "/v1/signin/start", &[("accept", "application/cbor")], b"{".to_vec()).await;
    let refused: ErrorBody = subrosa_crypto::cbor::decode(&body).unwrap();
    assert_eq!((status, refused.code.as_str()), (409, "not-founded"));
    house.stop().await;
}

#[tokio::test]
async fn a_flood_of_guesses_is_slowed_and_a_full_house_says_when_to_come_back() {
    let house = House::open_with(|layer| layer.open_per_minute = Some(20)).await;
    let mut last = (0, String::new(), vec![]);
    for _ in 0..12 {
        let (status, body, headers) = house.raw("POST", "/v1/kit/use", &[], b"{}".to_vec()).await;
        last = (status, serde_json::from_slice::<ErrorBody>(&body).unwrap().code, headers);
    }
    assert_eq!((last.0, last.1.as_str()), (429, "too-many"));
    assert!(last.2.iter().any(|(n, _)| n == "retry-after"));

    let full = std::sync::Arc::clone(&house.app().in_flight).try_acquire_many_owned(256).unwrap();
    let (status, body, headers) = house.raw("GET", "/v1/hello", &[], vec![]).await;
    assert_eq!((status, serde_json::from_slice::<ErrorBody>(&body).unwrap().code.as_str()), (503, "busy"));
    assert!(headers.iter().any(|(n, v)| n == "retry-after" && v == "1"));
    drop(full);
    assert_eq!(house.raw("GET", "/v1/hello", &[], vec![]).await.0, 200);
    house.stop().await;
}

/// Every address, with bodies that are wrong in many ways: never a 500, never a hang-up, always an error body with a code.
#[tokio::test]
async fn nonsense_at_every_address_gets_a_named_refusal() {
    let house = House::open_with(|layer| layer.session_per_minute = Some(1_000_000)).await;
    let (mut owner, _) = house.owner().await;
    let forger = beside(&house, &owner).await;
    let document: serde_json::Value = serde_json::from_slice(&house.raw("GET", "/openapi.json", &[], vec![]).await.1).unwrap();
    let mut bodies: Vec<Vec<u8>> = vec![vec![], b"{}".to_vec(), b"[]".to_vec(), b"null".to_vec(), b"\xff\xfe\x00".to_vec(), b"{\"a\":".to_vec(), vec![b'['; 5000]];
    bodies.push(format!("{{\"request\":\"{}\",\"pin\":18446744073709551615,\"after\":0}}", "A".repeat(400)).into_bytes());
    bodies.push(serde_json::to_vec(&subrosa_protocol::api::RelationPut { signed: Bytes(vec![0x84; 64]) }).unwrap());
    let mut seen = 0;
    let mut seed = 7u64;
    for _ in 0..12 {
        let mut noise = vec![0u8; 97];
        for b in &mut noise {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            *b = (seed >> 33) as u8;
        }
        bodies.push(noise);
    }
    for (pattern, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            let method: &'static str = ["GET", "POST", "PUT", "DELETE"].into_iter().find(|m| m.eq_ignore_ascii_case(method)).unwrap();
            for (i, body) in bodies.iter().enumerate() {
                if method == "GET" && !body.is_empty() {
                    continue;
                }
                let (id, kind) = [("zz", "application/json"), ("00", "application/cbor"), ("00112233445566778899aabbccddeeff", "application/json")][i % 3];
                let path = pattern.split('/').map(|p| if p.starts_with('{') { id } else { p }).collect::<Vec<_>>().join("/");
                let mut headers = forger.sign(method, &path, body);
                headers.push(("content-type".into(), kind.into()));
                let (status, answer, _) = house.raw(method, &path, &borrowed(&headers), body.clone()).await;
                assert!(status != 500 && status != 501, "{method} {path} {status} {}", String::from_utf8_lossy(&answer));
                if status >= 400 {
                    let error: ErrorBody = serde_json::from_slice(&answer).unwrap();
                    assert!(!error.code.is_empty() && !error.message.is_empty(), "{method} {path}");
                }
                seen += 1;
            }
        }
    }
    assert!(seen > 500, "{seen}");
    // And it still works.
    chart(&mut owner, "Muster").await;
    house.stop().await;
}
