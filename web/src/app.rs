//! The state that every page shares, and the one way in which work is done with the unlocked vault.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use futures::lock::Mutex;
use leptos::prelude::*;
use leptos::task::spawn_local;
use subrosa_client::{ClientError, Connection, DraftBody, FetchTransport, OpenChart, SystemClock, Vault};
use subrosa_model::{ChartId, Compartment, MemberId, Role, Timestamp};
use subrosa_protocol::api::Hello;
use subrosa_protocol::chart::RosterRow;
use subrosa_protocol::directory::Directory;

use crate::passkey::Passkeys;
use crate::route::Route;
use crate::storage::{self, Place};
use crate::tabs::{self, Word};
use crate::text::{maybe, t};
use crate::{dom, time};

/// Locked after this long without a key or a touch.
pub const IDLE_MS: i64 = 10 * Timestamp::MINUTE;

/// Where the app stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Asking the server who it is.
    Starting,
    /// No answer.
    NoServer(Problem),
    /// Nobody has signed in, or somebody has signed out.
    SignedOut,
    /// Locked after a pause; the page stays in the address.
    Locked,
    /// Unlocked.
    Open,
}

/// What went wrong, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Stable code.
    pub code: String,
    /// What happened, what it means, what to do.
    pub text: String,
    /// Somebody may be tampering.
    pub attack: bool,
}

impl Problem {
    /// A problem with a text of our own: `error-<code>` in the catalogue.
    pub fn of(code: &str) -> Self {
        Problem { code: code.to_owned(), text: maybe(&format!("error-{code}")).unwrap_or_else(|| t("error-other")), attack: false }
    }
}

impl From<ClientError> for Problem {
    fn from(error: ClientError) -> Self {
        let code = error.server_code().unwrap_or(error.code()).to_owned();
        let text = match &error {
            ClientError::TooEarly { ready_at } => crate::say!("error-too-early", when = time::moment(*ready_at)),
            _ => maybe(&format!("error-{code}")).unwrap_or_else(|| error.to_string()),
        };
        Problem { code, text, attack: error.is_attack() }
    }
}

/// Something that takes a while: what it is doing, and what came of it.
#[derive(Clone, Copy)]
pub struct Task {
    /// What is being done, in words; none when idle.
    pub doing: RwSignal<Option<String>>,
    /// What went wrong last.
    pub problem: RwSignal<Option<Problem>>,
}

impl Task {
    /// Idle.
    pub fn new() -> Self {
        Task { doing: RwSignal::new(None), problem: RwSignal::new(None) }
    }
    /// Whether it is at work.
    pub fn busy(&self) -> bool {
        self.doing.try_get().flatten().is_some()
    }
    /// Begins; false when it is at work already.
    pub fn begin(&self, words: String) -> bool {
        if self.doing.try_get_untracked().flatten().is_some() {
            return false;
        }
        self.problem.try_set(None);
        self.doing.try_set(Some(words));
        true
    }
    /// Ends well.
    pub fn done(&self) {
        self.doing.try_set(None);
    }
    /// Ends badly.
    pub fn fail(&self, problem: Problem) {
        self.doing.try_set(None);
        self.problem.try_set(Some(problem));
    }
}

/// Who is signed in, as pages show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// Which member.
    pub member: MemberId,
    /// The name.
    pub name: String,
    /// The role.
    pub role: Role,
    /// How many ways in.
    pub ways_in: u32,
    /// Whether this is a linked device: it has keys of its own and no passkey.
    pub linked: bool,
}

impl Me {
    /// Whether the role reads clinical records.
    pub fn treats(&self) -> bool {
        matches!(self.role, Role::Clinician | Role::Supervisor | Role::Owner)
    }
    /// Whether one lost device would lock the member out.
    pub fn one_way_in(&self) -> bool {
        !self.linked && self.ways_in < 2
    }
    /// Whether the role may invite and remove.
    pub fn runs(&self) -> bool {
        self.role == Role::Owner
    }
}

