//! What a thief gets out of the key store with the store key, which lies in the same data directory: everything that the server could unseal, unsealed.

use std::fs;
use std::path::Path;

use serde::Serialize;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection as _, Row as _};
use subrosa_crypto::{Context, StoreKey, open};
use subrosa_model::{Bytes, ChartId, PracticeId};

use crate::drill::DrillError;

/// Where a row lies, as the store seals it.
#[derive(Serialize)]
struct Place {
    practice: PracticeId,
    kind: String,
    chart: Option<ChartId>,
    name: Bytes,
}

impl Context for Place {
    const NAMESPACE: &'static str = "key-row";
}

/// Unseals every row of the key store under `data` into one file at `to`. Gives how many rows there were, all of which must have opened.
///
/// # Errors
/// [`DrillError::Control`] when a row does not open: then the drill no longer knows how the store seals, and would search nothing.
pub async fn unseal(data: &Path, to: &Path) -> Result<usize, DrillError> {
    let wrong = |e: sqlx::Error| DrillError::Control(format!("the stolen key store cannot be read: {e}"));
    let odd = || DrillError::Control("a row of the stolen key store does not open with its store key".into());
    let file = fs::read(data.join("store.key"))?;
    let key = StoreKey::from_bytes(file.as_slice().try_into().map_err(|_| odd())?);
    let mut db = SqliteConnectOptions::new().filename(data.join("keys.db")).connect().await.map_err(wrong)?;
    let rows = sqlx::query("SELECT practice, kind, chart, name, value FROM key_row").fetch_all(&mut db).await.map_err(wrong)?;
    let mut out = Vec::new();
    for row in &rows {
        let bytes = |column| row.try_get::<Vec<u8>, _>(column).map_err(wrong);
        let chart = bytes("chart")?;
        let place = Place {
            practice: PracticeId::from_slice(&bytes("practice")?).ok_or_else(odd)?,
            kind: row.try_get("kind").map_err(wrong)?,
            chart: if chart.is_empty() { None } else { Some(ChartId::from_slice(&chart).ok_or_else(odd)?) },
            name: bytes("name")?.into(),
        };
        out.extend_from_slice(&open(&key, &place, &bytes("value")?).map_err(|_| odd())?);
    }
    db.close().await.map_err(wrong)?;
    fs::write(to, out)?;
    if rows.is_empty() { Err(DrillError::Control("the stolen key store is empty".into())) } else { Ok(rows.len()) }
}
