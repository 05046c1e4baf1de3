use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;
use subrosa_crypto::{SigningKey, cbor, random, sha256};
use subrosa_model::{Hash32, SessionId, Timestamp};
use subrosa_protocol::api::{CBOR, ErrorBody, JournalPage, KeeperReport, KeyCopyPage, PROTOCOL};
use subrosa_protocol::session::RequestToSign;

use crate::{KeeperError, KeeperKey};

/// Where copies come from: a server over HTTP, or a store on this machine.
pub trait Source: Sync {
    /// Journal records after `after`.
    fn journal(&self, after: u64, now: Timestamp) -> impl Future<Output = Result<JournalPage, KeeperError>> + Send;
    /// A copy of the key store after a cursor.
    fn keys(&self, after: u64, now: Timestamp) -> impl Future<Output = Result<KeyCopyPage, KeeperError>> + Send;
    /// An attachment's ciphertext.
    fn object(&self, hash: Hash32, now: Timestamp) -> impl Future<Output = Result<Vec<u8>, KeeperError>> + Send;
    /// How far the copy reaches.
    fn report(&self, report: KeeperReport, now: Timestamp) -> impl Future<Output = Result<(), KeeperError>> + Send;
}

/// A server over HTTP. Each request is signed by the keeper's key, which an owner has entered in the directory.
pub struct Server {
    base: String,
    name: String,
    sign: SigningKey,
    http: reqwest::Client,
}

impl core::fmt::Debug for Server {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Server({})", self.base)
    }
}

impl Server {
    /// A server at an address such as `https://records.example:7110`.
    pub fn at(base: &str, key: &KeeperKey) -> Result<Self, KeeperError> {
        let http = reqwest::Client::builder()
            .timeout(std::time::Duration::from_secs(120))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|_| KeeperError::Unreachable("this machine's HTTP client does not start".to_owned()))?;
        let sign = SigningKey::from_seed(*key.sign.seed());
        Ok(Server { base: base.trim_end_matches('/').to_owned(), name: key.name.clone(), sign, http })
    }

    async fn call(&self, method: &'static str, path: &str, body: Vec<u8>, now: Timestamp) -> Result<Vec<u8>, KeeperError> {
        let request = RequestToSign { session: SessionId::default(), method, path, body: sha256(&[&body]), at: now, nonce: random::make_bytes() };
        let url = format!("{}{path}", self.base);
        let builder = if method == "GET" { self.http.get(url) } else { self.http.post(url).body(body) };
        let answer = builder
            .header("subrosa-protocol", PROTOCOL.to_string())
            .header("subrosa-keeper", &self.name)
            .header("subrosa-signature", request.sign(&self.sign))
            .header("content-type", CBOR)
            .header("accept", CBOR)
            .send()
            .await
            .map_err(|e| KeeperError::Unreachable(if e.is_timeout() { "no answer in two minutes" } else { "no connection" }.to_owned()))?;
        let good = answer.status().is_success();
        let bytes = answer.bytes().await.map_err(|_| KeeperError::Unreachable("the answer broke off".to_owned()))?;
        if good {
            return Ok(bytes.to_vec());
        }
        let error: Result<ErrorBody, _> = read(&bytes);
        Err(error.map_or_else(
            |_| KeeperError::Unreachable("the answer is not Subrosa's".to_owned()),
            |e| KeeperError::Refused { code: e.code, message: e.message },
        ))
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, now: Timestamp) -> Result<T, KeeperError> {
        let bytes = self.call("GET", path, Vec::new(), now).await?;
        read(&bytes)
    }

    async fn post<T: Serialize>(&self, path: &str, value: &T, now: Timestamp) -> Result<(), KeeperError> {
        self.call("POST", path, cbor::encode(value), now).await.map(|_| ())
    }
}

/// Messages of the API may be in any valid CBOR; only what is signed has to be in the deterministic encoding.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, KeeperError> {
    ciborium::de::from_reader_with_recursion_limit(bytes, 32).map_err(|_| KeeperError::Unreachable("the answer is not Subrosa's".to_owned()))
}

impl Source for Server {
    async fn journal(&self, after: u64, now: Timestamp) -> Result<JournalPage, KeeperError> {
        self.get(&format!("/v1/keeper/journal?after={after}&limit=1000"), now).await
    }
    async fn keys(&self, after: u64, now: Timestamp) -> Result<KeyCopyPage, KeeperError> {
        self.get(&format!("/v1/keeper/keys?after={after}"), now).await
    }
    async fn object(&self, hash: Hash32, now: Timestamp) -> Result<Vec<u8>, KeeperError> {
        self.call("GET", &format!("/v1/keeper/object/{hash}"), Vec::new(), now).await
    }
    async fn report(&self, report: KeeperReport, now: Timestamp) -> Result<(), KeeperError> {
        self.post("/v1/keeper/report", &report, now).await
    }
}
