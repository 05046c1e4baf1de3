//! The one writer of a store: gathers waiting operations and commits them in one transaction under the practice's locked head.

use std::collections::{BTreeSet, VecDeque};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use subrosa_crypto::{SigningKey, cbor};
use subrosa_ledger::checkpoint::Checkpoint;
use subrosa_ledger::map::ChartMap;
use subrosa_ledger::tree::Frontier;
use subrosa_model::{ChartId, PracticeId, Timestamp};
use subrosa_protocol::access::{AccessEvent, access_origin, directory_origin, map_key, map_value};
use tokio::sync::{RwLock, mpsc, oneshot};

use crate::change::{Change, Log};
use crate::keys::{KeyRow, KeyStore};
use crate::plan::{Needs, PaceMark, Receipt, Remembered, Snapshot, View, Write};
use crate::project::{Head, Projector};
use crate::sql::{Columns, Database, bind, int, row, rows, run};
use crate::{StoreError, crash, view};

/// Most operations in one transaction.
const BATCH: usize = 64;

/// A plan without its verdict.
pub(crate) struct RawPlan {
    pub(crate) writes: Vec<Write>,
    pub(crate) events: Vec<AccessEvent>,
    pub(crate) pace: Vec<PaceMark>,
    pub(crate) remember: bool,
}

/// What became of an operation.
pub(crate) struct RawDone {
    pub(crate) receipt: Receipt,
    pub(crate) repeated: bool,
}

/// An operation in the queue.
pub(crate) struct Job {
    pub(crate) at: Timestamp,
    pub(crate) needs: Needs,
    pub(crate) decide: Box<dyn Fn(&View) -> RawPlan + Send + Sync>,
    pub(crate) found: Option<PracticeId>,
    pub(crate) answer: oneshot::Sender<Result<RawDone, StoreError>>,
}

/// What readers share with the writer.
pub(crate) struct Shared {
    pub(crate) main: Database,
    pub(crate) keys: KeyStore,
    pub(crate) log_key: SigningKey,
    pub(crate) practice: std::sync::RwLock<Option<PracticeId>>,
    pub(crate) newest: RwLock<Option<Snapshot>>,
    /// Set when the tables were made anew: the writer then reads the map again.
    pub(crate) forget: AtomicBool,
    /// The data directory's lock: held until the writer, too, has ended.
    pub(crate) lock: File,
}

impl Shared {
    pub(crate) fn practice(&self) -> Option<PracticeId> {
        self.practice.read().map_or(None, |p| *p)
    }

    pub(crate) fn set_practice(&self, practice: PracticeId) {
        if let Ok(mut held) = self.practice.write() {
            *held = Some(practice);
        }
    }
}

/// Takes operations until the queue is closed and empty.
pub(crate) async fn run_writer(shared: Arc<Shared>, mut queue: mpsc::Receiver<Job>) {
    let mut state = State { shared, map: ChartMap::new(), map_size: 0 };
    let mut waiting: VecDeque<Job> = VecDeque::new();
    loop {
        if waiting.is_empty() {
            match queue.recv().await {
                Some(job) => waiting.push_back(job),
                None => return,
            }
        }
        while waiting.len() < 4 * BATCH
            && let Ok(job) = queue.try_recv()
        {
            waiting.push_back(job);
        }
        let batch = next_batch(&mut waiting);
        state.carry_out(batch).await;
    }
}

/// The next operations of which no two name the same chart, in the order they came. An operation is never overtaken by another on one of its charts.
fn next_batch(waiting: &mut VecDeque<Job>) -> Vec<Job> {
    let mut taken: BTreeSet<ChartId> = BTreeSet::new();
    let mut batch = Vec::new();
    let mut rest = VecDeque::new();
    while let Some(job) = waiting.pop_front() {
        // A founding stands alone: before it there is no head to lock.
        let alone = job.found.is_some();
        let clash = job.needs.charts.iter().any(|c| taken.contains(c));
        taken.extend(job.needs.charts.iter().copied());
        if clash || batch.len() >= BATCH || (alone && !batch.is_empty()) {
            rest.push_back(job);
        } else {
            batch.push(job);
        }
        if alone {
            break;
        }
    }
    rest.append(waiting);
    *waiting = rest;
    batch
}

/// What was made of one operation inside a batch.
enum Made {
    Done { journal: u64, leaves: Vec<u64>, outcomes: Vec<subrosa_protocol::api::EntryOutcome>, repeated: bool, at: Timestamp },
    Refused(StoreError),
}

struct State {
    shared: Arc<Shared>,
    map: ChartMap,
    /// The map holds every chart's newest leaf below this size.
    map_size: u64,
}

