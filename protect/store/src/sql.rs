//! The little that both databases need: bound values, rows by position, lists of placeholders, connections with safe settings.

use std::time::Duration;

use sqlx::any::{AnyArguments, AnyPoolOptions, AnyRow};
use sqlx::{Any, AnyConnection, AnyPool, AssertSqlSafe, Executor, Row, SqlSafeStr};
use subrosa_model::{Hash32, PracticeId};

use crate::StoreError;

/// A value to bind.
#[derive(Clone)]
pub(crate) enum Value {
    Int(i64),
    Blob(Vec<u8>),
    Text(String),
    NoInt,
    NoBlob,
}

macro_rules! from {
    ($($type:ty => |$v:ident| $value:expr),+ $(,)?) => { $(impl From<$type> for Value { fn from($v: $type) -> Self { $value } })+ };
}
from! {
    i64 => |v| Value::Int(v),
    bool => |v| Value::Int(i64::from(v)),
    &str => |v| Value::Text(v.to_owned()),
    String => |v| Value::Text(v),
    Vec<u8> => |v| Value::Blob(v),
    &[u8] => |v| Value::Blob(v.to_vec()),
    &[u8; 16] => |v| Value::Blob(v.to_vec()),
    &[u8; 32] => |v| Value::Blob(v.to_vec()),
    Hash32 => |v| Value::Blob(v.0.to_vec()),
    Option<i64> => |v| v.map_or(Value::NoInt, Value::Int),
    Option<Vec<u8>> => |v| v.map_or(Value::NoBlob, Value::Blob),
}

/// A list of values to bind.
macro_rules! bind {
    ($($v:expr),* $(,)?) => { vec![$($crate::sql::Value::from($v)),*] };
}
pub(crate) use bind;

/// A count or position as a column's number.
pub(crate) fn int(n: u64) -> Result<i64, StoreError> {
    i64::try_from(n).map_err(|_| StoreError::TooLarge("a position"))
}

fn query(sql: impl SqlSafeStr, values: Vec<Value>) -> sqlx::query::Query<'static, Any, AnyArguments> {
    let mut query = sqlx::query(sql);
    for value in values {
        query = match value {
            Value::Int(v) => query.bind(v),
            Value::Blob(v) => query.bind(v),
            Value::Text(v) => query.bind(v),
            Value::NoInt => query.bind(None::<i64>),
            Value::NoBlob => query.bind(None::<Vec<u8>>),
        };
    }
    query
}

/// Runs a statement; how many rows it changed.
pub(crate) async fn run(conn: &mut AnyConnection, sql: impl SqlSafeStr, values: Vec<Value>) -> Result<u64, StoreError> {
    Ok(query(sql, values).execute(conn).await?.rows_affected())
}

/// All rows.
pub(crate) async fn rows(conn: &mut AnyConnection, sql: impl SqlSafeStr, values: Vec<Value>) -> Result<Vec<AnyRow>, StoreError> {
    Ok(query(sql, values).fetch_all(conn).await?)
}

/// The first row, if any.
pub(crate) async fn row(conn: &mut AnyConnection, sql: impl SqlSafeStr, values: Vec<Value>) -> Result<Option<AnyRow>, StoreError> {
    Ok(query(sql, values).fetch_optional(conn).await?)
}

/// `sql` with `{list}` replaced by `$n, $n+1, …` for as many values as follow the ones already bound. Only ever called with texts of this crate.
pub(crate) fn listed(sql: &'static str, bound: usize, count: usize) -> AssertSqlSafe<String> {
    let list: Vec<String> = (0..count).map(|i| format!("${}", bound + i + 1)).collect();
    AssertSqlSafe(sql.replace("{list}", &list.join(", ")))
}

/// How many values go into one list.
pub(crate) const CHUNK: usize = 400;

/// Columns by position.
pub(crate) trait Columns {
    fn int(&self, i: usize) -> Result<i64, StoreError>;
    fn maybe_int(&self, i: usize) -> Result<Option<i64>, StoreError>;
    fn count(&self, i: usize) -> Result<u64, StoreError> {
        u64::try_from(self.int(i)?).map_err(|_| StoreError::damaged("a negative position"))
    }
    fn blob(&self, i: usize) -> Result<Vec<u8>, StoreError>;
    fn maybe_blob(&self, i: usize) -> Result<Option<Vec<u8>>, StoreError>;
    fn text(&self, i: usize) -> Result<String, StoreError>;
    fn hash(&self, i: usize) -> Result<Hash32, StoreError> {
        Hash32::from_slice(&self.blob(i)?).ok_or_else(|| StoreError::damaged("a hash of the wrong length"))
    }
    fn id<T>(&self, i: usize, from: impl Fn(&[u8]) -> Option<T>) -> Result<T, StoreError> {
        from(&self.blob(i)?).ok_or_else(|| StoreError::damaged("an id of the wrong length"))
    }
    fn flag(&self, i: usize) -> Result<bool, StoreError> {
        Ok(self.int(i)? != 0)
    }
}

