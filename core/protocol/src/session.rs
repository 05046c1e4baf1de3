//! Sessions: a key bound into the passkey's challenge signs every request.

use subrosa_crypto::{SigningKey, VerifyingKey, sha256};
use subrosa_model::{Hash32, SessionId, Timestamp};

use crate::ProtocolError;

/// How far a request's own time may be from the server's, in milliseconds.
pub const MAX_SKEW_MS: i64 = 2 * Timestamp::MINUTE;

/// The WebAuthn challenge of a sign-in: what the passkey signs is bound to the session's key, so a session cannot be taken over by whoever relays it.
pub fn challenge(nonce: &[u8; 32], session_key: &VerifyingKey) -> Hash32 {
    sha256(&[b"subrosa/1/signin", nonce, session_key.as_bytes()])
}

/// Where a linked device without a passkey answers: it signs this with its certified key.
pub fn device_challenge(nonce: &[u8; 32], session_key: &VerifyingKey) -> Vec<u8> {
    [b"subrosa/1/device-signin".as_slice(), nonce, session_key.as_bytes()].concat()
}

/// One request as its session signs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestToSign<'a> {
    /// The session.
    pub session: SessionId,
    /// Upper-case method.
    pub method: &'a str,
    /// Path with query, as sent.
    pub path: &'a str,
    /// SHA-256 of the body.
    pub body: Hash32,
    /// The client's time.
    pub at: Timestamp,
    /// 16 random bytes.
    pub nonce: [u8; 16],
}

impl RequestToSign<'_> {
    fn message(&self) -> Vec<u8> {
        let mut out = b"subrosa/1/request\n".to_vec();
        out.extend_from_slice(self.session.as_bytes());
        for part in [self.method, self.path] {
            out.extend_from_slice(&(part.len() as u32).to_be_bytes());
            out.extend_from_slice(part.as_bytes());
        }
        out.extend_from_slice(self.body.as_bytes());
        out.extend_from_slice(&self.at.0.to_be_bytes());
        out.extend_from_slice(&self.nonce);
        out
    }

    /// Signs. The header value is `v1.<at>.<nonce>.<signature>`, the last two base64url.
    pub fn sign(&self, key: &SigningKey) -> String {
        let signature = key.sign_raw(&self.message());
        format!("v1.{}.{}.{}", self.at.0, subrosa_crypto::base64url(&self.nonce), subrosa_crypto::base64url(&signature))
    }
}

/// A parsed `Subrosa-Signature` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSignature {
    /// The client's time.
    pub at: Timestamp,
    /// 16 random bytes; the server serves each once within the skew.
    pub nonce: [u8; 16],
    signature: [u8; 64],
}

impl RequestSignature {
    /// Parses a header value.
    pub fn parse(header: &str) -> Result<Self, ProtocolError> {
        let bad = ProtocolError::Unknown("signature");
        if header.len() > 256 {
            return Err(bad);
        }
        let mut parts = header.split('.');
        let (Some("v1"), Some(at), Some(nonce), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(bad);
        };
        let at = Timestamp(at.parse().map_err(|_| bad.clone())?);
        let nonce = subrosa_crypto::from_base64url(nonce).and_then(|n| n.try_into().ok()).ok_or(bad.clone())?;
        let signature = subrosa_crypto::from_base64url(signature).and_then(|n| n.try_into().ok()).ok_or(bad)?;
        Ok(RequestSignature { at, nonce, signature })
    }

    /// Verifies it against the request and the server's time.
    pub fn verify(&self, key: &VerifyingKey, session: SessionId, method: &str, path: &str, body: Hash32, now: Timestamp) -> Result<(), ProtocolError> {
        if now.since(self.at).unsigned_abs() > MAX_SKEW_MS as u64 {
            return Err(ProtocolError::BadTime);
        }
        let request = RequestToSign { session, method, path, body, at: self.at, nonce: self.nonce };
        key.verify_raw(&request.message(), &self.signature).map_err(ProtocolError::from)
    }
}
