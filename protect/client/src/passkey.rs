//! Passkeys: what is asked of an authenticator, and what of its answer may leave the device.
//!
//! The PRF extension gives 32 secret bytes that wrap the bundle key. They stay here: [`Credential::json`] never contains them.
//! Source: W3C Web Authentication Level 3, section 10.1.4 (`prf`).

use serde_json::Value;
use subrosa_crypto::{VerifyingKey, sha256};
use subrosa_protocol::api::Ceremony;
use subrosa_protocol::session;
use zeroize::Zeroizing;

use crate::ClientError;
use crate::transport::{Fut, Shared};

/// Something that holds passkeys: a browser, or the software one of tests.
pub trait Authenticator: Shared {
    /// Makes a passkey. `options` is `{"publicKey": {...}}`, bytes as base64url, PRF extension already in it.
    ///
    /// # Errors
    /// [`ClientError::PasskeyCancelled`] when the person does not confirm.
    fn create<'a>(&'a self, options: &'a str) -> Fut<'a, Result<Credential, ClientError>>;
    /// Uses a passkey. `options` as above.
    ///
    /// # Errors
    /// [`ClientError::PasskeyCancelled`] when the person does not confirm or no passkey fits.
    fn get<'a>(&'a self, options: &'a str) -> Fut<'a, Result<Credential, ClientError>>;
}

/// A passkey's answer, split into what may be sent and what may not.
pub struct Credential {
    /// The credential as JSON text, without PRF results.
    pub json: String,
    /// The credential id.
    pub id: Vec<u8>,
    /// PRF output for [`prf_salt`], if the authenticator gave one.
    pub prf: Option<Zeroizing<[u8; 32]>>,
    /// What the authenticator said at creation; `Some(false)`: it has no PRF.
    pub prf_enabled: Option<bool>,
}

impl core::fmt::Debug for Credential {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Credential(..)")
    }
}

/// The fixed salt that every passkey's PRF is evaluated with.
pub fn prf_salt() -> [u8; 32] {
    sha256(&[b"subrosa/1/prf"]).0
}

impl Credential {
    /// From a credential's JSON text that may contain PRF results (as a browser's `toJSON()` gives it): takes them out.
    ///
    /// # Errors
    /// [`ClientError::PasskeyAnswer`] when it is not a credential.
    pub fn from_json(json: &str) -> Result<Self, ClientError> {
        let mut value: Value = serde_json::from_str(json).map_err(|_| ClientError::PasskeyAnswer("not JSON"))?;
        let id = value.get("rawId").or_else(|| value.get("id")).and_then(Value::as_str).and_then(subrosa_crypto::from_base64url);
        let id = id.filter(|i| !i.is_empty() && i.len() <= 1023).ok_or(ClientError::PasskeyAnswer("no credential id"))?;
        let mut prf = None;
        let mut prf_enabled = None;
        if let Some(extension) = value.pointer_mut("/clientExtensionResults/prf").and_then(Value::as_object_mut) {
            prf_enabled = extension.get("enabled").and_then(Value::as_bool);
            if let Some(results) = extension.remove("results") {
                prf = results.get("first").and_then(Value::as_str).and_then(subrosa_crypto::from_base64url).map(Zeroizing::new);
            }
        }
        let prf = match prf {
            Some(bytes) => Some(Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| ClientError::PasskeyAnswer("PRF length"))?)),
            None => None,
        };
        let json = value.to_string();
        Ok(Credential { json, id, prf, prf_enabled })
    }
}

/// Adds the PRF extension to a ceremony's options, after checking that its challenge is bound to this session's key.
pub(crate) fn prepare(ceremony: &Ceremony, session_key: &VerifyingKey) -> Result<String, ClientError> {
    let mut options: Value = serde_json::from_str(&ceremony.options).map_err(|_| ClientError::BadAnswer("passkey options"))?;
    let nonce: &[u8; 32] = ceremony.nonce.as_slice().try_into().map_err(|_| ClientError::BadAnswer("passkey nonce"))?;
    let expected = session::challenge(nonce, session_key);
    let public = options.get_mut("publicKey").and_then(Value::as_object_mut).ok_or(ClientError::BadAnswer("passkey options"))?;
    let challenge = public.get("challenge").and_then(Value::as_str).and_then(subrosa_crypto::from_base64url);
    if challenge.as_deref() != Some(expected.as_bytes().as_slice()) {
        return Err(ClientError::ChallengeSubstituted);
    }
    add_prf(public);
    Ok(options.to_string())
}

fn add_prf(public: &mut serde_json::Map<String, Value>) {
    let salt = subrosa_crypto::base64url(&prf_salt());
    let extensions = public.entry("extensions").or_insert_with(|| Value::Object(Default::default()));
    if !extensions.is_object() {
        *extensions = Value::Object(Default::default());
    }
    if let Some(map) = extensions.as_object_mut() {
        map.insert("prf".to_owned(), serde_json::json!({ "eval": { "first": salt } }));
    }
}

/// Options to evaluate the PRF of one passkey without any server: for authenticators that give it only when used, and for opening things offline.
pub(crate) fn local_options(host: &str, credential: Option<&[u8]>) -> String {
    let challenge = subrosa_crypto::base64url(&subrosa_crypto::random::make_bytes::<32>());
    let allowed: Vec<Value> =
        credential.map(|id| vec![serde_json::json!({ "type": "public-key", "id": subrosa_crypto::base64url(id) })]).unwrap_or_default();
    let mut options = serde_json::json!({ "publicKey": {
        "challenge": challenge, "rpId": host, "timeout": 300_000, "userVerification": "required", "allowCredentials": allowed,
    } });
    if let Some(public) = options.get_mut("publicKey").and_then(Value::as_object_mut) {
        add_prf(public);
    }
    options.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_never_holds_the_prf_results() {
        let secret = subrosa_crypto::base64url(&[7; 32]);
        let json = format!(r#"{{"id":"AAAA","rawId":"AAAA","type":"public-key","response":{{}},"clientExtensionResults":{{"prf":{{"enabled":true,"results":{{"first":"{secret}"}}}}}}}}"#);
        let credential = Credential::from_json(&json).unwrap();
        assert_eq!(credential.prf.as_deref(), Some(&[7; 32]));
        assert_eq!(credential.prf_enabled, Some(true));
        assert!(!credential.json.contains(&secret) && !credential.json.contains("results"));
    }

    #[test]
    fn a_challenge_for_another_session_is_refused_by_name() {
        let (mine, other) = (subrosa_crypto::SigningKey::make().public(), subrosa_crypto::SigningKey::make().public());
        let nonce = [3; 32];
        let challenge = subrosa_crypto::base64url(session::challenge(&nonce, &other).as_bytes());
        let ceremony = Ceremony {
            ceremony: Default::default(),
            nonce: nonce.to_vec().into(),
            options: serde_json::json!({ "publicKey": { "challenge": challenge } }).to_string(),
        };
        assert_eq!(prepare(&ceremony, &mine), Err(ClientError::ChallengeSubstituted));
        let options = prepare(&ceremony, &other).unwrap();
        assert!(options.contains("prf"));
    }
}
