//! What all requests share.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use subrosa_crypto::{random, sha256};
use subrosa_model::{DeviceId, Hash32, MemberId, SessionId, Timestamp};
use subrosa_protocol::directory::{Directory, MemberInfo};
use subrosa_store::{Done, Needs, Plan, Receipt, SessionRow, Store, View};
use tokio::sync::Semaphore;

use crate::assets::Assets;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::Refusal;
use crate::limits::{RateLimit, Served};
use crate::metrics::Metrics;
use crate::passkey::Passkeys;

/// How often a decision is taken anew because the directory had grown meanwhile.
const STALE_TRIES: usize = 8;
/// Large bodies at the same time.
const LARGE_BODIES: usize = 8;
/// For how long a passkey counts as recently shown, in milliseconds.
const RECENT_MS: i64 = 15 * Timestamp::MINUTE;

/// The server's state.
pub struct App {
    /// Everything durable.
    pub store: Store,
    /// Checked settings.
    pub config: Config,
    /// The relying party.
    pub passkeys: Passkeys,
    /// The time.
    pub clock: Clock,
    /// Counters.
    pub metrics: Metrics,
    /// The browser app.
    pub assets: Assets,
    /// Whether this is a demonstration, by its marked directory.
    pub demo: crate::demo::Demo,
    /// SHA-256 of the set-up token, while there is one.
    pub setup_token: Mutex<Option<Hash32>>,
    /// Requests being worked on.
    pub in_flight: Arc<Semaphore>,
    /// Large bodies being received or worked on.
    pub large_bodies: Semaphore,
    /// Requests of sessions.
    pub session_rate: RateLimit<SessionId>,
    /// Requests without a session.
    pub open_rate: RateLimit<IpAddr>,
    /// Ceremonies and kit uses, which cost more and are worth guessing at.
    pub strict_rate: RateLimit<IpAddr>,
    /// Signatures served.
    pub served: Served,
    /// Several servers may write to this database.
    pub shared: bool,
    directory: RwLock<Option<Arc<Directory>>>,
}

/// Who makes a request: a session that was checked against the directory.
#[derive(Debug, Clone)]
pub struct Who {
    /// The session.
    pub session: SessionRow,
}

impl Who {
    /// The member.
    pub fn member(&self) -> MemberId {
        self.session.member
    }
    /// The linked device, if one.
    pub fn device(&self) -> Option<DeviceId> {
        self.session.device
    }
    /// Whether the passkey was shown a moment ago.
    pub fn fresh(&self, now: Timestamp) -> bool {
        now >= self.session.passkey_at && now.since(self.session.passkey_at) <= subrosa_protocol::pace::LIMITS.fresh_ms
    }
    /// Whether it was shown in the last quarter of an hour: for what somebody at an unlocked, unattended screen must not do.
    pub fn recent(&self, now: Timestamp) -> bool {
        now >= self.session.passkey_at && now.since(self.session.passkey_at) <= RECENT_MS
    }
    /// This member in the directory.
    ///
    /// # Errors
    /// `no-access` once removed.
    pub fn info<'a>(&self, directory: &'a Directory) -> Result<&'a MemberInfo, Refusal> {
        directory.member(&self.session.member).ok_or(NO_ACCESS)
    }
}

/// Told to somebody whose membership ended.
pub const NO_ACCESS: Refusal = Refusal::forbidden("no-access", "You are no longer a member of this practice, so nothing is opened for you any more.");
/// Told before a practice exists.
pub const NOT_FOUNDED: Refusal = Refusal::conflict("not-founded", "This practice has not been set up yet.");

/// A decision that says no, and what the ledger keeps of it.
#[derive(Debug)]
pub struct Denied {
    /// What the asker is told.
    pub refusal: Refusal,
    /// What is recorded.
    pub events: Vec<subrosa_protocol::access::AccessEvent>,
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Self {
        Denied { refusal, events: Vec::new() }
    }
}

/// A plan that was carried out.
#[derive(Debug)]
pub struct Carried<V> {
    /// What was written.
    pub receipt: Receipt,
    /// What was decided; none if the request had been carried out before.
    pub verdict: Option<V>,
}

enum Outcome<V> {
    Yes(V),
    No(Refusal),
    Stale,
}

