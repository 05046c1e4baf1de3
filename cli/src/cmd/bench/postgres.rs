//! Two empty schemas of a PostgreSQL that the caller offers in `SUBROSA_TEST_POSTGRES`.

use sqlx::{AssertSqlSafe, Connection, Executor};
use subrosa_crypto::random;

use super::At;
use crate::out::Failure;

/// Addresses of the main database and of the key store.
#[derive(Clone)]
pub struct Urls {
    pub main: String,
    pub keys: String,
}

impl Urls {
    /// New ones; none where no PostgreSQL is offered.
    pub async fn make() -> Result<Option<Self>, Failure> {
        let Ok(base) = std::env::var("SUBROSA_TEST_POSTGRES") else { return Ok(None) };
        sqlx::any::install_default_drivers();
        let mut conn = sqlx::AnyConnection::connect(&base).await.at("PostgreSQL")?;
        let tag = u64::from_le_bytes(random::make_bytes());
        let mark = if base.contains('?') { '&' } else { '?' };
        let url = |part: &str| format!("{base}{mark}options=-c%20search_path%3Dbench{tag:x}_{part}");
        for part in ["main", "keys"] {
            conn.execute(AssertSqlSafe(format!("CREATE SCHEMA bench{tag:x}_{part}"))).await.at("PostgreSQL")?;
        }
        conn.close().await.at("PostgreSQL")?;
        Ok(Some(Urls { main: url("main"), keys: url("keys") }))
    }
}