type Held = Rc<Mutex<Vault>>;
/// Gives a draft that has not been kept yet.
pub type Keep = Rc<dyn Fn() -> Option<DraftBody>>;

/// The shared state; cheap to copy.
#[derive(Clone, Copy)]
pub struct App {
    /// Where the app stands.
    pub phase: RwSignal<Phase>,
    /// The page.
    pub route: RwSignal<Route>,
    /// What the server said of itself.
    pub hello: RwSignal<Option<Hello>>,
    /// Who is signed in.
    pub me: RwSignal<Option<Me>>,
    /// The directory as verified last.
    pub directory: RwSignal<Option<Arc<Directory>>>,
    /// Counts changes of the roster.
    pub roster_version: RwSignal<u32>,
    /// Whether the roster has been fetched since unlocking.
    pub roster_ready: RwSignal<bool>,
    /// The chart that is open, as it was released last.
    pub chart: RwSignal<Option<Arc<OpenChart>>>,
    /// The open chart's line in the roster, for charts whose identity has no entry that says a name.
    pub row: RwSignal<Option<RosterRow>>,
    /// A short word at the bottom of the page.
    pub toast: RwSignal<Option<String>>,
    /// What keeps the list from being brought up to date; stands at the top of every page until it is over.
    pub trouble: RwSignal<Option<Problem>>,
    /// Whether this tab leads.
    pub leads: RwSignal<bool>,
    /// The list of keys is open.
    pub keys_open: RwSignal<bool>,
    /// Gives what is being written, so that locking can keep it.
    pub keep: StoredValue<Option<Keep>, LocalStorage>,
    vault: StoredValue<Option<Held>, LocalStorage>,
    connection: StoredValue<Connection, LocalStorage>,
    dirty: StoredValue<Rc<Cell<bool>>, LocalStorage>,
    active_at: StoredValue<Timestamp>,
}

/// The shared state of the page.
pub fn app() -> App {
    expect_context::<App>()
}

impl App {
    /// Starts: follows the address, the other tabs and the clock, and asks the server who it is.
    pub fn start() -> Self {
        let connection = Connection::new(Arc::new(FetchTransport::new("")), Arc::new(SystemClock));
        let app = App {
            phase: RwSignal::new(Phase::Starting),
            route: crate::route::follow(),
            hello: RwSignal::new(None),
            me: RwSignal::new(None),
            directory: RwSignal::new(None),
            roster_version: RwSignal::new(0),
            roster_ready: RwSignal::new(false),
            chart: RwSignal::new(None),
            row: RwSignal::new(None),
            toast: RwSignal::new(None),
            trouble: RwSignal::new(None),
            leads: RwSignal::new(false),
            keys_open: RwSignal::new(false),
            keep: StoredValue::new_local(None),
            vault: StoredValue::new_local(None),
            connection: StoredValue::new_local(connection),
            dirty: StoredValue::new_local(Rc::new(Cell::new(false))),
            active_at: StoredValue::new(dom::now()),
        };
        app.watch();
        app.say_hello();
        app
    }

    fn watch(self) {
        tabs::lead(self.leads);
        Effect::new(move |_| {
            self.roster_version.track();
            let Some(chart) = self.chart.get().map(|c| c.chart) else { return self.row.set(None) };
            spawn_local(async move {
                let row = self.with(&async |v: &mut Vault| Ok(v.roster().row(&chart).cloned())).await;
                self.row.set(row.ok().flatten());
            });
        });
        tabs::hear(move |word| match word {
            Word::Active => self.active_at.set_value(dom::now()),
            Word::Lock => self.lock_here(),
        });
        for event in ["pointerdown", "keydown", "wheel"] {
            dom::listen(&dom::document(), event, move |_| self.touched());
        }
        dom::every(5_000, move || {
            let open = self.phase.get_untracked() == Phase::Open;
            if open && dom::now().since(self.active_at.get_value()) >= IDLE_MS {
                self.lock();
            } else if open {
                spawn_local(async move { self.store().await });
            }
        });
        dom::every(60_000, move || {
            if self.phase.get_untracked() == Phase::Open && self.leads.get_untracked() {
                self.catch_up();
            }
        });
    }

