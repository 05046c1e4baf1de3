//! The key store: wraps, seals, halves and shares, each row sealed under the store key with a context that names its place.
//!
//! The store key is a file outside both databases and outside every backup. Whoever has a database (or its old pages) without that file has nothing; destroying
//! the file's old content destroys every row sealed under it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, Executor};
use subrosa_crypto::{Context, CryptoError, StoreKey, Zeroizing, cbor, open, seal};
use subrosa_model::{Bytes, ChartId, Compartment, Hash32, KeyId, MemberId, PracticeId, TeamId};
use subrosa_protocol::chart::Target;
use subrosa_protocol::directory::Recipient;
use tokio::sync::RwLock;

use crate::sql::{CHUNK, Columns, Database, Dialect, Value, bind, int, listed, practice, row, rows, run};
use crate::{StoreError, crash, disk};

/// Rows that belong to the installation rather than to a practice: the log key, which exists before the practice does.
pub(crate) const INSTALLATION: PracticeId = PracticeId([0; 16]);

pub(crate) const WRAP: &str = "wrap";
pub(crate) const CUSTODY: &str = "custody";
pub(crate) const EPOCH_SEAL: &str = "epoch-seal";
pub(crate) const KIT_SHARE: &str = "kit-share";
pub(crate) const REPOSITORY: &str = "repository";
pub(crate) const LOG_KEY: &str = "log-key";

const KINDS: &[&str] = &[WRAP, CUSTODY, EPOCH_SEAL, KIT_SHARE, REPOSITORY, LOG_KEY];

/// Kind, chart, name, tag, value.
pub(crate) type CopiedRow = (String, Option<ChartId>, Vec<u8>, Vec<u8>, Zeroizing<Vec<u8>>);

/// Where a row lies; the sealing context of its value.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Place {
    practice: PracticeId,
    kind: String,
    chart: Option<ChartId>,
    name: Bytes,
}

impl Context for Place {
    const NAMESPACE: &'static str = "key-row";
}

/// A row to store or as stored, opened.
#[derive(Clone)]
pub(crate) struct KeyRow {
    pub(crate) kind: &'static str,
    pub(crate) chart: Option<ChartId>,
    pub(crate) name: Vec<u8>,
    pub(crate) tag: Vec<u8>,
    pub(crate) value: Zeroizing<Vec<u8>>,
    /// Whether it takes the place of an older row of the same name. Wraps and seals never do: what somebody signed is not overwritten.
    pub(crate) replaces: bool,
}

/// Name of a wrap: found again without opening it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WrapName {
    pub(crate) compartment: Compartment,
    pub(crate) version: u32,
    pub(crate) key: KeyId,
    pub(crate) target: Target,
    pub(crate) hash: Hash32,
}

/// Name of an epoch seal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SealName {
    pub(crate) team: TeamId,
    pub(crate) epoch: u32,
    pub(crate) to: Option<Recipient>,
    pub(crate) hash: Hash32,
}

pub(crate) fn recipient_tag(to: &Recipient) -> Vec<u8> {
    cbor::encode(to)
}

pub(crate) fn team_tag(team: &TeamId) -> Vec<u8> {
    team.0.to_vec()
}

pub(crate) fn member_name(member: &MemberId) -> Vec<u8> {
    member.0.to_vec()
}

/// A row as it lies in the database.
pub(crate) struct SealedRow {
    pub(crate) practice: PracticeId,
    pub(crate) kind: String,
    pub(crate) chart: Option<ChartId>,
    pub(crate) name: Vec<u8>,
    pub(crate) tag: Vec<u8>,
    pub(crate) seq: u64,
    pub(crate) value: Vec<u8>,
}

impl SealedRow {
    /// The hash by which the journal names this row; none for rows that are replaced in place.
    pub(crate) fn hash(&self) -> Result<Option<Hash32>, StoreError> {
        Ok(match self.kind.as_str() {
            WRAP => Some(cbor::decode::<WrapName>(&self.name)?.hash),
            EPOCH_SEAL => Some(cbor::decode::<SealName>(&self.name)?.hash),
            CUSTODY => Hash32::from_slice(&self.name),
            _ => None,
        })
    }

    fn place(&self) -> Place {
        Place { practice: self.practice, kind: self.kind.clone(), chart: self.chart, name: self.name.clone().into() }
    }
}

pub(crate) struct KeyStore {
    pub(crate) db: Database,
    path: PathBuf,
    key: RwLock<StoreKey>,
}

