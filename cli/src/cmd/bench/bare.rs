//! What the store is held against: one table, one insert for each request, group-committed with the same durability. (Or several inserts for each request, to see what
//! the number of statements alone costs.)

use std::sync::Arc;

use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, Row};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::At;
use crate::out::Failure;

/// Most inserts in one transaction; the store's own bound.
const BATCH: usize = 64;

type Job = (Vec<u8>, oneshot::Sender<bool>);

/// A table and its one writer.
pub struct Bare {
    queue: mpsc::Sender<Job>,
    writer: Mutex<Option<JoinHandle<Result<(), sqlx::Error>>>>,
}

impl Bare {
    /// At a `sqlite://…` or `postgres://…` address, with `each` rows for a request; the table is made.
    pub async fn open(url: &str, each: usize) -> Result<Arc<Self>, Failure> {
        sqlx::any::install_default_drivers();
        let mut conn = AnyConnection::connect(url).await.at("opening the comparison")?;
        if url.starts_with("sqlite:") {
            for pragma in ["PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL"] {
                conn.execute(pragma).await.at("opening the comparison")?;
            }
            let full: i64 = conn.fetch_one("PRAGMA synchronous").await.and_then(|r| r.try_get(0)).at("opening the comparison")?;
            if full != 2 {
                return Err(Failure::failed("bench", "The comparison does not commit durably."));
            }
            conn.execute(AssertSqlSafe(format!("CREATE TABLE bare{each} (seq INTEGER PRIMARY KEY, body BLOB NOT NULL)"))).await.at("opening the comparison")?;
        } else {
            conn.execute(AssertSqlSafe(format!("CREATE TABLE bare{each} (seq BIGINT PRIMARY KEY, body BYTEA NOT NULL)"))).await.at("opening the comparison")?;
        }
        let (queue, jobs) = mpsc::channel(1024);
        let writer = tokio::spawn(write(conn, jobs, each));
        Ok(Arc::new(Bare { queue, writer: Mutex::new(Some(writer)) }))
    }

    /// Returns once `body` is durable.
    pub async fn insert(&self, body: Vec<u8>) -> Result<(), Failure> {
        let (answer, done) = oneshot::channel();
        let sent = self.queue.send((body, answer)).await.is_ok();
        if sent && done.await == Ok(true) {
            return Ok(());
        }
        let writer = self.writer.lock().await.take();
        let reason = match writer {
            Some(writer) => writer.await.map_or_else(|e| e.to_string(), |r| r.err().map_or_else(String::new, |e| e.to_string())),
            None => "its writer has ended".to_owned(),
        };
        Err(Failure::failed("bench", format!("The comparison could not insert: {reason}")))
    }
}

async fn write(mut conn: AnyConnection, mut jobs: mpsc::Receiver<Job>, each: usize) -> Result<(), sqlx::Error> {
    let insert = format!("INSERT INTO bare{each} (seq, body) VALUES ($1, $2)");
    let mut seq: i64 = 0;
    while let Some(first) = jobs.recv().await {
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Ok(job) = jobs.try_recv()
        {
            batch.push(job);
        }
        let mut tx = conn.begin().await?;
        let mut answers = Vec::with_capacity(batch.len());
        for (body, answer) in batch {
            for _ in 0..each {
                seq += 1;
                sqlx::query(AssertSqlSafe(insert.clone())).bind(seq).bind(body.clone()).execute(&mut *tx).await?;
            }
            answers.push(answer);
        }
        tx.commit().await?;
        for answer in answers {
            // Whoever asked may have gone; what was committed stays.
            let _ = answer.send(true);
        }
    }
    Ok(())
}
