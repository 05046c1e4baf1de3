use std::fs::File;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use object_store::local::LocalFileSystem;
use subrosa_crypto::{SigningKey, VerifyingKey, Zeroizing};
use subrosa_model::{PracticeId, Timestamp};
use subrosa_protocol::access::AccessEvent;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::config::{Backend, Config};
use crate::keys::{self, INSTALLATION, KeyRow, KeyStore};
use crate::plan::{Done, Needs, Plan, Receipt, Snapshot, View, Write};
use crate::sql::{Database, Dialect};
use crate::writer::{Job, RawDone, RawPlan, Shared, find_practice, run_writer};
use crate::{StoreError, disk, objects, schema};

/// Lies in a data directory while a restore into it has not come to its end.
pub(crate) const RESTORING: &str = "restoring";

/// A practice's store. Cloning is cheap; all clones share one writer.
#[derive(Clone)]
pub struct Store {
    pub(crate) shared: Arc<Shared>,
    pub(crate) objects: Arc<LocalFileSystem>,
    queue: mpsc::WeakSender<Job>,
    life: Arc<Mutex<Option<Life>>>,
}

/// What ends when the store is closed.
struct Life {
    queue: mpsc::Sender<Job>,
    writer: JoinHandle<()>,
}

impl core::fmt::Debug for Store {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Store").field("practice", &self.practice()).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens (or makes) a store: takes the directory's lock, brings the tables up to date, finds the store key and the log key, and finishes erasures that were cut short.
    ///
    /// # Errors
    /// `locked`, `network-filesystem`, `newer-schema`, `unsafe-setting`, `store-key`, `unavailable`, `disk-full`.
    pub async fn open(config: Config) -> Result<Store, StoreError> {
        let lock = disk::take(&config.data_dir)?;
        if config.data_dir.join(RESTORING).exists() {
            return Err(StoreError::damaged("a restore into this directory was cut short; empty it and restore again"));
        }
        Self::open_locked(config, lock).await
    }

    pub(crate) async fn open_locked(config: Config, lock: File) -> Result<Store, StoreError> {
        let (main, keys) = match &config.backend {
            Backend::Sqlite => {
                let (main_file, keys_file) = (config.data_dir.join("main.db"), config.data_dir.join("keys.db"));
                let main = Database::sqlite(&main_file, config.max_pages).await?;
                let keys = Database::sqlite(&keys_file, config.max_pages).await?;
                schema::migrate(&main, schema::MAIN, Some(&main_file)).await?;
                schema::migrate(&keys, schema::KEYS, Some(&keys_file)).await?;
                (main, keys)
            }
            Backend::Postgres { main, keys } => {
                let main = Database::postgres(main).await?;
                let keys = Database::postgres(keys).await?;
                schema::migrate(&main, schema::MAIN, None).await?;
                schema::migrate(&keys, schema::KEYS, None).await?;
                (main, keys)
            }
        };
        let objects = Arc::new(objects::open(&config.data_dir)?);
        let keys = KeyStore::open(keys, config.key_path()).await?;
        let log_key = log_key(&keys).await?;
        let practice = find_practice(&mut *main.reader().await?).await?;
        let shared = Arc::new(Shared { main, keys, log_key, practice: std::sync::RwLock::new(practice), newest: tokio::sync::RwLock::new(None), forget: AtomicBool::new(false), lock });
        let (queue, jobs) = mpsc::channel(config.queue.max(1));
        let writer = tokio::spawn(run_writer(Arc::clone(&shared), jobs));
        let store = Store {
            shared,
            objects,
            queue: queue.downgrade(),
            life: Arc::new(Mutex::new(Some(Life { queue, writer }))),
        };
        store.finish_erasures().await?;
        Ok(store)
    }

    /// Takes no more operations, waits for those that wait, and gives up the directory. Further calls answer `closed`.
    pub async fn close(&self) {
        let life = self.life.lock().map_or(None, |mut held| held.take());
        let Some(Life { queue, writer }) = life else { return };
        drop(queue);
        if let Err(error) = writer.await {
            tracing::error!(%error, "the store's writer ended badly");
        }
        self.shared.main.close().await;
        self.shared.keys.db.close().await;
        if let Err(error) = self.shared.lock.unlock() {
            tracing::warn!(%error, "the lock of the data directory is given up only when this process ends");
        }
    }

    /// The practice; none until one was founded here.
    pub fn practice(&self) -> Option<PracticeId> {
        self.shared.practice()
    }

