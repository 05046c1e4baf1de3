//! The tables, as forward-only numbered steps. `{blob}` and `{int}` become each database's own word.

mod keys;
mod main;

use std::path::Path;

pub(crate) use main::PROJECTIONS;
use sqlx::{AssertSqlSafe, Executor};

use crate::StoreError;
use crate::sql::{Columns, Database, Dialect, bind, row, run};

/// One of the two databases.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    /// Its name, also of its version row.
    pub(crate) name: &'static str,
    steps: &'static [&'static str],
}

/// Journal and projections.
pub(crate) const MAIN: Part = Part { name: "main", steps: main::STEPS };
/// Wraps, seals, shares.
pub(crate) const KEYS: Part = Part { name: "keys", steps: keys::STEPS };

/// Any number, so that two servers which start together do not both migrate.
const ADVISORY_LOCK: &str = "SELECT pg_advisory_xact_lock(782377201)";

/// Brings a database to the newest version known here; refuses one that is newer. A SQLite file that holds data is copied beside itself first.
pub(crate) async fn migrate(db: &Database, part: Part, file: Option<&Path>) -> Result<(), StoreError> {
    let known = part.steps.len() as i64;
    let found = version(db, part).await?;
    if found > known {
        return Err(StoreError::NewerSchema { part: part.name, found, known });
    }
    if found == known {
        return Ok(());
    }
    if let (Some(file), true) = (file, found > 0) {
        let copy = file.with_extension(format!("v{found}.db"));
        if !copy.exists() {
            let text = copy.to_string_lossy().replace('\'', "''");
            let mut conn = db.writer().await?;
            conn.execute(AssertSqlSafe(format!("VACUUM INTO '{text}'"))).await?;
            std::fs::File::open(&copy).and_then(|f| f.sync_all()).map_err(|e| StoreError::io(format!("writing {}", copy.display()), &e))?;
        }
    }
    let mut tx = db.begin().await?;
    if db.dialect == Dialect::Postgres {
        tx.execute(ADVISORY_LOCK).await?;
    }
    tx.execute("CREATE TABLE IF NOT EXISTS store_schema (part TEXT NOT NULL PRIMARY KEY, version BIGINT NOT NULL)").await?;
    let found = row(&mut tx, "SELECT version FROM store_schema WHERE part = $1", bind![part.name]).await?.map(|r| r.int(0)).transpose()?.unwrap_or(0);
    let (blob, int) = match db.dialect {
        Dialect::Sqlite => ("BLOB", "INTEGER"),
        Dialect::Postgres => ("BYTEA", "BIGINT"),
    };
    for step in part.steps.iter().skip(usize::try_from(found).unwrap_or(usize::MAX)) {
        for statement in step.split(';').map(str::trim).filter(|s| !s.is_empty()) {
            tx.execute(AssertSqlSafe(statement.replace("{blob}", blob).replace("{int}", int))).await?;
        }
    }
    run(&mut tx, "INSERT INTO store_schema (part, version) VALUES ($1, $2) ON CONFLICT (part) DO UPDATE SET version = excluded.version", bind![part.name, known]).await?;
    crate::crash::point("migrate-before-commit");
    tx.commit().await?;
    Ok(())
}

async fn version(db: &Database, part: Part) -> Result<i64, StoreError> {
    let mut conn = db.reader().await?;
    let exists = match db.dialect {
        Dialect::Sqlite => "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'store_schema'",
        Dialect::Postgres => "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'store_schema'",
    };
    let there = row(&mut conn, exists, vec![]).await?.map(|r| r.int(0)).transpose()?.unwrap_or(0);
    if there == 0 {
        return Ok(0);
    }
    let found = row(&mut conn, "SELECT version FROM store_schema WHERE part = $1", bind![part.name]).await?;
    found.map_or(Ok(0), |r| r.int(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_later_step_keeps_the_data_and_leaves_a_copy_of_the_file_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("it's main.db");
        let db = Database::sqlite(&file, None).await.unwrap();
        const STEPS: &[&str] = &["CREATE TABLE a (x {int} NOT NULL); CREATE TABLE b (y {blob})", "ALTER TABLE a ADD COLUMN z {int} NOT NULL DEFAULT 5"];
        let (first, second) = (Part { name: "main", steps: &STEPS[..1] }, Part { name: "main", steps: STEPS });
        migrate(&db, first, Some(&file)).await.unwrap();
        run(&mut db.writer().await.unwrap(), "INSERT INTO a (x) VALUES (7)", vec![]).await.unwrap();
        migrate(&db, second, Some(&file)).await.unwrap();
        migrate(&db, second, Some(&file)).await.unwrap();
        let found = row(&mut db.reader().await.unwrap(), "SELECT x, z FROM a", vec![]).await.unwrap().unwrap();
        assert_eq!((found.int(0).unwrap(), found.int(1).unwrap()), (7, 5));
        let copy = Database::sqlite(&dir.path().join("it's main.v1.db"), None).await.unwrap();
        let found = row(&mut copy.reader().await.unwrap(), "SELECT x FROM a", vec![]).await.unwrap().unwrap();
        assert_eq!(found.int(0).unwrap(), 7);
        assert!(matches!(migrate(&db, first, None).await, Err(StoreError::NewerSchema { found: 2, known: 1, .. })));
        db.close().await;
        copy.close().await;
    }
}
