//! A passkey in software, with the PRF extension: for tests and drills, never for members.
//!
//! It keeps to what a browser and an authenticator enforce together: an RP id must be the origin's host or a parent of it, user verification is always
//! given, a discoverable credential is found by its RP id. ES256, attestation `none`. Sources: WebAuthn Level 3, CTAP 2.1 (`hmac-secret`).

use std::sync::{Arc, Mutex};

use ciborium::value::Value as Cbor;
use futures::FutureExt;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{DerSignature, SigningKey};
use serde_json::{Value, json};
use subrosa_crypto::{base64url, from_base64url, mac, random, sha256};
use zeroize::Zeroizing;

use crate::ClientError;
use crate::passkey::{Authenticator, Credential};
use crate::transport::Fut;

const FLAGS_UP_UV: u8 = 0x05;
const FLAG_ATTESTED: u8 = 0x40;

struct Held {
    rp: String,
    id: Vec<u8>,
    user: String,
    key: SigningKey,
    prf: [u8; 32],
}

/// A software authenticator. A clone shares its credentials.
#[derive(Clone)]
pub struct SoftPasskey {
    origin: String,
    has_prf: bool,
    held: Arc<Mutex<Vec<Held>>>,
}

impl SoftPasskey {
    /// An authenticator with PRF in a browser that shows `origin`, such as `http://localhost:7110`.
    pub fn new(origin: &str) -> Self {
        SoftPasskey { origin: origin.to_owned(), has_prf: true, held: Arc::default() }
    }

    /// One that knows nothing of PRF.
    pub fn without_prf(origin: &str) -> Self {
        SoftPasskey { has_prf: false, ..Self::new(origin) }
    }

    /// The same authenticator, asked by a page of another origin (what a cloned page does).
    pub fn at(&self, origin: &str) -> Self {
        SoftPasskey { origin: origin.to_owned(), ..self.clone() }
    }

    fn host(&self) -> &str {
        let rest = self.origin.split("://").nth(1).unwrap_or(&self.origin);
        rest.split(['/', ':']).next().unwrap_or(rest)
    }

    /// A page may only name its own host or a parent of it.
    fn check_rp(&self, rp: &str) -> Result<(), ClientError> {
        let host = self.host();
        let parent = host.strip_suffix(rp).is_some_and(|rest| rest.ends_with('.')) && rp.contains('.');
        if host == rp || parent { Ok(()) } else { Err(ClientError::PasskeyCancelled) }
    }

    fn client_data(&self, kind: &str, public: &Value) -> Result<Vec<u8>, ClientError> {
        let challenge = text(public, "/challenge")?;
        Ok(json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false }).to_string().into_bytes())
    }

    fn prf_of(&self, held: &Held, public: &Value) -> Option<Zeroizing<[u8; 32]>> {
        let salt = from_base64url(public.pointer("/extensions/prf/eval/first")?.as_str()?)?;
        // WebAuthn: the value given to the authenticator is SHA-256("WebAuthn PRF" || 0x00 || input).
        let input = sha256(&[b"WebAuthn PRF\0", &salt]);
        self.has_prf.then(|| Zeroizing::new(mac(&held.prf, &[input.as_bytes()])))
    }

    fn make(&self, options: &str) -> Result<Credential, ClientError> {
        let (_, public) = parse(options)?;
        let rp = public.pointer("/rp/id").and_then(Value::as_str).unwrap_or(self.host()).to_owned();
        self.check_rp(&rp)?;
        let key = loop {
            if let Ok(key) = SigningKey::from_slice(&random::make_bytes::<32>()) {
                break key;
            }
        };
        let held = Held { rp, id: random::make_bytes::<32>().to_vec(), user: text(&public, "/user/id")?.to_owned(), key, prf: random::make_bytes() };
        let mut auth_data = authenticator_data(&held.rp, FLAGS_UP_UV | FLAG_ATTESTED);
        auth_data.extend_from_slice(&[0; 16]);
        auth_data.extend_from_slice(&(held.id.len() as u16).to_be_bytes());
        auth_data.extend_from_slice(&held.id);
        auth_data.extend_from_slice(&cose_key(&held.key)?);
        let attestation = cbor(&Cbor::Map(vec![
            (Cbor::Text("fmt".into()), Cbor::Text("none".into())),
            (Cbor::Text("attStmt".into()), Cbor::Map(Vec::new())),
            (Cbor::Text("authData".into()), Cbor::Bytes(auth_data)),
        ]))?;
        let client_data = self.client_data("webauthn.create", &public)?;
        let credential = Credential {
            json: json!({
                "id": base64url(&held.id), "rawId": base64url(&held.id), "type": "public-key",
                "response": { "attestationObject": base64url(&attestation), "clientDataJSON": base64url(&client_data), "transports": ["internal"] },
                "clientExtensionResults": { "prf": { "enabled": self.has_prf } },
            })
            .to_string(),
            id: held.id.clone(),
            prf: self.prf_of(&held, &public),
            prf_enabled: Some(self.has_prf),
        };
        self.lock()?.push(held);
        Ok(credential)
    }

    fn assert(&self, options: &str) -> Result<Credential, ClientError> {
        let (_, public) = parse(options)?;
        let rp = public.pointer("/rpId").and_then(Value::as_str).unwrap_or(self.host()).to_owned();
        self.check_rp(&rp)?;
        let allowed: Vec<Vec<u8>> = public
            .pointer("/allowCredentials")
            .and_then(Value::as_array)
            .map(|list| list.iter().filter_map(|c| c.get("id").and_then(Value::as_str).and_then(from_base64url)).collect())
            .unwrap_or_default();
        let all = self.lock()?;
        let fits = |h: &&Held| h.rp == rp && (allowed.is_empty() || allowed.contains(&h.id));
        let held = all.iter().rev().find(fits).ok_or(ClientError::PasskeyCancelled)?;
        let auth_data = authenticator_data(&held.rp, FLAGS_UP_UV);
        let client_data = self.client_data("webauthn.get", &public)?;
        let signature: DerSignature = held.key.sign(&[auth_data.as_slice(), sha256(&[&client_data]).as_bytes()].concat());
        Ok(Credential {
            json: json!({
                "id": base64url(&held.id), "rawId": base64url(&held.id), "type": "public-key",
                "response": {
                    "authenticatorData": base64url(&auth_data), "clientDataJSON": base64url(&client_data),
                    "signature": base64url(signature.as_bytes()), "userHandle": held.user,
                },
                "clientExtensionResults": {},
            })
            .to_string(),
            id: held.id.clone(),
            prf: self.prf_of(held, &public),
            prf_enabled: None,
        })
    }

    fn lock(&self) -> Result<std::sync::MutexGuard<'_, Vec<Held>>, ClientError> {
        self.held.lock().map_err(|_| ClientError::PasskeyAnswer("the software passkey broke"))
    }
}