    pub(crate) fn founded(&self) -> Result<PracticeId, StoreError> {
        self.practice().ok_or(StoreError::NotFounded)
    }

    /// Public half of the key that signs checkpoints. It exists before the practice does, so that the founding statement can name it.
    pub fn log_key(&self) -> VerifyingKey {
        self.shared.log_key.public()
    }

    /// Founds the practice with its first writes, beginning with [`Write::Directory`].
    ///
    /// # Errors
    /// `already-founded`, and as [`Store::commit`].
    pub async fn found(&self, practice: PracticeId, at: Timestamp, writes: Vec<Write>, events: Vec<AccessEvent>) -> Result<Receipt, StoreError> {
        if !matches!(writes.first(), Some(Write::Directory { at_size: 0, .. })) || practice == INSTALLATION {
            return Err(StoreError::Misuse("a founding begins with the directory"));
        }
        let decide = move |_: &View| RawPlan { writes: writes.clone(), events: events.clone(), pace: Vec::new(), remember: false };
        let done = self.send(at, Needs::default(), Box::new(decide), Some(practice)).await?;
        Ok(done.receipt)
    }

    /// Decides and writes, all or nothing, under the practice's lock. When this returns, what was written is on the disk and covered by the receipt's checkpoint.
    ///
    /// `decide` may run more than once (a batch that fails is tried again one by one) and must not block; it looks at the view and says what to write.
    ///
    /// # Errors
    /// `busy`, `disk-full`, `unavailable` (nothing was written, try again); `not-founded`; `unknown-chart`, `erased`, `exists`, `not-found`, `directory-out-of-sequence` where the plan
    /// does not fit what is stored; `misuse`.
    pub async fn commit<V, D>(&self, at: Timestamp, needs: Needs, decide: D) -> Result<Done<V>, StoreError>
    where
        V: Send + 'static,
        D: Fn(&View) -> Plan<V> + Send + Sync + 'static,
    {
        let verdict = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&verdict);
        let decide = move |view: &View| {
            let Plan { writes, events, pace, remember, verdict } = decide(view);
            if let Ok(mut slot) = slot.lock() {
                *slot = Some(verdict);
            }
            RawPlan { writes, events, pace, remember }
        };
        let RawDone { receipt, repeated } = self.send(at, needs, Box::new(decide), None).await?;
        if repeated {
            return Ok(Done::Repeated { receipt });
        }
        let verdict = verdict.lock().map_or(None, |mut held| held.take()).ok_or(StoreError::Closed)?;
        Ok(Done::New { receipt, verdict })
    }

    async fn send(&self, at: Timestamp, needs: Needs, decide: Box<dyn Fn(&View) -> RawPlan + Send + Sync>, found: Option<PracticeId>) -> Result<RawDone, StoreError> {
        let (answer, answered) = oneshot::channel();
        let queue = self.queue.upgrade().ok_or(StoreError::Closed)?;
        queue.try_send(Job { at, needs, decide, found, answer }).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })?;
        drop(queue);
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// The newest checkpoint of the access ledger with its map; none while the ledger is empty.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn snapshot(&self) -> Result<Option<Snapshot>, StoreError> {
        // With SQLite nobody else writes, so what this process wrote last is the newest.
        if self.shared.main.dialect == Dialect::Sqlite
            && let Some(held) = self.shared.newest.read().await.as_ref()
        {
            return Ok(Some(held.clone()));
        }
        match self.commit(Timestamp::default(), Needs::default(), |_| Plan::refuse(())).await? {
            Done::New { receipt, .. } | Done::Repeated { receipt } => Ok(receipt.snapshot),
        }
    }
}

/// The log key, made when the key store is.
async fn log_key(keys: &KeyStore) -> Result<SigningKey, StoreError> {
    for _ in 0..2 {
        if let Some(seed) = keys.named(&INSTALLATION, keys::LOG_KEY, &[]).await? {
            let seed: [u8; 32] = seed.as_slice().try_into().map_err(|_| StoreError::damaged("the log key"))?;
            return Ok(SigningKey::from_seed(seed));
        }
        // Kept if another server was quicker: rows of this kind are not replaced.
        let seed = SigningKey::make().seed();
        let value = Zeroizing::new(seed.to_vec());
        keys.put(&INSTALLATION, &[KeyRow { kind: keys::LOG_KEY, chart: None, name: Vec::new(), tag: Vec::new(), value, replaces: false }]).await?;
    }
    Err(StoreError::damaged("the log key"))
}
