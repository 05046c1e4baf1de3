//! Does everything that is stored agree with itself? Read in one consistent view, so it may run while others write.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AnyConnection, Executor};
use subrosa_ledger::checkpoint::Checkpoint;
use subrosa_ledger::map::ChartMap;
use subrosa_ledger::tree::{Frontier, leaf_hash};
use subrosa_model::{ChartId, Hash32, PracticeId};
use subrosa_protocol::access::{Leaf, map_key, map_value};

use crate::change::{Change, Log};
use crate::project::edge;
use crate::proofs::opened_leaf;
use crate::rebuild::{PAGE, journal_page};
use crate::sql::{Columns, Dialect, bind, int, row, rows};
use crate::{Store, StoreError};

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Journal records.
    pub journal: u64,
    /// Leaves of the access ledger.
    pub leaves: u64,
    /// Directory statements.
    pub directory: u64,
    /// Charts that have a leaf.
    pub charts: u64,
    /// Wraps, seals and halves that the journal names and the key store lacks. Also among the problems.
    pub keys_missing: u64,
    /// What does not agree, in words. Empty when all is well.
    pub problems: Vec<String>,
}

/// The journal replayed in memory.
struct Replay {
    report: VerifyReport,
    access: Frontier,
    directory: Frontier,
    map: ChartMap,
    heads: BTreeMap<ChartId, (u64, Hash32, u64)>,
}

impl Store {
    /// Checks that the journal has no gap, every leaf fits its event and its chart's chain, every map root and checkpoint is the one of its moment, and that the tables and
    /// edges are what the journal says.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`; what is wrong with the data is in the report.
    pub async fn verify(&self) -> Result<VerifyReport, StoreError> {
        let practice = self.founded()?;
        let mut tx = self.shared.main.read.begin().await?;
        if self.shared.main.dialect == Dialect::Postgres {
            tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").await?;
        }
        let mut replay =
            Replay { report: VerifyReport::default(), access: Frontier::new(), directory: Frontier::new(), map: ChartMap::new(), heads: BTreeMap::new() };
        let mut after = 0;
        loop {
            let page = journal_page(&mut tx, &practice, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            let next = last.seq;
            for record in &page {
                replay.report.journal += 1;
                if record.seq != replay.report.journal {
                    replay.report.problems.push(format!("the journal lacks record {}", replay.report.journal));
                    replay.report.journal = record.seq;
                }
                match Change::decode(&record.body) {
                    Ok(change) if change.kind() == record.kind => replay.take(&practice, record.seq, record.chart, &change, &record.body),
                    Ok(_) => replay.report.problems.push(format!("journal record {}: its kind is another", record.seq)),
                    Err(error) => replay.report.problems.push(format!("journal record {}: {error}", record.seq)),
                }
            }
            after = next;
        }
        replay.report.leaves = replay.access.size();
        replay.report.directory = replay.directory.size();
        replay.report.charts = replay.heads.len() as u64;
        replay.compare(&mut tx, &practice).await?;
        tx.rollback().await?;
        self.compare_keys(&practice, &mut replay.report).await?;
        Ok(replay.report)
    }
}

impl Store {
    /// Every key row that the journal names is there. Names first, rows second: a row is stored before it is named.
    async fn compare_keys(&self, practice: &PracticeId, report: &mut VerifyReport) -> Result<(), StoreError> {
        let mut missing = self.key_names(practice).await?;
        let stored = self.shared.keys.hashes(practice).await?;
        missing.retain(|hash| !stored.contains(hash));
        if !missing.is_empty() {
            // An erasure may have come in between: what it destroyed is not named any more.
            let still = self.key_names(practice).await?;
            missing.retain(|hash| still.contains(hash));
        }
        report.keys_missing = missing.len() as u64;
        if !missing.is_empty() {
            report.problems.push(format!("{} wraps, seals or halves that the journal names are not in the key store", missing.len()));
        }
        Ok(())
    }

    async fn key_names(&self, practice: &PracticeId) -> Result<BTreeSet<Hash32>, StoreError> {
        let mut conn = self.shared.main.reader().await?;
        rows(&mut conn, "SELECT hash FROM key_name WHERE practice = $1", bind![practice.as_bytes()]).await?.iter().map(|r| r.hash(0)).collect()
    }
}

impl Replay {
    fn problem(&mut self, seq: u64, what: &str) {
        self.report.problems.push(format!("journal record {seq}: {what}"));
    }

