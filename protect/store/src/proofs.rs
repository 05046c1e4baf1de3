//! Proofs out of the stored nodes and the maps of recent checkpoints.

use std::collections::{BTreeMap, BTreeSet};

use subrosa_ledger::tree::{self, MemoryNodes, NodeAt};
use subrosa_model::{Bytes, ChartId, PracticeId};
use subrosa_protocol::access::{ChartHistory, Extension, HeadProof, OpenedLeaf, ProvenLeaf, map_key};

use crate::change::{Change, Log};
use crate::plan::Snapshot;
use crate::sql::{CHUNK, Columns, Value, bind, int, listed, rows};
use crate::{Store, StoreError};

/// How many pairs of level and index go into one statement.
const PAIRS: usize = 200;

impl Store {
    /// Complete nodes of a log, for proofs and tiles. Those that do not exist are left out.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn nodes(&self, log: Log, at: &[NodeAt]) -> Result<MemoryNodes, StoreError> {
        let practice = self.founded()?;
        let wanted: BTreeSet<NodeAt> = at.iter().copied().collect();
        let mut nodes = MemoryNodes::new();
        let mut conn = self.shared.main.reader().await?;
        let levels: BTreeSet<u8> = wanted.iter().map(|(level, _)| *level).collect();
        for level in levels {
            let indexes: Vec<u64> = wanted.range((level, 0)..=(level, u64::MAX)).map(|(_, index)| *index).collect();
            for chunk in indexes.chunks(PAIRS) {
                let mut values = bind![practice.as_bytes(), log.number(), i64::from(level)];
                for index in chunk {
                    values.push(Value::from(int(*index)?));
                }
                let sql = listed("SELECT idx, hash FROM log_node WHERE practice = $1 AND log = $2 AND level = $3 AND idx IN ({list})", 3, chunk.len());
                for found in rows(&mut conn, sql, values).await? {
                    nodes.insert(level, found.count(0)?, found.hash(1)?);
                }
            }
        }
        Ok(nodes)
    }

    /// The snapshot's checkpoint with the proof that it extends what the asker has seen; `pin` 0 for nothing yet.
    ///
    /// # Errors
    /// `pin-ahead` when the asker has seen more.
    pub async fn extension(&self, snapshot: &Snapshot, pin: u64) -> Result<Extension, StoreError> {
        if pin > snapshot.size {
            return Err(StoreError::PinAhead { pin, size: snapshot.size });
        }
        let nodes = self.nodes(Log::Access, &tree::consistency_nodes(pin, snapshot.size)?).await?;
        Ok(Extension { checkpoint: snapshot.note.clone(), consistency: tree::consistency_proof(&nodes, pin, snapshot.size)? })
    }

    /// A leaf with its proof under the snapshot's checkpoint.
    ///
    /// # Errors
    /// `ledger-no-such-leaf` when the snapshot is older than the leaf.
    pub async fn proven_leaf(&self, snapshot: &Snapshot, index: u64) -> Result<ProvenLeaf, StoreError> {
        let mut proven = self.proven_leaves(snapshot, &[index]).await?;
        proven.pop().ok_or(StoreError::NotFound("leaf"))
    }

    /// Leaves with their proofs, in the order asked.
    async fn proven_leaves(&self, snapshot: &Snapshot, indexes: &[u64]) -> Result<Vec<ProvenLeaf>, StoreError> {
        let practice = self.founded()?;
        let mut wanted = Vec::new();
        for index in indexes {
            wanted.extend(tree::inclusion_nodes(*index, snapshot.size)?);
        }
        let nodes = self.nodes(Log::Access, &wanted).await?;
        let mut opened = self.opened(&practice, indexes).await?;
        indexes
            .iter()
            .map(|index| {
                let inclusion = tree::inclusion_proof(&nodes, *index, snapshot.size)?;
                Ok(ProvenLeaf { opened: opened.remove(index).ok_or(StoreError::NotFound("leaf"))?, inclusion })
            })
            .collect()
    }

    async fn opened(&self, practice: &PracticeId, indexes: &[u64]) -> Result<BTreeMap<u64, OpenedLeaf>, StoreError> {
        let mut conn = self.shared.main.reader().await?;
        let mut out = BTreeMap::new();
        for chunk in indexes.chunks(CHUNK) {
            let mut values = bind![practice.as_bytes()];
            for index in chunk {
                values.push(Value::from(int(*index)?));
            }
            let sql = listed("SELECT j.body FROM log_leaf l JOIN journal j ON j.practice = l.practice AND j.seq = l.seq WHERE l.practice = $1 AND l.idx IN ({list})", 1, chunk.len());
            for found in rows(&mut conn, sql, values).await? {
                let opened = opened_leaf(&found.blob(0)?)?;
                out.insert(opened.index, opened);
            }
        }
        Ok(out)
    }

    /// For each chart, in the order asked, the proof of its newest leaf under the snapshot's checkpoint.
    ///
    /// # Errors
    /// `unknown-chart` for a chart without a leaf.
    pub async fn head_proofs(&self, snapshot: &Snapshot, charts: &[ChartId]) -> Result<Vec<HeadProof>, StoreError> {
        let practice = self.founded()?;
        let last = snapshot.size.checked_sub(1).ok_or(StoreError::NotFound("leaf"))?;
        let mut newest = BTreeMap::new();
        {
            let mut conn = self.shared.main.reader().await?;
            for chunk in charts.chunks(CHUNK) {
                let mut values = bind![practice.as_bytes(), int(snapshot.size)?];
                values.extend(chunk.iter().map(|c| Value::from(c.as_bytes())));
                let sql = listed("SELECT chart, MAX(idx) FROM log_leaf WHERE practice = $1 AND idx < $2 AND chart IN ({list}) GROUP BY chart", 2, chunk.len());
                for found in rows(&mut conn, sql, values).await? {
                    newest.insert(found.id(0, ChartId::from_slice)?, found.count(1)?);
                }
            }
        }
        let mut indexes = charts.iter().map(|c| newest.get(c).copied().ok_or(StoreError::UnknownChart)).collect::<Result<Vec<u64>, _>>()?;
        indexes.push(last);
        let mut proven = self.proven_leaves(snapshot, &indexes).await?;
        let map_leaf = proven.pop().ok_or(StoreError::NotFound("leaf"))?;
        Ok(proven
            .into_iter()
            .zip(charts)
            .map(|(head, chart)| HeadProof { head, map_leaf: map_leaf.clone(), map: snapshot.map.prove(&map_key(&practice, chart)) })
            .collect())
    }

    /// Everything that was recorded on a chart until the snapshot, newest first, with the proof that nothing recorded is missing.
    ///
    /// # Errors
    /// `unknown-chart` for a chart without a leaf; `pin-ahead`.
    pub async fn history(&self, snapshot: &Snapshot, chart: &ChartId, pin: u64) -> Result<ChartHistory, StoreError> {
        let practice = self.founded()?;
        let extension = self.extension(snapshot, pin).await?;
        let head = self.head_proofs(snapshot, &[*chart]).await?.pop().ok_or(StoreError::UnknownChart)?;
        let mut conn = self.shared.main.reader().await?;
        let found = rows(
            &mut conn,
            "SELECT j.body FROM log_leaf l JOIN journal j ON j.practice = l.practice AND j.seq = l.seq WHERE l.practice = $1 AND l.chart = $2 AND l.idx < $3 ORDER BY l.idx DESC",
            bind![practice.as_bytes(), chart.as_bytes(), int(head.head.opened.index)?],
        )
        .await?;
        let older = found.iter().map(|r| opened_leaf(&r.blob(0)?)).collect::<Result<_, StoreError>>()?;
        Ok(ChartHistory { extension, head, older })
    }

    /// Leaves from `after` on, oldest first, at most `limit`.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn leaves(&self, after: u64, limit: u32) -> Result<Vec<OpenedLeaf>, StoreError> {
        let practice = self.founded()?;
        let mut conn = self.shared.main.reader().await?;
        let found = rows(
            &mut conn,
            "SELECT j.body FROM log_leaf l JOIN journal j ON j.practice = l.practice AND j.seq = l.seq WHERE l.practice = $1 AND l.idx >= $2 ORDER BY l.idx LIMIT $3",
            bind![practice.as_bytes(), int(after)?, i64::from(limit)],
        )
        .await?;
        found.iter().map(|r| opened_leaf(&r.blob(0)?)).collect()
    }
}

pub(crate) fn opened_leaf(body: &[u8]) -> Result<OpenedLeaf, StoreError> {
    let Change::Leaf { index, leaf, event, salt } = Change::decode(body)? else {
        return Err(StoreError::damaged("a leaf points to another record"));
    };
    Ok(OpenedLeaf { index, leaf: Bytes(leaf.0), event, salt })
}