impl Authenticator for SoftPasskey {
    fn create<'a>(&'a self, options: &'a str) -> Fut<'a, Result<Credential, ClientError>> {
        async move { self.make(options) }.boxed()
    }
    fn get<'a>(&'a self, options: &'a str) -> Fut<'a, Result<Credential, ClientError>> {
        async move { self.assert(options) }.boxed()
    }
}

fn parse(options: &str) -> Result<((), Value), ClientError> {
    let value: Value = serde_json::from_str(options).map_err(|_| ClientError::PasskeyAnswer("options"))?;
    let public = value.get("publicKey").cloned().ok_or(ClientError::PasskeyAnswer("options"))?;
    Ok(((), public))
}

fn text<'v>(value: &'v Value, at: &str) -> Result<&'v str, ClientError> {
    value.pointer(at).and_then(Value::as_str).ok_or(ClientError::PasskeyAnswer("options"))
}

fn authenticator_data(rp: &str, flags: u8) -> Vec<u8> {
    let mut out = sha256(&[rp.as_bytes()]).0.to_vec();
    out.push(flags);
    out.extend_from_slice(&[0; 4]);
    out
}

fn cose_key(key: &SigningKey) -> Result<Vec<u8>, ClientError> {
    let point = key.verifying_key().to_sec1_point(false);
    let bytes = point.as_bytes();
    let (x, y) = (bytes.get(1..33).unwrap_or_default(), bytes.get(33..65).unwrap_or_default());
    let int = |n: i64| Cbor::Integer(n.into());
    cbor(&Cbor::Map(vec![
        (int(1), int(2)),
        (int(3), int(-7)),
        (int(-1), int(1)),
        (int(-2), Cbor::Bytes(x.to_vec())),
        (int(-3), Cbor::Bytes(y.to_vec())),
    ]))
}

fn cbor(value: &Cbor) -> Result<Vec<u8>, ClientError> {
    let mut out = Vec::new();
    ciborium::ser::into_writer(value, &mut out).map_err(|_| ClientError::PasskeyAnswer("CBOR"))?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cloned_page_of_another_origin_gets_nothing() {
        let passkey = SoftPasskey::new("https://practice.example");
        let options = r#"{"publicKey":{"challenge":"AAAA","rp":{"id":"practice.example"},"user":{"id":"AAAA"}}}"#;
        passkey.make(options).unwrap();
        let get = r#"{"publicKey":{"challenge":"AAAA","rpId":"practice.example"}}"#;
        assert!(passkey.assert(get).is_ok());
        for clone in ["https://practice.example.evil.test", "https://practice-example.test", "https://evilpractice.example"] {
            assert_eq!(passkey.at(clone).assert(get).err(), Some(ClientError::PasskeyCancelled));
        }
    }

    #[test]
    fn the_prf_output_is_the_same_at_creation_and_at_every_use() {
        let passkey = SoftPasskey::new("http://localhost:7110");
        let salt = base64url(&crate::passkey::prf_salt());
        let options = format!(r#"{{"publicKey":{{"challenge":"AAAA","rp":{{"id":"localhost"}},"user":{{"id":"AAAA"}},"extensions":{{"prf":{{"eval":{{"first":"{salt}"}}}}}}}}}}"#);
        let made = passkey.make(&options).unwrap();
        let used = passkey.assert(&crate::passkey::local_options("localhost", Some(&made.id))).unwrap();
        assert!(made.prf.is_some() && made.prf == used.prf);
    }
}
