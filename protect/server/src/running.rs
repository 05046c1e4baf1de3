//! Starting and stopping.

use std::net::SocketAddr;
use std::sync::Arc;

use subrosa_store::{Store, StoreError};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

use crate::acme::{Acme, AcmeError};
use crate::app::App;
use crate::assets::{self, Assets};
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::demo::Demo;
use crate::passkey::Passkeys;
use crate::{connections, host, http, jobs, tls};

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store did not open.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address is taken or not this machine's.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The host name and the address that browsers use do not belong together.
    #[error("the host name and the address that browsers use do not belong together")]
    Host,
    /// No certificate.
    #[error(transparent)]
    Acme(#[from] AcmeError),
    /// The directory log did not replay.
    #[error("the practice's directory could not be read; run `subrosa verify`")]
    Directory,
}

impl StartError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            StartError::Config(e) => e.code(),
            StartError::Store(e) => e.code(),
            StartError::Listen(..) => "listen",
            StartError::Host => "passkey-host",
            StartError::Acme(_) => "acme",
            StartError::Directory => "directory-damaged",
        }
    }
}

/// A server that is about to start.
#[derive(Debug)]
pub struct Server {
    config: Config,
    assets: Assets,
    clock: Clock,
}

impl Server {
    /// With checked settings.
    pub fn new(config: Config) -> Self {
        Server { config, assets: assets::none, clock: Clock::default() }
    }

    /// With the browser app's files.
    #[must_use]
    pub fn with_assets(mut self, assets: Assets) -> Self {
        self.assets = assets;
        self
    }

    /// With a clock of the caller's: rehearsals and tests of what waits for days.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Opens the data directory, listens and serves.
    ///
    /// # Errors
    /// [`StartError`]; nothing listens then.
    pub async fn start(self) -> Result<Running, StartError> {
        let Server { config, assets, clock } = self;
        let demo = Demo::of(&config.data_dir, config.demo, config.listen.ip().is_loopback())?;
        let store = Store::open(store_config(&config)).await?;
        let opened = Self::listen(store.clone(), config, assets, clock, demo).await;
        if opened.is_err() {
            store.close().await;
        }
        opened
    }

    async fn listen(store: Store, config: Config, assets: Assets, clock: Clock, demo: Demo) -> Result<Running, StartError> {
        host::keeps(&config.data_dir, &config.host, store.practice().is_some())?;
        let acme = match &config.acme {
            None => None,
            Some(settings) => {
                let acme = Acme::start(&config.host, settings, &config.data_dir).await?;
                acme.ensure_at_start(clock.now()).await?;
                Some(acme)
            }
        };
        let listener = TcpListener::bind(config.listen).await.map_err(|e| StartError::Listen(config.listen, e))?;
        let address = listener.local_addr().map_err(|e| StartError::Listen(config.listen, e))?;
        let origin = config.origin_at(address.port()).ok_or(StartError::Host)?;
        let passkeys = Passkeys::new(&config.host, &origin).map_err(|_| StartError::Host)?;
        let app = Arc::new(App::new(store, config, passkeys, clock, assets, demo));
        app.refresh().await.map_err(|_| StartError::Directory)?;
        let setup_link = app.store.practice().is_none().then(|| format!("{origin}#setup={}", app.make_setup_token()));

        let (stop, stopped) = watch::channel(false);
        let files = acme.as_ref().map(Acme::files).or_else(|| app.config.tls.clone());
        let tls = files.map(|files| tls::acceptor(&files, stopped.clone())).transpose()?;
        let state = Arc::clone(&app);
        let handler = move |request, peer| http::answer(Arc::clone(&state), request, peer);
        let serving = tokio::spawn(connections::serve(listener, tls, handler, stopped.clone()));
        if let Some(acme) = acme {
            tokio::spawn(acme.keep(app.clock.clone(), stopped.clone()));
        }
        let job = tokio::spawn(jobs::run(Arc::clone(&app), stopped));
        Ok(Running { app, address, origin, setup_link, stop, serving, job })
    }
}

fn store_config(config: &Config) -> subrosa_store::Config {
    let of_backend = match &config.database {
        None => subrosa_store::Config::sqlite(&config.data_dir),
        Some(main) => subrosa_store::Config::postgres(&config.data_dir, main, config.key_database.as_ref().unwrap_or(main)),
    };
    subrosa_store::Config { key_file: config.key_file.clone(), ..of_backend }
}

/// A server at work.
pub struct Running {
    app: Arc<App>,
    address: SocketAddr,
    origin: Url,
    setup_link: Option<String>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    job: JoinHandle<()>,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
    /// The address that browsers use.
    pub fn origin(&self) -> &Url {
        &self.origin
    }
    /// The set-up link with its token, until the practice is set up. It is shown to whoever starts the server and nowhere else.
    pub fn setup_link(&self) -> Option<&str> {
        self.setup_link.as_deref()
    }
    /// The set-up token alone.
    pub fn setup_token(&self) -> Option<&str> {
        self.setup_link.as_deref().and_then(|l| l.split_once("#setup=")).map(|(_, token)| token)
    }
    /// The state: for drills, and for filling a demonstration.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }
    /// While a demonstration is filled with invented people, they can be admitted.
    pub fn fill_demo(&self, on: bool) {
        self.app.demo.fill(on);
    }

    /// Whether a demonstration is served.
    pub fn is_demo(&self) -> bool {
        self.app.demo.is()
    }
    /// Whether a demonstration can be entered already.
    pub fn has_demo_entry(&self) -> bool {
        self.app.demo.entry().is_some()
    }
    /// Keeps the way into a demonstration: a linked device's keys, sealed under [`crate::DEMO_PASSPHRASE`].
    ///
    /// # Errors
    /// Those of the disk.
    pub fn keep_demo_entry(&self, device: &[u8]) -> std::io::Result<()> {
        self.app.demo.keep_entry(device)
    }

    /// Takes no more requests, finishes those at work, closes the store.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.serving.await;
        let _ = self.job.await;
        self.app.store.close().await;
    }
}
