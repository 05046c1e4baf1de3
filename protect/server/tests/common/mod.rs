//! A server in this process, members with software passkeys, and raw requests for what no honest client sends.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use subrosa_client::{Connection, HttpTransport, IdentityDraft, NewBody, SetupOptions, SignIn, SoftPasskey, Transport, Vault, setup, signin};
use subrosa_crypto::{SigningKey, random, sha256};
use subrosa_model::{ChartId, Compartment, SessionId, Timestamp};
use subrosa_protocol::api::ErrorBody;
use subrosa_protocol::session::RequestToSign;
use subrosa_server::{Clock, Layer, Running, Server};

/// The server's clock as the clients' clock, so that both can let days pass.
pub struct SameClock(pub Clock);

impl subrosa_client::Clock for SameClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

/// A running server with an empty data directory.
pub struct House {
    pub running: Option<Running>,
    pub clock: Clock,
    pub conn: Connection,
    pub base: String,
    pub token: String,
    pub folder: tempfile::TempDir,
}

impl House {
    pub async fn open() -> House {
        Self::open_with(|_| {}).await
    }

    pub async fn open_with(change: impl FnOnce(&mut Layer)) -> House {
        let folder = tempfile::tempdir().unwrap();
        let mut layer = Layer { data_dir: Some(folder.path().join("data")), listen: Some("127.0.0.1:0".into()), open_per_minute: Some(100_000), ..Layer::default() };
        change(&mut layer);
        let clock = Clock::default();
        let running = Server::new(layer.finish().unwrap()).with_clock(clock.clone()).start().await.unwrap();
        let base = format!("http://localhost:{}", running.address().port());
        let token = running.setup_token().unwrap_or_default().to_owned();
        let conn = connect(&base, &clock);
        House { running: Some(running), clock, conn, base, token, folder }
    }

    pub fn passkey(&self) -> SoftPasskey {
        SoftPasskey::new(&self.base)
    }

    /// An owner with a second way in, ready for patients.
    pub async fn owner(&self) -> (Vault, SoftPasskey) {
        let passkey = self.passkey();
        let options = SetupOptions { token: self.token.clone(), owner_name: "Owner".into(), time_zone: "Europe/Zurich".into() };
        let mut vault = setup(&self.conn, &passkey, &options).await.unwrap().vault;
        vault.put_kit().await.unwrap();
        (vault, passkey)
    }

    pub async fn signin(&self, passkey: &SoftPasskey) -> Vault {
        match signin(&self.conn, passkey, None).await.unwrap() {
            SignIn::Open(vault) => *vault,
            SignIn::NeedsWords(_) => panic!("no words expected"),
        }
    }

    pub async fn stop(mut self) {
        self.running.take().unwrap().stop().await;
    }

    pub fn app(&self) -> &Arc<subrosa_server::App> {
        self.running.as_ref().unwrap().app()
    }

    /// Sends bytes as they are.
    pub async fn raw(&self, method: &'static str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> (u16, Vec<u8>, Vec<(String, String)>) {
        let transport = HttpTransport::new(&self.base).unwrap();
        let mut all = vec![("subrosa-protocol".to_owned(), "1".to_owned())];
        all.retain(|(n, _)| headers.iter().all(|(m, _)| m != n));
        all.extend(headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        let answer = transport.send(subrosa_client::Request { method, path: path.to_owned(), headers: all, body }).await.unwrap();
        (answer.status, answer.body, answer.headers)
    }

    /// The same, and the answer has to be a refusal: its status and code.
    pub async fn refused(&self, method: &'static str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> (u16, String) {
        let (status, body, _) = self.raw(method, path, headers, body).await;
        let error: ErrorBody = serde_json::from_slice(&body).unwrap_or_else(|_| panic!("{method} {path}: {status} without an error body"));
        (status, error.code)
    }
}

pub fn connect(base: &str, clock: &Clock) -> Connection {
    Connection::new(Arc::new(HttpTransport::new(base).unwrap()), Arc::new(SameClock(clock.clone())))
}

/// A session of which the test holds the key: signs what it is told to.
pub struct Forger {
    pub session: SessionId,
    pub key: SigningKey,
    pub clock: Clock,
}

impl Forger {
    pub fn sign(&self, method: &str, path: &str, body: &[u8]) -> Vec<(String, String)> {
        self.sign_at(method, path, body, self.clock.now(), random::make_bytes())
    }

    pub fn sign_at(&self, method: &str, path: &str, body: &[u8], at: Timestamp, nonce: [u8; 16]) -> Vec<(String, String)> {
        let request = RequestToSign { session: self.session, method, path, body: sha256(&[body]), at, nonce };
        vec![("subrosa-session".into(), self.session.to_string()), ("subrosa-signature".into(), request.sign(&self.key))]
    }
}

pub fn borrowed(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect()
}

pub async fn chart(vault: &mut Vault, family: &str) -> ChartId {
    vault.make_chart(&IdentityDraft::new("Test", family, "1980-01-02", vec![])).await.unwrap()
}

pub fn note(text: &str) -> NewBody {
    NewBody::note("Session", text)
}

pub const RECORD: &[Compartment] = &[Compartment::Record];
