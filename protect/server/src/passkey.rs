//! WebAuthn ceremonies whose challenge is bound to a session key.
//!
//! `webauthn-rs` draws a challenge of its own; it is replaced, in what the browser gets and in the state kept here, by
//! [`session::challenge`]: so what the passkey signs names the key that will sign the session's requests.
//! A credential that still carries PRF results is refused: those are the member's secret.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use subrosa_crypto::{VerifyingKey, base64url, sha256};
use subrosa_model::{Hash32, InvitationId, MemberId};
use subrosa_protocol::session;
use url::Url;
use webauthn_rs::prelude::{DiscoverableAuthentication, Passkey, PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, Uuid};
use webauthn_rs::{Webauthn, WebauthnBuilder};

use crate::error::Refusal;

/// Largest credential that is read, in bytes.
const MAX_CREDENTIAL: usize = 64 * 1024;

/// What a ceremony is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Founding the practice.
    Setup,
    /// Signing in.
    SignIn,
    /// A further passkey of a signed-in member.
    Further,
    /// Showing the passkey again in a session.
    Fresh {
        /// The session.
        session: subrosa_model::SessionId,
    },
    /// The passkey of an invited person.
    Invitation {
        /// Which invitation.
        invitation: InvitationId,
    },
    /// A linked device signs in.
    Device {
        /// Which device.
        device: subrosa_model::DeviceId,
    },
}

/// A ceremony as it is kept until its other half arrives.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pending {
    /// What for.
    pub kind: Kind,
    /// The member, where known beforehand.
    pub member: MemberId,
    /// The session key that the challenge is bound to.
    pub session_key: VerifyingKey,
    /// The nonce in the challenge.
    pub nonce: Hash32,
    /// State of `webauthn-rs` as JSON, with the challenge replaced.
    pub state: String,
}

/// The practice's relying party.
#[derive(Debug)]
pub struct Passkeys {
    webauthn: Webauthn,
}

/// A passkey that has just been made.
#[derive(Debug)]
pub struct Made {
    /// SHA-256 of its credential id.
    pub credential: Hash32,
    /// As it is stored.
    pub json: String,
}

fn unusable(_: impl core::fmt::Debug) -> Refusal {
    Refusal::unsigned("passkey", "This passkey was not accepted. Try again with the passkey that belongs to this practice.")
}

impl Passkeys {
    /// The relying party of a host name and the address that browsers use.
    ///
    /// # Errors
    /// `passkey-host` when the two do not belong together.
    pub fn new(host: &str, origin: &Url) -> Result<Self, Refusal> {
        let webauthn = WebauthnBuilder::new(host, origin)
            .and_then(|b| b.rp_name("Subrosa").build())
            .map_err(|_| Refusal::internal("passkey-host"))?;
        Ok(Passkeys { webauthn })
    }

    /// Options for making a passkey, and the state to keep.
    ///
    /// # Errors
    /// `passkey`.
    pub fn begin_making(&self, member: MemberId, label: &str, existing: &[String], nonce: &Hash32, key: &VerifyingKey) -> Result<(String, String), Refusal> {
        let label: String = label.chars().filter(|c| !c.is_control()).take(64).collect();
        let label = if label.trim().is_empty() { "Subrosa" } else { label.trim() };
        let known = existing.iter().filter_map(|json| serde_json::from_str::<Passkey>(json).ok()).map(|p| p.cred_id().clone()).collect();
        let (options, state) = self
            .webauthn
            .start_passkey_registration(Uuid::from_bytes(*member.as_bytes()), label, label, Some(known))
            .map_err(unusable)?;
        let mut options = serde_json::to_value(&options).map_err(unusable)?;
        options["publicKey"]["authenticatorSelection"]["residentKey"] = json!("required");
        options["publicKey"]["authenticatorSelection"]["requireResidentKey"] = json!(true);
        options["publicKey"]["authenticatorSelection"]["userVerification"] = json!("required");
        bind(options, serde_json::to_value(&state).map_err(unusable)?, nonce, key)
    }

    /// Accepts a new passkey.
    ///
    /// # Errors
    /// `prf-leaked`, `malformed`, `passkey`.
    pub fn finish_making(&self, state: &str, credential: &str) -> Result<Made, Refusal> {
        let value = read_credential(credential)?;
        let answer: RegisterPublicKeyCredential = serde_json::from_value(value).map_err(|_| malformed())?;
        let state: PasskeyRegistration = serde_json::from_str(state).map_err(unusable)?;
        let passkey = self.webauthn.finish_passkey_registration(&answer, &state).map_err(unusable)?;
        Ok(Made { credential: credential_hash(passkey.cred_id().as_ref()), json: serde_json::to_string(&passkey).map_err(unusable)? })
    }