impl KeyStore {
    /// Opens the key store with its key file; makes both when neither exists. Finishes a renewal of the key that was cut short.
    pub(crate) async fn open(db: Database, path: PathBuf) -> Result<Self, StoreError> {
        let mut tx = db.begin().await?;
        if db.dialect == Dialect::Postgres {
            tx.execute("SELECT pg_advisory_xact_lock(782377202)").await?;
        }
        // An update, so that a renewal by another server is waited for and not disturbed.
        let head = row(&mut tx, "UPDATE key_head SET version = version + 1 WHERE practice = $1 RETURNING store_key", vec![practice(&INSTALLATION)]).await?;
        let key = match head {
            Some(head) => load(&path, &head.id(0, KeyId::from_slice)?)?,
            None => {
                let key = match read(&path)? {
                    Some(key) => key,
                    None => {
                        let key = StoreKey::make();
                        disk::write_private(&path, key.expose())?;
                        key
                    }
                };
                let id = key.id();
                run(&mut tx, "INSERT INTO key_head (practice, version, seq, store_key) VALUES ($1, 0, 0, $2)", bind![INSTALLATION.as_bytes(), id.as_bytes()]).await?;
                key
            }
        };
        tx.commit().await?;
        Ok(KeyStore { db, path, key: RwLock::new(key) })
    }

    /// The key under which rows are sealed now, once the caller holds the head's lock and has read its id.
    async fn key_of(&self, id: &KeyId) -> Result<StoreKey, StoreError> {
        {
            let held = self.key.read().await;
            if held.id() == *id {
                return Ok(held.clone());
            }
        }
        // Another server renewed it.
        let fresh = load(&self.path, id)?;
        *self.key.write().await = fresh.clone();
        Ok(fresh)
    }

    async fn lock_head(&self, conn: &mut AnyConnection, count: u64) -> Result<(u64, StoreKey), StoreError> {
        let head = row(
            conn,
            "UPDATE key_head SET version = version + 1, seq = seq + $2 WHERE practice = $1 RETURNING seq, store_key",
            bind![INSTALLATION.as_bytes(), int(count)?],
        )
        .await?
        .ok_or_else(|| StoreError::damaged("the key store has no head"))?;
        let key = self.key_of(&head.id(1, KeyId::from_slice)?).await?;
        Ok((head.count(0)?.saturating_sub(count), key))
    }

    /// Stores rows in one transaction of their own. They are on the disk when this returns.
    pub(crate) async fn put(&self, owner: &PracticeId, new: &[KeyRow]) -> Result<(), StoreError> {
        if new.is_empty() {
            return Ok(());
        }
        let mut tx = self.db.begin().await?;
        let (mut seq, key) = self.lock_head(&mut tx, new.len() as u64).await?;
        for item in new {
            seq += 1;
            let place = Place { practice: *owner, kind: item.kind.to_owned(), chart: item.chart, name: item.name.clone().into() };
            let sealed = seal(&key, &place, &item.value);
            let statement = if item.replaces {
                "INSERT INTO key_row (practice, kind, chart, name, tag, seq, value) VALUES ($1, $2, $3, $4, $5, $6, $7) \
                 ON CONFLICT (practice, kind, chart, name) DO UPDATE SET tag = excluded.tag, seq = excluded.seq, value = excluded.value"
            } else {
                "INSERT INTO key_row (practice, kind, chart, name, tag, seq, value) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (practice, kind, chart, name) DO NOTHING"
            };
            let chart = item.chart.map(|c| c.0.to_vec()).unwrap_or_default();
            run(&mut tx, statement, bind![owner.as_bytes(), item.kind, chart, item.name.clone(), item.tag.clone(), int(seq)?, sealed]).await?;
        }
        crash::point("commit-keys-before");
        tx.commit().await?;
        crash::point("commit-keys-after");
        Ok(())
    }

    /// Rows out of a copy; they take the place of what there is.
    pub(crate) async fn put_copied(&self, owner: &PracticeId, copied: Vec<CopiedRow>) -> Result<(), StoreError> {
        let mut rows = Vec::with_capacity(copied.len());
        for (kind, chart, name, tag, value) in copied {
            let kind = KINDS.iter().find(|k| **k == kind).ok_or_else(|| StoreError::damaged("a key copy with rows of an unknown kind"))?;
            rows.push(KeyRow { kind, chart, name, tag, value, replaces: true });
        }
        self.put(owner, &rows).await
    }

