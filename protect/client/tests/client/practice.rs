//! A practice in a temporary folder: the real server in this process, spoken to over HTTP.

use std::sync::Arc;

use subrosa_client::{Clock, Connection, Fut, HttpTransport, Request, Response, SetupOptions, SignIn, SoftPasskey, Transport, Vault, setup, signin};
use subrosa_model::Timestamp;
use subrosa_server::{Layer, Running, Server};

/// The server's clock, so that both sides agree when days pass.
#[derive(Clone, Default)]
pub struct Shared(pub subrosa_server::Clock);

impl Clock for Shared {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

pub struct Practice {
    pub running: Running,
    pub _folder: tempfile::TempDir,
    pub clock: Shared,
    pub passkey: SoftPasskey,
    pub conn: Connection,
}

impl Practice {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let layer = Layer {
            data_dir: Some(folder.path().to_owned()),
            listen: Some("127.0.0.1:0".into()),
            session_per_minute: Some(100_000),
            open_per_minute: Some(100_000),
            ..Layer::default()
        };
        let clock = Shared::default();
        let running = Server::new(layer.finish().unwrap()).with_clock(clock.0.clone()).start().await.unwrap();
        let origin = running.origin().origin().ascii_serialization();
        let passkey = SoftPasskey::new(&origin);
        let conn = Connection::new(Arc::new(HttpTransport::new(&format!("http://{}", running.address())).unwrap()), Arc::new(clock.clone()));
        Practice { running, _folder: folder, clock, passkey, conn }
    }

    pub fn origin(&self) -> String {
        self.running.origin().origin().ascii_serialization()
    }

    pub fn options(&self) -> SetupOptions {
        SetupOptions { token: self.running.setup_token().unwrap().to_owned(), owner_name: "Dr. Ada Example".to_owned(), time_zone: "Europe/Berlin".to_owned() }
    }

    /// Founded, with a member kit as second way in.
    pub async fn founded() -> (Self, Vault) {
        let practice = Self::start().await;
        let mut outcome = setup(&practice.conn, &practice.passkey, &practice.options()).await.unwrap();
        outcome.vault.put_kit().await.unwrap();
        (practice, outcome.vault)
    }

    pub async fn sign_in(&self, local: Option<&[u8]>) -> Vault {
        opened(signin(&self.conn, &self.passkey, local).await.unwrap())
    }

    /// The same server behind another transport.
    pub fn through(&self, wrap: impl FnOnce(Arc<dyn Transport>) -> Arc<dyn Transport>) -> Connection {
        let inner = Arc::new(HttpTransport::new(&format!("http://{}", self.running.address())).unwrap());
        Connection::new(wrap(inner), Arc::new(self.clock.clone()))
    }
}

pub fn opened(signed_in: SignIn) -> Vault {
    match signed_in {
        SignIn::Open(vault) => *vault,
        SignIn::NeedsWords(_) => panic!("asked for words"),
    }
}

/// A transport that calls a function on every exchange.
pub struct Between<F> {
    pub inner: Arc<dyn Transport>,
    pub change: F,
}

impl<F: Fn(&Request, Response) -> Response + Send + Sync> Transport for Between<F> {
    fn send(&self, request: Request) -> Fut<'_, Result<Response, subrosa_client::ClientError>> {
        Box::pin(async move {
            let answer = self.inner.send(request.clone()).await?;
            Ok((self.change)(&request, answer))
        })
    }
}