impl State {
    async fn carry_out(&mut self, batch: Vec<Job>) {
        match self.commit(&batch).await {
            Ok((made, snapshot)) => answer(batch, made, snapshot),
            // One operation's failure must not be another's: each is tried alone. If the database is gone, or full, all fail alike.
            Err(error) if batch.len() > 1 && !error.is_temporary() => {
                for job in batch {
                    let alone = [job];
                    let result = self.commit(&alone).await;
                    let [job] = alone;
                    match result {
                        Ok((made, snapshot)) => answer(vec![job], made, snapshot),
                        Err(error) => drop(job.answer.send(Err(error))),
                    }
                }
            }
            Err(error) => batch.into_iter().for_each(|job| drop(job.answer.send(Err(error.clone())))),
        }
    }

    async fn commit(&mut self, batch: &[Job]) -> Result<(Vec<Made>, Option<Snapshot>), StoreError> {
        let shared = Arc::clone(&self.shared);
        let mut tx = shared.main.begin().await?;
        if shared.forget.swap(false, Ordering::AcqRel) {
            self.map = ChartMap::new();
            self.map_size = 0;
        }
        let founding = batch.first().and_then(|j| j.found);
        let mut head = match founding {
            Some(practice) => {
                let taken = row(&mut tx, "SELECT practice FROM head LIMIT 1", vec![]).await?;
                let head = Head::new(practice);
                if taken.is_some() || !head.insert(&mut tx).await? {
                    return Err(StoreError::AlreadyFounded);
                }
                head
            }
            None => {
                let practice = match shared.practice() {
                    Some(practice) => practice,
                    None => find_practice(&mut tx).await?.ok_or(StoreError::NotFounded)?,
                };
                shared.set_practice(practice);
                Head::lock(&mut tx, &practice).await?.ok_or(StoreError::NotFounded)?
            }
        };
        self.catch_up(&mut tx, &head).await?;
        head.map = self.map.clone();
        let before = (head.access.size(), head.directory.size(), head.journal);

        let mut key_rows = Vec::new();
        let mut made = Vec::with_capacity(batch.len());
        let mut remembered = founding.is_some();
        for job in batch {
            made.push(operate(&mut tx, &mut head, job, &mut key_rows, &mut remembered).await?);
        }
        let at = batch.iter().map(|j| j.at).max().unwrap_or_default();
        let mut snapshot = None;
        let mut projector = Projector { conn: &mut tx, head: &mut head };
        if projector.head.access.size() > before.0 {
            projector.map_root(at).await?;
            let note = sign(&shared.log_key, &access_origin(&projector.head.practice), &projector.head.access)?;
            let size = projector.head.access.size();
            projector.append(at, None, &Change::Checkpoint { log: Log::Access, size, note: note.clone() }).await?;
            snapshot = Some(Snapshot { size, root: projector.head.access.root(), note, map: projector.head.map.clone() });
        }
        if projector.head.directory.size() > before.1 {
            let note = sign(&shared.log_key, &directory_origin(&projector.head.practice), &projector.head.directory)?;
            let size = projector.head.directory.size();
            projector.append(at, None, &Change::Checkpoint { log: Log::Directory, size, note }).await?;
        }
        if head.journal > before.2 || remembered {
            head.save(&mut tx).await?;
            crash::point("commit-before-keys");
            // The keys first: a key without its record is harmless, a record without its key is a loss.
            shared.keys.put(&head.practice, &key_rows).await?;
            crash::point("commit-before");
            tx.commit().await?;
            crash::point("commit-after");
        } else {
            tx.rollback().await?;
        }
        shared.set_practice(head.practice);
        if snapshot.is_none() && head.access.size() > 0 {
            snapshot = self.newest(&head).await?;
        }
        self.map_size = head.access.size();
        self.map = head.map;
        if let Some(snapshot) = &snapshot {
            *shared.newest.write().await = Some(snapshot.clone());
        }
        Ok((made, snapshot))
    }

    /// Takes in what other servers (or an earlier process) appended.
    async fn catch_up(&mut self, conn: &mut sqlx::AnyConnection, head: &Head) -> Result<(), StoreError> {
        let size = head.access.size();
        if size < self.map_size {
            // Somebody put an older database in place while this process ran.
            return Err(StoreError::damaged("the ledger became shorter"));
        }
        if size > self.map_size {
            let news = rows(conn, "SELECT chart, hash, count FROM chart_head WHERE practice = $1 AND idx >= $2", bind![head.practice.as_bytes(), int(self.map_size)?]).await?;
            for found in news {
                let chart = found.id(0, ChartId::from_slice)?;
                self.map.insert(map_key(&head.practice, &chart), map_value(&found.hash(1)?, found.count(2)?));
            }
            self.map_size = size;
        }
        Ok(())
    }