    /// Rows of one kind of these charts, opened lazily by the caller.
    pub(crate) async fn of_charts(&self, owner: &PracticeId, kind: &'static str, charts: &[ChartId]) -> Result<Vec<SealedRow>, StoreError> {
        let mut out = Vec::new();
        let mut conn = self.db.reader().await?;
        for chunk in charts.chunks(CHUNK) {
            let mut values = bind![owner.as_bytes(), kind];
            values.extend(chunk.iter().map(|c| Value::from(c.as_bytes())));
            let sql = listed(
                "SELECT practice, kind, chart, name, tag, seq, value FROM key_row WHERE practice = $1 AND kind = $2 AND chart IN ({list}) ORDER BY seq",
                2,
                chunk.len(),
            );
            for found in rows(&mut conn, sql, values).await? {
                out.push(sealed_row(&found)?);
            }
        }
        Ok(out)
    }

    /// Rows of one kind with one of these tags.
    pub(crate) async fn tagged(&self, owner: &PracticeId, kind: &'static str, tags: &[Vec<u8>]) -> Result<Vec<SealedRow>, StoreError> {
        let mut out = Vec::new();
        let mut conn = self.db.reader().await?;
        for chunk in tags.chunks(CHUNK) {
            let mut values = bind![owner.as_bytes(), kind];
            values.extend(chunk.iter().map(|t| Value::from(t.as_slice())));
            let sql = listed("SELECT practice, kind, chart, name, tag, seq, value FROM key_row WHERE practice = $1 AND kind = $2 AND tag IN ({list}) ORDER BY seq", 2, chunk.len());
            for found in rows(&mut conn, sql, values).await? {
                out.push(sealed_row(&found)?);
            }
        }
        Ok(out)
    }

    /// Hashes of every row that the journal names.
    pub(crate) async fn hashes(&self, owner: &PracticeId) -> Result<BTreeSet<Hash32>, StoreError> {
        let mut out = BTreeSet::new();
        let mut after = -1;
        let mut conn = self.db.reader().await?;
        let none: &[u8] = &[];
        loop {
            let sql = "SELECT practice, kind, chart, name, tag, seq, $3 FROM key_row WHERE practice = $1 AND seq > $2 ORDER BY seq LIMIT 2000";
            let page = rows(&mut conn, sql, bind![owner.as_bytes(), after, none]).await?;
            let Some(last) = page.last() else { return Ok(out) };
            after = last.int(5)?;
            for found in &page {
                out.extend(sealed_row(found)?.hash()?);
            }
        }
    }

    /// One row by its name, opened.
    pub(crate) async fn named(&self, owner: &PracticeId, kind: &'static str, name: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let mut conn = self.db.reader().await?;
        let none: &[u8] = &[];
        let found = row(
            &mut conn,
            "SELECT practice, kind, chart, name, tag, seq, value FROM key_row WHERE practice = $1 AND kind = $2 AND chart = $3 AND name = $4",
            bind![owner.as_bytes(), kind, none, name],
        )
        .await?;
        drop(conn);
        match found {
            Some(found) => Ok(Some(self.open_row(&sealed_row(&found)?).await?)),
            None => Ok(None),
        }
    }