    fn take(&mut self, practice: &PracticeId, seq: u64, chart: Option<ChartId>, change: &Change, body: &[u8]) {
        match change {
            Change::Directory { n, entry } => {
                if *n != self.directory.size() {
                    self.problem(seq, "the directory log has a gap");
                }
                self.directory.append(leaf_hash(entry));
            }
            Change::Leaf { index, .. } => {
                if *index != self.access.size() {
                    self.problem(seq, "the access ledger has a gap");
                }
                match opened_leaf(body).and_then(|opened| Ok(opened.check()?)) {
                    Ok((leaf, hash)) => self.leaf(practice, seq, chart, &leaf, hash),
                    Err(_) => self.problem(seq, "the leaf does not fit its event"),
                }
            }
            Change::Checkpoint { log, size, note } => {
                let edge = match log {
                    Log::Access => &self.access,
                    Log::Directory => &self.directory,
                };
                // The signature is for those to check who hold the directory; here the text must be that of this moment.
                let text = note.split("\n\n").next().map(|t| format!("{t}\n")).unwrap_or_default();
                let fits = Checkpoint::parse_text(&text).is_ok_and(|c| c.size == edge.size() && c.root == edge.root() && c.size == *size);
                if !fits {
                    self.problem(seq, "the checkpoint is not that of this moment");
                }
            }
            _ => {}
        }
    }

    fn leaf(&mut self, practice: &PracticeId, seq: u64, chart: Option<ChartId>, leaf: &Leaf, hash: Hash32) {
        if leaf.map_root.is_some_and(|root| root != self.map.root()) {
            self.problem(seq, "the map root is not that of this moment");
        }
        match (chart, leaf.link) {
            (Some(chart), Some(link)) => {
                let (count, prev) = self.heads.get(&chart).map_or((0, Hash32::default()), |(_, hash, count)| (*count, *hash));
                if link.count != count + 1 || link.prev != prev {
                    self.problem(seq, "the leaf does not follow its chart's last");
                }
                self.heads.insert(chart, (self.access.size(), hash, link.count));
                self.map.insert(map_key(practice, &chart), map_value(&hash, link.count));
            }
            (None, None) => {}
            _ => self.problem(seq, "a chart's leaf without a link, or a link without a chart"),
        }
        self.access.append(hash);
    }

    async fn compare(&mut self, conn: &mut AnyConnection, practice: &PracticeId) -> Result<(), StoreError> {
        let head = row(conn, "SELECT journal, access_edge, directory_edge FROM head WHERE practice = $1", bind![practice.as_bytes()]).await?.ok_or(StoreError::NotFounded)?;
        let mut problems = Vec::new();
        if head.count(0)? != self.report.journal {
            problems.push("the head counts other journal records than there are".to_owned());
        }
        for (log, column, mine) in [(Log::Access, 1, &self.access), (Log::Directory, 2, &self.directory)] {
            if edge(&head.blob(column)?).ok().as_ref() != Some(mine) {
                problems.push(format!("the head's edge of the {log:?} log is not the journal's"));
            }
            let sql = "SELECT COUNT(*) FROM log_node WHERE practice = $1 AND log = $2";
            let nodes = row(conn, sql, bind![practice.as_bytes(), log.number()]).await?.map_or(Ok(0), |r| r.count(0))?;
            let expected = (2 * mine.size()).saturating_sub(u64::from(mine.size().count_ones()));
            if nodes != expected {
                problems.push(format!("the {log:?} log has {nodes} nodes, not {expected}"));
            }
            for ((level, index), hash) in subrosa_ledger::tree::root_nodes(mine.size()).into_iter().zip(mine.hashes()) {
                let sql = "SELECT hash FROM log_node WHERE practice = $1 AND log = $2 AND level = $3 AND idx = $4";
                let found = row(conn, sql, bind![practice.as_bytes(), log.number(), i64::from(level), int(index)?]).await?.map(|r| r.hash(0)).transpose()?;
                if found.as_ref() != Some(hash) {
                    problems.push(format!("a node of the {log:?} log is not the journal's"));
                }
            }
        }
        for (table, expected) in [("log_leaf", self.report.leaves), ("directory_entry", self.report.directory)] {
            let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table} WHERE practice = $1"));
            let found = row(conn, sql, bind![practice.as_bytes()]).await?.map_or(Ok(0), |r| r.count(0))?;
            if found != expected {
                problems.push(format!("the table {table} has {found} rows, not {expected}"));
            }
        }
        let mut stored = BTreeMap::new();
        for found in rows(conn, "SELECT chart, idx, hash, count FROM chart_head WHERE practice = $1", bind![practice.as_bytes()]).await? {
            stored.insert(found.id(0, ChartId::from_slice)?, (found.count(1)?, found.hash(2)?, found.count(3)?));
        }
        if stored != self.heads {
            problems.push("the charts' newest leaves are not the journal's".to_owned());
        }
        self.report.problems.extend(problems);
        Ok(())
    }
}
