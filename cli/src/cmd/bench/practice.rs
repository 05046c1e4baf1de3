//! A scratch practice: the real server as a process of its own, spoken to over loopback by the real client.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use subrosa_client::{
    ClientError, Connection, Fut, HttpTransport, Request, Response, SetupOptions, SignIn, SoftPasskey, SystemClock, Transport, Vault, setup, signin,
};
use subrosa_crypto::cbor;
use subrosa_drills::Options;
use subrosa_drills::drill::Scratch;
use subrosa_drills::server::{Place, Running};
use subrosa_protocol::api::{EntriesAnswer, EntryOutcome, NewCharts, NewEntries, Recorded};
use subrosa_store::{Config, Store};

use super::At;
use super::postgres::Urls;
use crate::out::Failure;

/// A practice of one, its server and its owner.
pub struct Practice {
    pub owner: Vault,
    pub passkey: SoftPasskey,
    pub wire: Arc<Wire>,
    pub place: Place,
    conn: Connection,
    server: Option<Running>,
    urls: Option<Urls>,
    _scratch: Scratch,
}

impl Practice {
    /// Sets one up; on SQLite unless `urls` name a PostgreSQL.
    pub async fn found(urls: Option<Urls>) -> Result<Self, Failure> {
        let binary = std::env::current_exe().at("finding this program")?;
        let scratch = Scratch::open(&Options::new(binary.clone())).at("making a folder")?;
        let mut place = Place::new(&binary, &scratch).at("making a folder")?;
        place.log = "error";
        let server = start(&place, urls.as_ref()).await?;
        let passkey = SoftPasskey::new(&place.base());
        let wire = Arc::new(Wire::to(&place.base()).at("connecting")?);
        let conn = Connection::new(wire.clone(), Arc::new(SystemClock));
        let token = server.setup_token.clone().unwrap_or_default();
        let made = setup(&conn, &passkey, &SetupOptions { token, owner_name: "Bench owner".into(), time_zone: "Europe/Zurich".into() }).await.at("set-up")?;
        let mut owner = made.vault;
        owner.put_kit().await.at("second way in")?;
        owner.turn_epochs_if_needed().await.at("team keys")?;
        Ok(Practice { owner, passkey, wire, place, conn, server: Some(server), urls, _scratch: scratch })
    }

    /// Stops the server, so that its store can be opened here.
    pub async fn stop(&mut self) -> Result<(), Failure> {
        match self.server.take() {
            Some(server) => server.stop().await.at("stopping the server"),
            None => Ok(()),
        }
    }

    /// Starts the server again; sessions go on.
    pub async fn start(&mut self) -> Result<u32, Failure> {
        let server = start(&self.place, self.urls.as_ref()).await?;
        let pid = server.pid();
        self.server = Some(server);
        Ok(pid)
    }

    /// The store of the stopped server.
    pub async fn store(&self) -> Result<Store, Failure> {
        let config = match &self.urls {
            None => Config::sqlite(&self.place.data),
            Some(urls) => Config::postgres(&self.place.data, urls.main.clone(), urls.keys.clone()),
        };
        Store::open(config).await.at("opening the store")
    }

    /// A further session of the owner.
    pub async fn sign_in(&self) -> Result<Vault, Failure> {
        match signin(&self.conn, &self.passkey, Some(&self.owner.seal_local())).await.at("signing in")? {
            SignIn::Open(vault) => Ok(*vault),
            SignIn::NeedsWords(_) => Err(Failure::failed("bench", "The software passkey gave no secret.")),
        }
    }
}

async fn start(place: &Place, urls: Option<&Urls>) -> Result<Running, Failure> {
    let variables: Vec<(&str, &str)> = urls.map(|u| vec![("SUBROSA_DATABASE", u.main.as_str()), ("SUBROSA_KEY_DATABASE", u.keys.as_str())]).unwrap_or_default();
    place.start_with(&variables).await.at("starting the server")
}

/// The client's way to the server. Counts the time that answers take; on request it takes in new charts and entries itself, so that only the client's work is measured.
pub struct Wire {
    server: HttpTransport,
    nanos: AtomicU64,
    swallow: AtomicBool,
    swallowed: AtomicU64,
}

impl Wire {
    fn to(base: &str) -> Result<Self, ClientError> {
        let server = HttpTransport::new(base)?;
        Ok(Wire { server, nanos: AtomicU64::new(0), swallow: AtomicBool::new(false), swallowed: AtomicU64::new(0) })
    }

    /// Time spent waiting for answers since the last call.
    pub fn take_waited(&self) -> Duration {
        Duration::from_nanos(self.nanos.swap(0, Ordering::Relaxed))
    }

    /// From now on new charts and entries end here, acknowledged.
    pub fn swallow_writes(&self) {
        self.swallow.store(true, Ordering::Relaxed);
    }

    /// Bytes of requests that ended here.
    pub fn swallowed(&self) -> u64 {
        self.swallowed.load(Ordering::Relaxed)
    }

    fn answer(&self, request: &Request) -> Option<Result<Response, ClientError>> {
        let now = subrosa_client::Clock::now(&SystemClock);
        let body = match request.path.as_str() {
            "/v1/charts" => cbor::decode::<NewCharts>(&request.body).ok().map(|_| cbor::encode(&Recorded { index: 0, at: now }))?,
            "/v1/entries" => {
                let entries = cbor::decode::<NewEntries>(&request.body).ok()?.entries;
                cbor::encode(&EntriesAnswer { outcomes: vec![EntryOutcome::Head; entries.len()], at: now })
            }
            _ => return None,
        };
        self.swallowed.fetch_add(request.body.len() as u64, Ordering::Relaxed);
        Some(Ok(Response { status: 200, headers: Vec::new(), body }))
    }
}

impl Transport for Wire {
    fn send(&self, request: Request) -> Fut<'_, Result<Response, ClientError>> {
        Box::pin(async move {
            let begun = Instant::now();
            let own = if self.swallow.load(Ordering::Relaxed) { self.answer(&request) } else { None };
            let answer = match own {
                Some(answer) => answer,
                None => self.server.send(request).await,
            };
            self.nanos.fetch_add(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(0), Ordering::Relaxed);
            answer
        })
    }
}