    /// Options for showing any passkey of this practice, and the state to keep.
    ///
    /// # Errors
    /// `passkey`.
    pub fn begin_any(&self, nonce: &Hash32, key: &VerifyingKey) -> Result<(String, String), Refusal> {
        let (options, state) = self.webauthn.start_discoverable_authentication().map_err(unusable)?;
        let mut options = serde_json::to_value(&options).map_err(unusable)?;
        if let Some(o) = options.as_object_mut() {
            // It asks for the browser's autofill form; here the person has pressed a button.
            o.remove("mediation");
        }
        bind(options, serde_json::to_value(&state).map_err(unusable)?, nonce, key)
    }

    /// The credential that an answer names: SHA-256 of its id.
    ///
    /// # Errors
    /// `prf-leaked`, `malformed`.
    pub fn named(&self, credential: &str) -> Result<Hash32, Refusal> {
        let answer: PublicKeyCredential = serde_json::from_value(read_credential(credential)?).map_err(|_| malformed())?;
        Ok(credential_hash(answer.get_credential_id()))
    }

    /// Accepts a shown passkey of `member`, stored as `json`. Gives the JSON to store if its counter moved.
    ///
    /// # Errors
    /// `prf-leaked`, `malformed`, `passkey`.
    pub fn finish_any(&self, state: &str, credential: &str, member: MemberId, json: &str) -> Result<Option<String>, Refusal> {
        let answer: PublicKeyCredential = serde_json::from_value(read_credential(credential)?).map_err(|_| malformed())?;
        if answer.get_user_unique_id().is_some_and(|handle| handle != member.as_bytes().as_slice()) {
            return Err(unusable(()));
        }
        let state: DiscoverableAuthentication = serde_json::from_str(state).map_err(unusable)?;
        let mut passkey: Passkey = serde_json::from_str(json).map_err(unusable)?;
        let result = self.webauthn.finish_discoverable_authentication_v2(&answer, state, &passkey).map_err(unusable)?;
        moved(&mut passkey, &result)
    }

    /// Options for showing one of these passkeys, and the state to keep.
    ///
    /// # Errors
    /// `passkey`.
    pub fn begin_one_of(&self, stored: &[String], nonce: &Hash32, key: &VerifyingKey) -> Result<(String, String), Refusal> {
        let passkeys: Vec<Passkey> = stored.iter().filter_map(|json| serde_json::from_str(json).ok()).collect();
        let (options, state) = self.webauthn.start_passkey_authentication(&passkeys).map_err(unusable)?;
        bind(serde_json::to_value(&options).map_err(unusable)?, serde_json::to_value(&state).map_err(unusable)?, nonce, key)
    }

    /// Accepts a shown passkey out of those that the ceremony began with.
    ///
    /// # Errors
    /// `prf-leaked`, `malformed`, `passkey`.
    pub fn finish_one_of(&self, state: &str, credential: &str, json: &str) -> Result<Option<String>, Refusal> {
        let answer: PublicKeyCredential = serde_json::from_value(read_credential(credential)?).map_err(|_| malformed())?;
        let state: PasskeyAuthentication = serde_json::from_str(state).map_err(unusable)?;
        let mut passkey: Passkey = serde_json::from_str(json).map_err(unusable)?;
        let result = self.webauthn.finish_passkey_authentication(&answer, &state).map_err(unusable)?;
        moved(&mut passkey, &result)
    }
}

fn moved(passkey: &mut Passkey, result: &webauthn_rs::prelude::AuthenticationResult) -> Result<Option<String>, Refusal> {
    if !result.user_verified() {
        return Err(unusable(()));
    }
    match passkey.update_credential(result) {
        Some(true) => serde_json::to_string(&passkey).map(Some).map_err(unusable),
        Some(false) => Ok(None),
        None => Err(unusable(())),
    }
}

/// How a credential is named: SHA-256 of its id.
pub fn credential_hash(id: &[u8]) -> Hash32 {
    sha256(&[id])
}

/// Puts the bound challenge into options and state, wherever each keeps its own.
fn bind(mut options: Value, mut state: Value, nonce: &Hash32, key: &VerifyingKey) -> Result<(String, String), Refusal> {
    let challenge = Value::String(base64url(session::challenge(nonce.as_bytes(), key).as_bytes()));
    options["publicKey"]["challenge"] = challenge.clone();
    let slot = ["rs", "ast"].into_iter().find(|part| state.get(part).is_some_and(|s| s.get("challenge").is_some())).ok_or_else(|| unusable(()))?;
    state[slot]["challenge"] = challenge;
    Ok((options.to_string(), state.to_string()))
}

