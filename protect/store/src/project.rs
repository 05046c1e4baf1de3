//! The journal and what is drawn from it. [`Projector::append`] is how anything durable gets in; [`Projector::project`] is also how a rebuild and a restore go.

use sqlx::AnyConnection;
use subrosa_crypto::cbor;
use subrosa_ledger::map::ChartMap;
use subrosa_ledger::tree::{Frontier, leaf_hash};
use subrosa_model::{ChartId, Hash32, PracticeId, Timestamp};
use subrosa_protocol::access::{AccessEvent, ChartLink, Leaf, map_key, map_value};
use subrosa_protocol::api::EntryOutcome;
use subrosa_protocol::entry::EntryBlob;

use crate::StoreError;
use crate::change::{Change, Log};
use crate::sql::{Columns, bind, int, row, rows, run};

/// The practice's head row while it is locked, and the map that goes with it.
#[derive(Clone)]
pub(crate) struct Head {
    pub(crate) practice: PracticeId,
    pub(crate) journal: u64,
    pub(crate) access: Frontier,
    pub(crate) directory: Frontier,
    pub(crate) map: ChartMap,
}

impl Head {
    pub(crate) fn new(practice: PracticeId) -> Self {
        Head { practice, journal: 0, access: Frontier::new(), directory: Frontier::new(), map: ChartMap::new() }
    }

    /// Locks the head row and reads it. The map is left empty.
    pub(crate) async fn lock(conn: &mut AnyConnection, practice: &PracticeId) -> Result<Option<Self>, StoreError> {
        let found = row(
            conn,
            "UPDATE head SET version = version + 1 WHERE practice = $1 RETURNING journal, access_edge, directory_edge",
            bind![practice.as_bytes()],
        )
        .await?;
        let Some(found) = found else { return Ok(None) };
        Ok(Some(Head { journal: found.count(0)?, access: edge(&found.blob(1)?)?, directory: edge(&found.blob(2)?)?, ..Head::new(*practice) }))
    }

    pub(crate) async fn insert(&self, conn: &mut AnyConnection) -> Result<bool, StoreError> {
        let new = run(
            conn,
            "INSERT INTO head (practice, version, journal, access_edge, directory_edge) VALUES ($1, 1, $2, $3, $4) ON CONFLICT (practice) DO NOTHING",
            bind![self.practice.as_bytes(), int(self.journal)?, cbor::encode(&self.access), cbor::encode(&self.directory)],
        )
        .await?;
        Ok(new == 1)
    }

    pub(crate) async fn save(&self, conn: &mut AnyConnection) -> Result<(), StoreError> {
        run(
            conn,
            "UPDATE head SET journal = $2, access_edge = $3, directory_edge = $4 WHERE practice = $1",
            bind![self.practice.as_bytes(), int(self.journal)?, cbor::encode(&self.access), cbor::encode(&self.directory)],
        )
        .await?;
        Ok(())
    }
}

pub(crate) fn edge(bytes: &[u8]) -> Result<Frontier, StoreError> {
    cbor::decode(bytes).map_err(|_| StoreError::damaged("the edge of a log"))
}

/// Writes into one transaction, under the head's lock.
pub(crate) struct Projector<'a> {
    pub(crate) conn: &'a mut AnyConnection,
    pub(crate) head: &'a mut Head,
}