    /// The newest checkpoint with its map, when nothing was appended now.
    async fn newest(&self, head: &Head) -> Result<Option<Snapshot>, StoreError> {
        if let Some(held) = self.shared.newest.read().await.as_ref()
            && held.size == head.access.size()
        {
            return Ok(Some(held.clone()));
        }
        let mut conn = self.shared.main.reader().await?;
        let found = row(
            &mut conn,
            "SELECT j.body FROM log_checkpoint c JOIN journal j ON j.practice = c.practice AND j.seq = c.seq WHERE c.practice = $1 AND c.log = $2 AND c.size = $3",
            bind![head.practice.as_bytes(), Log::Access.number(), int(head.access.size())?],
        )
        .await?
        .ok_or_else(|| StoreError::damaged("the newest checkpoint is missing"))?;
        let Change::Checkpoint { note, .. } = Change::decode(&found.blob(0)?)? else {
            return Err(StoreError::damaged("a checkpoint points to another record"));
        };
        Ok(Some(Snapshot { size: head.access.size(), root: head.access.root(), note, map: head.map.clone() }))
    }
}

fn sign(key: &SigningKey, origin: &str, edge: &Frontier) -> Result<String, StoreError> {
    Ok(Checkpoint { origin: origin.parse()?, size: edge.size(), root: edge.root() }.sign(key).to_string())
}

pub(crate) async fn find_practice(conn: &mut sqlx::AnyConnection) -> Result<Option<PracticeId>, StoreError> {
    let found = rows(conn, "SELECT practice FROM head LIMIT 2", vec![]).await?;
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.id(0, PracticeId::from_slice)?)),
        _ => Err(StoreError::Misuse("this database holds several practices")),
    }
}

/// One operation: read, decide, check, and only then write.
async fn operate(conn: &mut sqlx::AnyConnection, head: &mut Head, job: &Job, key_rows: &mut Vec<KeyRow>, remembered: &mut bool) -> Result<Made, StoreError> {
    if let Some(key) = &job.needs.idempotency {
        let found = row(conn, "SELECT body FROM outcome WHERE practice = $1 AND request = $2", bind![head.practice.as_bytes(), *key]).await?;
        if let Some(found) = found {
            let held: Remembered = cbor::decode(&found.blob(0)?)?;
            return Ok(Made::Done { journal: held.journal, leaves: held.leaves, outcomes: held.outcomes, repeated: true, at: held.at });
        }
    }
    let view = view::load(conn, head, &job.needs).await?;
    // A caller's mistake must not end the writer that all others wait for.
    let Ok(plan) = catch_unwind(AssertUnwindSafe(|| (job.decide)(&view))) else {
        return Ok(Made::Refused(StoreError::Misuse("a decision panicked")));
    };
    let checked = match view::check(conn, head, &job.needs, &view, plan.writes, &plan.events).await {
        Ok(checked) => checked,
        Err(error @ (StoreError::Database(_) | StoreError::Unavailable(_) | StoreError::Full | StoreError::Damaged(_))) => return Err(error),
        Err(error) => return Ok(Made::Refused(error)),
    };
    let marks: Vec<(ChartId, bool)> = plan.pace.iter().map(|m| (m.chart, m.foreign)).collect();
    let pace = match (marks.is_empty(), job.needs.member) {
        (true, _) => None,
        (false, Some(member)) => Some(Change::Pace { member, review: job.needs.review, marks }),
        (false, None) => return Ok(Made::Refused(StoreError::Misuse("pace without a member"))),
    };
    let mut outcomes = Vec::new();
    for (chart, change) in &checked.records {
        if let Change::Entry { blob } = change
            && row(conn, "SELECT seq FROM entry WHERE practice = $1 AND hash = $2", bind![head.practice.as_bytes(), blob.hash()]).await?.is_some()
        {
            outcomes.push(subrosa_protocol::api::EntryOutcome::Known);
            continue;
        }
        outcomes.extend(Projector { conn: &mut *conn, head: &mut *head }.append(job.at, *chart, change).await?);
    }
    let mut leaves = Vec::with_capacity(plan.events.len());
    for event in &plan.events {
        leaves.push(Projector { conn: &mut *conn, head: &mut *head }.event(job.at, event).await?);
    }
    if let Some(pace) = pace {
        Projector { conn: &mut *conn, head: &mut *head }.append(job.at, None, &pace).await?;
    }
    if let (true, Some(key)) = (plan.remember, &job.needs.idempotency) {
        let held = Remembered { journal: head.journal, at: job.at, leaves: leaves.clone(), outcomes: outcomes.clone() };
        run(conn, "INSERT INTO outcome (practice, request, at, body) VALUES ($1, $2, $3, $4)", bind![head.practice.as_bytes(), *key, job.at.0, cbor::encode(&held)]).await?;
        *remembered = true;
    }
    key_rows.extend(checked.key_rows);
    Ok(Made::Done { journal: head.journal, leaves, outcomes, repeated: false, at: job.at })
}

fn answer(batch: Vec<Job>, made: Vec<Made>, snapshot: Option<Snapshot>) {
    for (job, made) in batch.into_iter().zip(made) {
        let result = match made {
            Made::Done { journal, leaves, outcomes, repeated, at } => {
                Ok(RawDone { receipt: Receipt { journal, at, leaves, outcomes, snapshot: snapshot.clone() }, repeated })
            }
            Made::Refused(error) => Err(error),
        };
        // The asker may have gone; what was committed stays.
        drop(job.answer.send(result));
    }
}