fn malformed() -> Refusal {
    Refusal::bad("malformed", "The passkey's answer could not be read. Try again.")
}

/// Parses a credential and refuses one with PRF results in it, wherever they are.
fn read_credential(text: &str) -> Result<Value, Refusal> {
    if text.len() > MAX_CREDENTIAL {
        return Err(Refusal::too_large("The passkey's answer is larger than any passkey's answer is."));
    }
    let value: Value = serde_json::from_str(text).map_err(|_| malformed())?;
    if holds_prf_results(&value, 0) {
        return Err(Refusal::bad(
            "prf-leaked",
            "The app sent a secret of your passkey along and the server refused it unread. Reload the app; if this happens again, do not use it and report it.",
        ));
    }
    Ok(value)
}

fn holds_prf_results(value: &Value, depth: u8) -> bool {
    match value {
        _ if depth > 32 => true,
        Value::Object(map) => map.iter().any(|(name, inner)| {
            let prf = name.eq_ignore_ascii_case("prf") && inner.as_object().is_none_or(|o| o.keys().any(|k| !k.eq_ignore_ascii_case("enabled")));
            let hmac = name.eq_ignore_ascii_case("hmacGetSecret") && !inner.is_null();
            prf || hmac || holds_prf_results(inner, depth + 1)
        }),
        Value::Array(list) => list.iter().any(|inner| holds_prf_results(inner, depth + 1)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use subrosa_crypto::SigningKey;

    fn passkeys() -> Passkeys {
        Passkeys::new("localhost", &Url::parse("http://localhost:7110").unwrap()).unwrap()
    }

    #[test]
    fn the_challenge_that_a_passkey_signs_names_the_session_key() {
        let key = SigningKey::from_seed([3; 32]).public();
        let nonce = Hash32([5; 32]);
        let expected = base64url(session::challenge(nonce.as_bytes(), &key).as_bytes());
        let (made, any) = (passkeys().begin_making(MemberId([1; 16]), "Owner", &[], &nonce, &key).unwrap(), passkeys().begin_any(&nonce, &key).unwrap());
        for (options, state) in [made, any] {
            let options: Value = serde_json::from_str(&options).unwrap();
            assert_eq!(options["publicKey"]["challenge"], json!(expected));
            assert!(state.contains(&expected));
            assert!(options.get("mediation").is_none());
        }
    }

    #[test]
    fn a_new_passkey_has_to_be_discoverable_and_to_verify_its_person() {
        let key = SigningKey::from_seed([3; 32]).public();
        let (options, _) = passkeys().begin_making(MemberId([1; 16]), "", &[], &Hash32([5; 32]), &key).unwrap();
        let options: Value = serde_json::from_str(&options).unwrap();
        let selection = &options["publicKey"]["authenticatorSelection"];
        assert_eq!((&selection["residentKey"], &selection["userVerification"]), (&json!("required"), &json!("required")));
    }

    #[test]
    fn prf_results_are_refused_wherever_they_hide() {
        for leaked in [
            r#"{"clientExtensionResults":{"prf":{"results":{"first":"AAAA"}}}}"#,
            r#"{"extensions":{"prf":{"enabled":true,"results":{"first":"AAAA"}}}}"#,
            r#"{"a":[{"b":{"PRF":{"Results":null}}}]}"#,
            r#"{"prf":"AAAA"}"#,
            r#"{"extensions":{"hmacGetSecret":{"output1":"AAAA"}}}"#,
        ] {
            assert_eq!(read_credential(leaked).unwrap_err().code, "prf-leaked", "{leaked}");
        }
        assert!(read_credential(r#"{"clientExtensionResults":{"prf":{"enabled":true}}}"#).is_ok());
        assert!(read_credential(r#"{"clientExtensionResults":{"prf":{}}}"#).is_ok());
    }

    #[test]
    fn nonsense_is_refused_and_nothing_of_it_repeated() {
        for text in ["", "{", "[]", "null", "{\"id\":\"Muster\"}", &format!("{{\"id\":\"{}\"}}", "x".repeat(100_000))] {
            let refused = passkeys().named(text).unwrap_err();
            assert!(["malformed", "too-large"].contains(&refused.code) && !refused.message.contains("Muster"));
        }
    }
}