    fn touched(self) {
        let now = dom::now();
        if now.since(self.active_at.get_value()) > 10 * Timestamp::SECOND && self.phase.get_untracked() == Phase::Open {
            tabs::tell(Word::Active);
        }
        self.active_at.set_value(now);
    }

    /// Asks the server who it is.
    pub fn say_hello(self) {
        spawn_local(async move {
            match self.connection().hello().await {
                Ok(hello) => {
                    if hello.practice.is_none() && !matches!(self.route.get_untracked(), Route::SetUp(_)) {
                        self.route.set(Route::SetUp(String::new()));
                    }
                    self.hello.set(Some(hello));
                    self.phase.set(Phase::SignedOut);
                }
                Err(error) => self.phase.set(Phase::NoServer(error.into())),
            }
        });
    }

    /// The server.
    pub fn connection(self) -> Connection {
        self.connection.get_value()
    }

    /// Takes an unlocked vault into use. `stay` keeps the present page (the set-up wizard goes on).
    pub fn unlocked(self, vault: Vault) {
        self.active_at.set_value(dom::now());
        self.refresh(&vault);
        self.vault.set_value(Some(Rc::new(Mutex::new(vault))));
    }

    /// Opens the pages after unlocking and fetches the roster.
    pub fn enter(self) {
        self.phase.set(Phase::Open);
        let hidden = matches!(self.route.get_untracked(), Route::SetUp(_) | Route::Join(_) | Route::Unknown);
        if hidden {
            Route::Patients.go();
        }
        self.catch_up();
    }

    /// Fetches what changed: directory, epochs, roster.
    pub fn catch_up(self) {
        spawn_local(async move {
            if self.vault.get_value().is_none() {
                return;
            }
            if !self.roster_ready.get_untracked()
                && let Some(sealed) = storage::load(Place::Roster).await
                && self.with(&async |v: &mut Vault| v.load_roster(&sealed)).await.is_ok()
            {
                self.roster_version.update(|n| *n += 1);
            }
            let synced = self
                .with(&async |v: &mut Vault| {
                    v.sync().await?;
                    v.turn_epochs_if_needed().await?;
                    v.sync_roster().await
                })
                .await;
            match synced {
                Ok(change) => {
                    self.trouble.set(None);
                    let first = !self.roster_ready.get_untracked();
                    self.roster_ready.set(true);
                    if first || change.put + change.removed > 0 {
                        self.roster_version.update(|n| *n += 1);
                        let sealed = self.with(&async |v: &mut Vault| Ok(v.seal_roster())).await;
                        if let Ok(sealed) = sealed {
                            storage::save(Place::Roster, &sealed).await;
                        }
                    }
                }
                Err(problem) if problem.code == "session-over" => self.lock(),
                Err(problem) if problem.code == "locked" => {}
                Err(problem) => {
                    self.roster_ready.set(true);
                    self.trouble.set(Some(problem));
                }
            }
        });
    }

    /// Works with the unlocked vault. Where the gate asks for a fresh passkey, asks for it and tries once more.
    pub async fn with<T>(self, work: &impl AsyncFn(&mut Vault) -> Result<T, ClientError>) -> Result<T, Problem> {
        let Some(vault) = self.vault.try_get_value().flatten() else {
            return Err(Problem::of("locked"));
        };
        let mut vault = vault.lock().await;
        let mut outcome = work(&mut vault).await;
        if matches!(outcome, Err(ClientError::GatePasskey)) {
            vault.fresh(&Passkeys).await?;
            outcome = work(&mut vault).await;
        }
        if self.vault.with_value(Option::is_some) {
            self.refresh(&vault);
        }
        outcome.map_err(Problem::from)
    }