impl Columns for AnyRow {
    fn int(&self, i: usize) -> Result<i64, StoreError> {
        Ok(self.try_get(i)?)
    }
    fn maybe_int(&self, i: usize) -> Result<Option<i64>, StoreError> {
        Ok(self.try_get(i)?)
    }
    fn blob(&self, i: usize) -> Result<Vec<u8>, StoreError> {
        Ok(self.try_get(i)?)
    }
    fn maybe_blob(&self, i: usize) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.try_get(i)?)
    }
    fn text(&self, i: usize) -> Result<String, StoreError> {
        Ok(self.try_get(i)?)
    }
}

/// Which database a pool speaks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// One database: a pool to read from, and one to write through (a single connection for SQLite, which has one writer).
#[derive(Clone)]
pub(crate) struct Database {
    pub(crate) dialect: Dialect,
    pub(crate) read: AnyPool,
    pub(crate) write: AnyPool,
}

impl Database {
    /// Opens a SQLite file with settings under which what was acknowledged survives a power cut.
    pub(crate) async fn sqlite(path: &std::path::Path, max_pages: Option<u64>) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let text = path.to_str().ok_or_else(|| StoreError::Io { what: format!("opening {}", path.display()), why: "the path is not UTF-8".to_owned() })?;
        let url = format!("sqlite://{}?mode=rwc", escape(text));
        let pool = |connections: u32| {
            let url = url.clone();
            async move {
                AnyPoolOptions::new()
                    .max_connections(connections)
                    .acquire_timeout(Duration::from_secs(30))
                    .after_connect(move |conn, _| Box::pin(async move { set_sqlite(conn, max_pages).await }))
                    .connect(&url)
                    .await
            }
        };
        let write = pool(1).await?;
        let read = pool(4).await?;
        check_sqlite(&write).await?;
        Ok(Database { dialect: Dialect::Sqlite, read, write })
    }

    /// Connects to PostgreSQL.
    pub(crate) async fn postgres(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let pool = AnyPoolOptions::new()
            .max_connections(8)
            .acquire_timeout(Duration::from_secs(30))
            .after_connect(|conn, _| Box::pin(async move { conn.execute("SET synchronous_commit TO on").await.map(|_| ()) }))
            .connect(url)
            .await?;
        let mut conn = pool.acquire().await?;
        for setting in ["SHOW fsync", "SHOW full_page_writes"] {
            let on = row(&mut conn, setting, vec![]).await?.map(|r| r.text(0)).transpose()?;
            if on.as_deref() != Some("on") {
                return Err(StoreError::Unsafe(setting.trim_start_matches("SHOW ").to_owned()));
            }
        }
        drop(conn);
        Ok(Database { dialect: Dialect::Postgres, read: pool.clone(), write: pool })
    }

    /// Begins a transaction that will write.
    pub(crate) async fn begin(&self) -> Result<sqlx::Transaction<'static, Any>, StoreError> {
        Ok(match self.dialect {
            Dialect::Sqlite => self.write.begin_with("BEGIN IMMEDIATE").await?,
            Dialect::Postgres => self.write.begin().await?,
        })
    }

    /// A connection to read from.
    pub(crate) async fn reader(&self) -> Result<sqlx::pool::PoolConnection<Any>, StoreError> {
        Ok(self.read.acquire().await?)
    }

    /// A connection for one statement that writes.
    pub(crate) async fn writer(&self) -> Result<sqlx::pool::PoolConnection<Any>, StoreError> {
        Ok(self.write.acquire().await?)
    }

    pub(crate) async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

fn escape(path: &str) -> String {
    path.bytes().fold(String::with_capacity(path.len()), |mut out, b| {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => out.push(char::from(b)),
            other => out.push_str(&format!("%{other:02X}")),
        }
        out
    })
}

async fn set_sqlite(conn: &mut AnyConnection, max_pages: Option<u64>) -> Result<(), sqlx::Error> {
    conn.execute("PRAGMA busy_timeout = 10000").await?;
    conn.execute("PRAGMA journal_mode = WAL").await?;
    conn.execute("PRAGMA synchronous = FULL").await?;
    conn.execute("PRAGMA secure_delete = ON").await?;
    conn.execute("PRAGMA foreign_keys = ON").await?;
    conn.execute("PRAGMA trusted_schema = OFF").await?;
    if let Some(pages) = max_pages {
        conn.execute(AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"))).await?;
    }
    Ok(())
}

/// A setting that was not taken is worse than one that was not made: each is read back.
async fn check_sqlite(pool: &AnyPool) -> Result<(), StoreError> {
    let mut conn = pool.acquire().await?;
    let mode = row(&mut conn, "PRAGMA journal_mode", vec![]).await?.map(|r| r.text(0)).transpose()?;
    if mode.as_deref() != Some("wal") {
        return Err(StoreError::Unsafe("journal_mode".to_owned()));
    }
    for (pragma, expected) in [("PRAGMA synchronous", 2), ("PRAGMA secure_delete", 1), ("PRAGMA foreign_keys", 1)] {
        let found = row(&mut conn, pragma, vec![]).await?.map(|r| r.int(0)).transpose()?;
        if found != Some(expected) {
            return Err(StoreError::Unsafe(pragma.trim_start_matches("PRAGMA ").to_owned()));
        }
    }
    Ok(())
}

/// A practice's id as a bound value.
pub(crate) fn practice(id: &PracticeId) -> Value {
    Value::Blob(id.0.to_vec())
}