impl App {
    /// Puts the parts together; the directory is read by [`App::refresh`].
    pub fn new(store: Store, config: Config, passkeys: Passkeys, clock: Clock, assets: Assets, demo: crate::demo::Demo) -> Self {
        let started = clock.now();
        App {
            in_flight: Arc::new(Semaphore::new(config.max_in_flight)),
            large_bodies: Semaphore::new(LARGE_BODIES),
            session_rate: RateLimit::new(config.session_per_minute),
            open_rate: RateLimit::new(config.open_per_minute),
            strict_rate: RateLimit::new((config.open_per_minute / 2).max(1)),
            served: Served::new(started),
            shared: config.database.is_some(),
            metrics: Metrics::default(),
            setup_token: Mutex::new(None),
            directory: RwLock::new(None),
            store,
            config,
            passkeys,
            clock,
            assets,
            demo,
        }
    }

    /// A new set-up token. Only its hash stays here.
    pub fn make_setup_token(&self) -> String {
        let token = subrosa_crypto::base64url(&random::make_bytes::<24>());
        *self.setup_token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token_hash(&token));
        token
    }

    /// Whether this is the set-up token.
    pub fn is_setup_token(&self, token: &str) -> bool {
        *self.setup_token.lock().unwrap_or_else(PoisonError::into_inner) == Some(token_hash(token))
    }

    /// The token was used.
    pub fn drop_setup_token(&self) {
        *self.setup_token.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The directory as last read.
    ///
    /// # Errors
    /// `not-founded`.
    pub fn directory(&self) -> Result<Arc<Directory>, Refusal> {
        self.directory.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(NOT_FOUNDED)
    }

    /// Reads what was added to the directory log since.
    ///
    /// # Errors
    /// Those of the store, or `directory-damaged` when a stored statement does not replay.
    pub async fn refresh(&self) -> Result<(), Refusal> {
        let Some(practice) = self.store.practice() else { return Ok(()) };
        loop {
            let known = self.directory().ok();
            let size = known.as_ref().map_or(0, |d| d.size());
            let page = self.store.directory(size).await?;
            if page.entries.is_empty() {
                return Ok(());
            }
            let mut next = known.map_or_else(|| Directory::new(practice), |d| (*d).clone());
            for entry in &page.entries {
                next.apply(entry).map_err(|_| Refusal::internal("directory-damaged"))?;
            }
            let mut slot = self.directory.write().unwrap_or_else(PoisonError::into_inner);
            if slot.as_ref().map_or(0, |d| d.size()) < next.size() {
                *slot = Some(Arc::new(next));
            }
        }
    }

    /// Decides under the store's lock, with a directory that is the newest at that moment, and carries out what was decided.
    ///
    /// # Errors
    /// The refusal that `decide` gave (its events are recorded first), or one of the store.
    pub async fn commit<V, F>(&self, now: Timestamp, needs: Needs, decide: F) -> Result<Carried<V>, Refusal>
    where
        V: Send + 'static,
        F: Fn(&View, &Directory) -> Result<Plan<V>, Denied> + Send + Sync + 'static,
    {
        let decide = Arc::new(decide);
        for _ in 0..STALE_TRIES {
            let directory = self.directory()?;
            let decide = Arc::clone(&decide);
            let done = self
                .store
                .commit(now, needs.clone(), move |view| {
                    if view.directory_size != directory.size() {
                        return Plan::refuse(Outcome::Stale);
                    }
                    match decide(view, &directory) {
                        Ok(Plan { writes, events, pace, remember, verdict }) => Plan { writes, events, pace, remember, verdict: Outcome::Yes(verdict) },
                        Err(denied) => Plan { events: denied.events, ..Plan::refuse(Outcome::No(denied.refusal)) },
                    }
                })
                .await?;
            match done {
                Done::Repeated { receipt } => return Ok(Carried { receipt, verdict: None }),
                Done::New { receipt, verdict: Outcome::Yes(verdict) } => return Ok(Carried { receipt, verdict: Some(verdict) }),
                Done::New { verdict: Outcome::No(refusal), .. } => return Err(refusal),
                Done::New { verdict: Outcome::Stale, .. } => self.refresh().await?,
            }
        }
        Err(Refusal::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, "busy", "The practice's directory is changing too quickly. Try again in a moment.").after(1))
    }
}

/// How a set-up token is kept.
fn token_hash(token: &str) -> Hash32 {
    sha256(&[b"subrosa/1/setup-token", token.as_bytes()])
}