    /// Opens a row; a row that was sealed anew by another server since is opened with the key file as it is now.
    pub(crate) async fn open_row(&self, sealed: &SealedRow) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let first = open(&*self.key.read().await, &sealed.place(), &sealed.value);
        match first {
            Err(CryptoError::KeyMismatch) => {
                for path in [self.path.clone(), beside(&self.path)] {
                    if let Some(key) = read(&path)?
                        && let Ok(value) = open(&key, &sealed.place(), &sealed.value)
                    {
                        return Ok(value);
                    }
                }
                Err(StoreError::StoreKey)
            }
            other => Ok(other?),
        }
    }

    /// How many rows of these charts there are.
    pub(crate) async fn count_of(&self, owner: &PracticeId, chart: &ChartId) -> Result<u64, StoreError> {
        let mut conn = self.db.reader().await?;
        let found = row(&mut conn, "SELECT COUNT(*) FROM key_row WHERE practice = $1 AND chart = $2", bind![owner.as_bytes(), chart.as_bytes()]).await?;
        found.map_or(Ok(0), |r| r.count(0))
    }

    /// Destroys every row of these charts and renews the store key, so that neither old pages nor old copies of this database open.
    ///
    /// Safe to cut short anywhere: the new key lies beside the old until every row is sealed under it, and the head says which of the two is in force.
    pub(crate) async fn destroy(&self, owner: &PracticeId, charts: &[ChartId]) -> Result<u64, StoreError> {
        // The database's lock first and the key's second, as everywhere.
        let mut tx = self.db.begin().await?;
        let head = row(&mut tx, "UPDATE key_head SET version = version + 1 WHERE practice = $1 RETURNING store_key", vec![practice(&INSTALLATION)])
            .await?
            .ok_or_else(|| StoreError::damaged("the key store has no head"))?;
        let old = load(&self.path, &head.id(0, KeyId::from_slice)?)?;
        let new = StoreKey::make();
        let beside = beside(&self.path);
        disk::write_private(&beside, new.expose())?;
        crash::point("erase-new-key-written");
        let mut destroyed = 0;
        for chart in charts {
            destroyed += run(&mut tx, "DELETE FROM key_row WHERE practice = $1 AND chart = $2", bind![owner.as_bytes(), chart.as_bytes()]).await?;
        }
        // Rows keep their sequence, so it also pages through them. Two practices' rows never share one: the head counts for the installation.
        let mut after = -1;
        loop {
            let page = rows(&mut tx, "SELECT practice, kind, chart, name, tag, seq, value FROM key_row WHERE seq > $1 ORDER BY seq LIMIT 500", bind![after]).await?;
            let Some(last) = page.last() else { break };
            after = last.int(5)?;
            for found in &page {
                let sealed = sealed_row(found)?;
                let value = seal(&new, &sealed.place(), &open(&old, &sealed.place(), &sealed.value)?);
                run(&mut tx, "UPDATE key_row SET value = $1 WHERE seq = $2", bind![value, int(sealed.seq)?]).await?;
            }
        }
        let id = new.id();
        run(&mut tx, "UPDATE key_head SET store_key = $2 WHERE practice = $1", bind![INSTALLATION.as_bytes(), id.as_bytes()]).await?;
        // Until here readers open the old rows with the old key; only for the change itself they wait.
        let mut held = self.key.write().await;
        tx.commit().await?;
        crash::point("erase-resealed");
        disk::replace(&beside, &self.path)?;
        *held = new;
        drop(held);
        self.wipe_free_space().await?;
        crash::point("erase-done");
        Ok(destroyed)
    }

    /// The old pages: overwritten already in the file (secure_delete), now also gone from the write-ahead log. What a file system or an SSD keeps of them was
    /// sealed under a key that no longer exists.
    async fn wipe_free_space(&self) -> Result<(), StoreError> {
        let mut conn = self.db.writer().await?;
        match self.db.dialect {
            Dialect::Sqlite => {
                rows(&mut conn, "PRAGMA wal_checkpoint(TRUNCATE)", vec![]).await?;
            }
            Dialect::Postgres => {
                if let Err(error) = conn.execute("VACUUM FULL key_row").await {
                    tracing::warn!(%error, "could not rewrite the key table now; old rows stay in it, sealed under a key that was destroyed");
                }
            }
        }
        Ok(())
    }
}

pub(crate) fn sealed_row(found: &sqlx::any::AnyRow) -> Result<SealedRow, StoreError> {
    let chart = found.blob(2)?;
    Ok(SealedRow {
        practice: found.id(0, PracticeId::from_slice)?,
        kind: found.text(1)?,
        chart: if chart.is_empty() { None } else { Some(ChartId::from_slice(&chart).ok_or_else(|| StoreError::damaged("a chart id in the key store"))?) },
        name: found.blob(3)?,
        tag: found.blob(4)?,
        seq: found.count(5)?,
        value: found.blob(6)?,
    })
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

fn read(path: &Path) -> Result<Option<StoreKey>, StoreError> {
    match std::fs::read(path) {
        Ok(bytes) => {
            let bytes = Zeroizing::new(bytes);
            StoreKey::from_slice(&bytes).map(Some).map_err(|_| StoreError::StoreKey)
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(StoreError::io(format!("reading {}", path.display()), &e)),
    }
}

/// The key that the head names: in its place, or beside it where a renewal was cut short after it was decided.
fn load(path: &Path, id: &KeyId) -> Result<StoreKey, StoreError> {
    let new = beside(path);
    if let Some(key) = read(path)?.filter(|k| k.id() == *id) {
        if new.exists() {
            // A renewal that was cut short before it was decided.
            std::fs::remove_file(&new).map_err(|e| StoreError::io(format!("removing {}", new.display()), &e))?;
        }
        return Ok(key);
    }
    match read(&new) {
        Ok(Some(key)) if key.id() == *id => {
            disk::replace(&new, path)?;
            Ok(key)
        }
        _ => Err(StoreError::StoreKey),
    }
}