    /// Works with the vault, says meanwhile what it is doing, and goes on with the result.
    pub fn run<T: 'static>(self, task: Task, doing: &str, work: impl AsyncFn(&mut Vault) -> Result<T, ClientError> + 'static, then: impl FnOnce(T) + 'static) {
        if !task.begin(t(doing)) {
            return;
        }
        spawn_local(async move {
            match self.with(&work).await {
                Ok(value) => {
                    task.done();
                    then(value);
                }
                Err(problem) if problem.code == "session-over" => {
                    task.done();
                    self.lock();
                }
                Err(problem) => task.fail(problem),
            }
        });
    }

    fn refresh(self, vault: &Vault) {
        let Ok(role) = vault.role() else { return };
        let me = Me { member: vault.member(), name: vault.name().to_owned(), role, ways_in: vault.ways_in(), linked: vault.device().is_some() };
        if self.me.with_untracked(|old| old.as_ref() != Some(&me)) {
            self.me.set(Some(me));
        }
        let fresh = vault.directory();
        if self.directory.with_untracked(|d| d.as_ref().is_none_or(|d| d.size() != fresh.size())) {
            if let Some(policy) = fresh.policy() {
                time::set_zone(&policy.time_zone);
            }
            self.directory.set(Some(Arc::new(fresh.clone())));
        }
        self.dirty.with_value(|d| d.set(true));
    }

    async fn store(self) {
        if !self.dirty.with_value(|d| d.replace(false)) {
            return;
        }
        let Some(vault) = self.vault.get_value() else { return };
        let Some(vault) = vault.try_lock() else {
            self.dirty.with_value(|d| d.set(true));
            return;
        };
        let sealed = vault.seal_local();
        drop(vault);
        storage::save(Place::Pins, &sealed).await;
    }

    /// Locks this and every other tab: the keys leave memory, drafts are kept.
    pub fn lock(self) {
        tabs::tell(Word::Lock);
        self.lock_here();
    }

    fn lock_here(self) {
        if self.phase.get_untracked() != Phase::Open {
            return;
        }
        let draft = self.keep.get_value().and_then(|keep| keep());
        let vault = self.forget();
        self.phase.set(Phase::Locked);
        spawn_local(async move {
            if let Some(vault) = vault {
                let mut vault = vault.lock().await;
                if let Some(draft) = draft {
                    let _ = vault.save_draft(&draft).await;
                }
                storage::save(Place::Pins, &vault.seal_local()).await;
                let _ = vault.sign_out().await;
            }
        });
    }

    fn forget(self) -> Option<Held> {
        let vault = self.vault.get_value();
        self.vault.set_value(None);
        self.keep.set_value(None);
        self.me.set(None);
        self.directory.set(None);
        self.chart.set(None);
        self.row.set(None);
        self.trouble.set(None);
        self.roster_ready.set(false);
        self.keys_open.set(false);
        vault
    }

    /// Opens a chart with what the role reads; psychotherapy notes only where they are asked for. Every opening is recorded.
    pub fn open_chart(self, task: Task, chart: ChartId, psychotherapy: bool) {
        let Some(me) = self.me.get_untracked() else { return };
        let mut parts = vec![Compartment::Identity, Compartment::Admin];
        if me.treats() {
            parts.push(Compartment::Record);
            parts.extend(psychotherapy.then_some(Compartment::Psychotherapy));
        }
        if self.chart.with_untracked(|c| c.as_ref().is_some_and(|c| c.chart != chart)) {
            self.chart.set(None);
        }
        self.run(task, "chart-opening", async move |v: &mut Vault| v.open_chart(chart, &parts).await, move |open| self.chart.set(Some(Arc::new(open))));
    }

    /// The name of a member, as the directory has it.
    pub fn name_of(self, member: MemberId) -> String {
        let found = self.directory.with(|d| d.as_ref().and_then(|d| d.members().get(&member).map(|m| m.name.clone())));
        found.unwrap_or_else(|| t("somebody-unknown"))
    }

    /// Shows a short word at the bottom for a few seconds.
    pub fn tell(self, words: String) {
        self.toast.set(Some(words.clone()));
        spawn_local(async move {
            dom::wait(6_000).await;
            if self.toast.try_get_untracked().flatten().as_ref() == Some(&words) {
                self.toast.set(None);
            }
        });
    }
}