impl Projector<'_> {
    fn practice(&self) -> Vec<u8> {
        self.head.practice.0.to_vec()
    }

    /// Adds a journal record and what is drawn from it.
    pub(crate) async fn append(&mut self, at: Timestamp, chart: Option<ChartId>, change: &Change) -> Result<Option<EntryOutcome>, StoreError> {
        let seq = self.head.journal + 1;
        self.record(seq, at, chart, change.kind(), change.encode()).await?;
        let outcome = self.project(seq, at, chart, change).await?;
        self.head.journal = seq;
        Ok(outcome)
    }

    /// The journal row alone.
    pub(crate) async fn record(&mut self, seq: u64, at: Timestamp, chart: Option<ChartId>, kind: &str, body: Vec<u8>) -> Result<(), StoreError> {
        run(
            self.conn,
            "INSERT INTO journal (practice, seq, kind, at, chart, body) VALUES ($1, $2, $3, $4, $5, $6)",
            bind![self.practice(), int(seq)?, kind, at.0, chart.map(|c| c.0.to_vec()), body],
        )
        .await?;
        Ok(())
    }

    /// Adds an event's leaf; its index.
    pub(crate) async fn event(&mut self, at: Timestamp, event: &AccessEvent) -> Result<u64, StoreError> {
        let link = match &event.chart {
            None => None,
            Some(chart) => {
                let last = row(self.conn, "SELECT count, hash FROM chart_head WHERE practice = $1 AND chart = $2", bind![self.head.practice.as_bytes(), chart.as_bytes()]).await?;
                Some(match last {
                    Some(last) => ChartLink { count: last.count(0)? + 1, prev: last.hash(1)? },
                    None => ChartLink { count: 1, prev: Hash32::default() },
                })
            }
        };
        let salt = subrosa_crypto::random::make_bytes::<32>();
        let leaf = Leaf::of(event, &salt, link);
        let index = self.head.access.size();
        let change = Change::Leaf { index, leaf: leaf.to_bytes().into(), event: Some(event.clone()), salt: salt.as_slice().into() };
        self.append(at, event.chart, &change).await?;
        Ok(index)
    }

    /// Ends a batch of leaves with the map's root.
    pub(crate) async fn map_root(&mut self, at: Timestamp) -> Result<(), StoreError> {
        let leaf = Leaf::of_map(self.head.map.root());
        let change = Change::Leaf { index: self.head.access.size(), leaf: leaf.to_bytes().into(), event: None, salt: Vec::new().into() };
        self.append(at, None, &change).await?;
        Ok(())
    }

    /// Everything drawn from one record.
    pub(crate) async fn project(&mut self, seq: u64, at: Timestamp, chart: Option<ChartId>, change: &Change) -> Result<Option<EntryOutcome>, StoreError> {
        let p = self.practice();
        let s = int(seq)?;
        let of_chart = || chart.map(|c| c.0.to_vec()).ok_or_else(|| StoreError::damaged("a record without its chart"));
        match change {
            Change::Directory { n, entry } => {
                if *n != self.head.directory.size() {
                    return Err(StoreError::damaged("the directory log has a gap"));
                }
                run(self.conn, "INSERT INTO directory_entry (practice, n, seq) VALUES ($1, $2, $3)", bind![p, int(*n)?, s]).await?;
                let nodes = self.head.directory.append(leaf_hash(entry));
                self.nodes(Log::Directory, &nodes).await?;
            }
            Change::Leaf { index, leaf, .. } => self.leaf(seq, chart, *index, leaf).await?,
            Change::Checkpoint { log, size, .. } => {
                run(
                    self.conn,
                    "INSERT INTO log_checkpoint (practice, log, size, seq, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (practice, log, size) DO UPDATE SET seq = excluded.seq, at = excluded.at",
                    bind![p, log.number(), int(*size)?, s, at.0],
                )
                .await?;
            }
            Change::Cosignature { log, size, witness, at: seen, .. } => {
                run(
                    self.conn,
                    "INSERT INTO log_cosignature (practice, log, size, witness, at, seq) VALUES ($1, $2, $3, $4, $5, $6) \
                     ON CONFLICT (practice, log, size, witness) DO UPDATE SET at = excluded.at, seq = excluded.seq",
                    bind![p, log.number(), int(*size)?, witness.as_str(), seen.0, s],
                )
                .await?;
            }
            Change::Pace { member, review, marks } => {
                for (chart, foreign) in marks {
                    run(
                        self.conn,
                        "INSERT INTO pace (practice, member, chart, seq, at, is_foreign, review) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                        bind![p.clone(), member.as_bytes(), chart.as_bytes(), s, at.0, *foreign, int(*review)?],
                    )
                    .await?;
                }
            }
            Change::Chart { canary, maker } => {
                run(
                    self.conn,
                    "INSERT INTO chart (practice, chart, canary, maker, made, seq) VALUES ($1, $2, $3, $4, $5, $6)",
                    bind![p, of_chart()?, *canary, maker.as_bytes(), at.0, s],
                )
                .await?;
            }
            Change::Erased { .. } => {
                run(self.conn, "UPDATE chart SET erased = $3, erased_seq = $4 WHERE practice = $1 AND chart = $2 AND erased IS NULL", bind![p.clone(), of_chart()?, at.0, s]).await?;
                run(self.conn, "DELETE FROM key_name WHERE practice = $1 AND chart = $2", bind![p, of_chart()?]).await?;
            }
            Change::KeyRows { hashes, .. } => {
                for hash in hashes {
                    run(
                        self.conn,
                        "INSERT INTO key_name (practice, hash, chart, seq) VALUES ($1, $2, $3, $4) ON CONFLICT (practice, hash) DO NOTHING",
                        bind![p.clone(), *hash, chart.map(|c| c.0.to_vec()), s],
                    )
                    .await?;
                }
            }
            Change::Relation { relation, member, counts_from, .. } => {
                run(
                    self.conn,
                    "INSERT INTO relation (practice, relation, chart, member, counts_from, seq, changed) VALUES ($1, $2, $3, $4, $5, $6, $6)",
                    bind![p, relation.as_bytes(), of_chart()?, member.as_bytes(), counts_from.map(|t| t.0), s],
                )
                .await?;
            }
            Change::RelationCounts { relation, counts_from, .. } => {
                run(
                    self.conn,
                    "UPDATE relation SET counts_from = $3, changed = $4 WHERE practice = $1 AND relation = $2",
                    bind![p, relation.as_bytes(), counts_from.0, s],
                )
                .await?;
            }
            Change::Entry { blob } => return self.entry(seq, at, blob).await.map(Some),
            Change::RosterRow { .. } => {
                run(
                    self.conn,
                    "INSERT INTO roster (practice, chart, seq) VALUES ($1, $2, $3) ON CONFLICT (practice, chart) DO UPDATE SET seq = excluded.seq",
                    bind![p, of_chart()?, s],
                )
                .await?;
            }
            Change::Object { hash, length } => {
                run(
                    self.conn,
                    "INSERT INTO object (practice, hash, length, seq) VALUES ($1, $2, $3, $4) ON CONFLICT (practice, hash) DO NOTHING",
                    bind![p, *hash, int(*length)?, s],
                )
                .await?;
            }
            Change::Bundle { member, version, .. } => {
                run(
                    self.conn,
                    "INSERT INTO bundle (practice, member, version, seq) VALUES ($1, $2, $3, $4) ON CONFLICT (practice, member, version) DO UPDATE SET seq = excluded.seq",
                    bind![p, member.as_bytes(), int(*version)?, s],
                )
                .await?;
            }
            other => self.project_ways(seq, other).await?,
        }
        Ok(None)
    }

    /// Ways in, kits, invitations, approvals: one row that follows its newest record.
    async fn project_ways(&mut self, seq: u64, change: &Change) -> Result<(), StoreError> {
        let p = self.practice();
        let s = int(seq)?;
        match change {
            Change::WayIn { member, wrapped, active } => {
                run(
                    self.conn,
                    "INSERT INTO way_in (practice, member, way, active, seq) VALUES ($1, $2, $3, $4, $5) \
                     ON CONFLICT (practice, member, way) DO UPDATE SET active = excluded.active, seq = excluded.seq",
                    bind![p, member.as_bytes(), cbor::encode(&wrapped.way), *active, s],
                )
                .await?;
            }
            Change::Credential { credential, member, active, .. } => {
                run(
                    self.conn,
                    "INSERT INTO credential (practice, credential, member, active, seq) VALUES ($1, $2, $3, $4, $5) \
                     ON CONFLICT (practice, credential) DO UPDATE SET member = excluded.member, active = excluded.active, seq = excluded.seq",
                    bind![p, *credential, member.as_bytes(), *active, s],
                )
                .await?;
            }
            Change::Kit { member, number, .. } => {
                run(
                    self.conn,
                    "INSERT INTO kit (practice, member, number, seq) VALUES ($1, $2, $3, $4) ON CONFLICT (practice, member) DO UPDATE SET number = excluded.number, seq = excluded.seq",
                    bind![p, member.as_bytes(), i64::from(*number), s],
                )
                .await?;
            }
            Change::KitUse { member, number, .. } => {
                run(
                    self.conn,
                    "INSERT INTO kit_use (practice, member, number, seq) VALUES ($1, $2, $3, $4) ON CONFLICT (practice, member, number) DO UPDATE SET seq = excluded.seq",
                    bind![p, member.as_bytes(), i64::from(*number), s],
                )
                .await?;
            }
            Change::Invitation { by, put, .. } => {
                run(
                    self.conn,
                    "INSERT INTO invitation (practice, invitation, made_by, seq) VALUES ($1, $2, $3, $4)",
                    bind![p, put.invitation.as_bytes(), by.as_bytes(), s],
                )
                .await?;
            }
            Change::InvitationAccepted { invitation, .. } => {
                run(self.conn, "UPDATE invitation SET accepted = $3 WHERE practice = $1 AND invitation = $2", bind![p, invitation.as_bytes(), s]).await?;
            }
            Change::InvitationClosed { invitation } => {
                run(self.conn, "UPDATE invitation SET closed = $3 WHERE practice = $1 AND invitation = $2", bind![p, invitation.as_bytes(), s]).await?;
            }
            Change::Approval { hash, open, .. } => {
                run(
                    self.conn,
                    "INSERT INTO approval (practice, hash, is_open, seq) VALUES ($1, $2, $3, $4) ON CONFLICT (practice, hash) DO UPDATE SET is_open = excluded.is_open, seq = excluded.seq",
                    bind![p, *hash, *open, s],
                )
                .await?;
            }
            _ => return Err(StoreError::damaged("a record of an unexpected kind")),
        }
        Ok(())
    }

    async fn leaf(&mut self, seq: u64, chart: Option<ChartId>, index: u64, bytes: &[u8]) -> Result<(), StoreError> {
        if index != self.head.access.size() {
            return Err(StoreError::damaged("the access ledger has a gap"));
        }
        let hash = leaf_hash(bytes);
        run(
            self.conn,
            "INSERT INTO log_leaf (practice, idx, seq, chart, hash) VALUES ($1, $2, $3, $4, $5)",
            bind![self.practice(), int(index)?, int(seq)?, chart.map(|c| c.0.to_vec()), hash],
        )
        .await?;
        let nodes = self.head.access.append(hash);
        self.nodes(Log::Access, &nodes).await?;
        if let Some(chart) = chart {
            let leaf: Leaf = cbor::decode(bytes)?;
            let link = leaf.link.ok_or_else(|| StoreError::damaged("a chart's leaf without its link"))?;
            run(
                self.conn,
                "INSERT INTO chart_head (practice, chart, idx, hash, count) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (practice, chart) DO UPDATE SET idx = excluded.idx, hash = excluded.hash, count = excluded.count",
                bind![self.practice(), chart.as_bytes(), int(index)?, hash, int(link.count)?],
            )
            .await?;
            self.head.map.insert(map_key(&self.head.practice, &chart), map_value(&hash, link.count));
        }
        Ok(())
    }

    async fn nodes(&mut self, log: Log, nodes: &[(u8, u64, Hash32)]) -> Result<(), StoreError> {
        for (level, index, hash) in nodes {
            run(
                self.conn,
                "INSERT INTO log_node (practice, log, level, idx, hash) VALUES ($1, $2, $3, $4, $5)",
                bind![self.practice(), log.number(), i64::from(*level), int(*index)?, *hash],
            )
            .await?;
        }
        Ok(())
    }

    /// A version is the head if its predecessor was, or if it is the first; else it and the heads there are stand in conflict.
    async fn entry(&mut self, seq: u64, at: Timestamp, blob: &EntryBlob) -> Result<EntryOutcome, StoreError> {
        let (header, _) = blob.peek_unverified()?;
        let context = header.context;
        let heads = rows(
            self.conn,
            "SELECT hash FROM entry WHERE practice = $1 AND entry = $2 AND is_head = 1",
            bind![self.practice(), context.entry.as_bytes()],
        )
        .await?
        .iter()
        .map(|r| r.hash(0))
        .collect::<Result<Vec<_>, _>>()?;
        let follows = match context.prev {
            Some(prev) => heads.contains(&prev),
            None => heads.is_empty() && !self.any_version(&context.entry.0).await?,
        };
        if let (true, Some(prev)) = (follows, context.prev) {
            run(self.conn, "UPDATE entry SET is_head = 0 WHERE practice = $1 AND hash = $2", bind![self.practice(), prev]).await?;
        }
        if !follows {
            run(self.conn, "UPDATE entry SET conflict = 1 WHERE practice = $1 AND entry = $2 AND is_head = 1", bind![self.practice(), context.entry.as_bytes()]).await?;
        }
        let conflict = !follows || heads.len() > 1;
        let hash = blob.hash();
        run(
            self.conn,
            "INSERT INTO entry (practice, hash, chart, compartment, entry, version, author, received, is_head, conflict, seq) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $10)",
            bind![
                self.practice(),
                hash,
                context.chart.as_bytes(),
                context.compartment.number(),
                context.entry.as_bytes(),
                i64::from(context.version),
                context.author.as_bytes(),
                at.0,
                conflict,
                int(seq)?
            ],
        )
        .await?;
        for attachment in &header.attachments {
            run(
                self.conn,
                "INSERT INTO attachment (practice, version, hash, length) VALUES ($1, $2, $3, $4) ON CONFLICT (practice, version, hash) DO NOTHING",
                bind![self.practice(), hash, attachment.ciphertext, int(attachment.length)?],
            )
            .await?;
        }
        Ok(if follows { EntryOutcome::Head } else { EntryOutcome::Conflict })
    }

    async fn any_version(&mut self, entry: &[u8; 16]) -> Result<bool, StoreError> {
        Ok(row(self.conn, "SELECT version FROM entry WHERE practice = $1 AND entry = $2 LIMIT 1", bind![self.practice(), entry]).await?.is_some())
    }
}
