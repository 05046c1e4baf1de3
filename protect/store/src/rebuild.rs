//! The tables drawn from the journal, made again.

use std::sync::atomic::Ordering;

use sqlx::{AnyConnection, AssertSqlSafe};
use subrosa_model::{ChartId, PracticeId, Timestamp};

use crate::backup::JournalRecord;
use crate::change::Change;
use crate::project::{Head, Projector};
use crate::schema::PROJECTIONS;
use crate::sql::{Columns, bind, int, rows, run};
use crate::{Store, StoreError};

/// Journal records read at a time.
pub(crate) const PAGE: i64 = 500;

pub(crate) async fn journal_page(conn: &mut AnyConnection, practice: &PracticeId, after: u64, limit: i64) -> Result<Vec<JournalRecord>, StoreError> {
    let found = rows(
        conn,
        "SELECT seq, kind, at, chart, body FROM journal WHERE practice = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        bind![practice.as_bytes(), int(after)?, limit],
    )
    .await?;
    found
        .iter()
        .map(|r| {
            let chart = r.maybe_blob(3)?.map(|c| ChartId::from_slice(&c).ok_or_else(|| StoreError::damaged("a journal record's chart"))).transpose()?;
            Ok(JournalRecord { seq: r.count(0)?, kind: r.text(1)?, at: Timestamp(r.int(2)?), chart, body: r.blob(4)?.into() })
        })
        .collect()
}

impl Store {
    /// Makes every table that is drawn from the journal again, in one transaction. How many records there were.
    ///
    /// # Errors
    /// `damaged` when the journal has a gap or a record that cannot be read; the tables stay as they were.
    pub async fn rebuild(&self) -> Result<u64, StoreError> {
        let practice = self.founded()?;
        let mut tx = self.shared.main.begin().await?;
        let last = Head::lock(&mut tx, &practice).await?.ok_or(StoreError::NotFounded)?.journal;
        for table in PROJECTIONS {
            run(&mut tx, AssertSqlSafe(format!("DELETE FROM {table} WHERE practice = $1")), bind![practice.as_bytes()]).await?;
        }
        let mut head = Head::new(practice);
        loop {
            let page = journal_page(&mut tx, &practice, head.journal, PAGE).await?;
            if page.is_empty() {
                break;
            }
            for record in page {
                if record.seq != head.journal + 1 {
                    return Err(StoreError::damaged(format!("the journal lacks record {}", head.journal + 1)));
                }
                let change = Change::decode(&record.body)?;
                Projector { conn: &mut tx, head: &mut head }.project(record.seq, record.at, record.chart, &change).await?;
                head.journal = record.seq;
            }
        }
        if head.journal != last {
            return Err(StoreError::damaged("the journal is shorter than its head says"));
        }
        head.save(&mut tx).await?;
        tx.commit().await?;
        self.shared.forget.store(true, Ordering::Release);
        *self.shared.newest.write().await = None;
        Ok(last)
    }
}
