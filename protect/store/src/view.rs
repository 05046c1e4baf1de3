//! Reading, under the lock, what a decision needs; and checking that a plan fits what is stored before any of it is written.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::AnyConnection;
use subrosa_crypto::{Signed, cbor, sha256};
use subrosa_model::{ChartId, MemberId, PracticeId, Timestamp};
use subrosa_protocol::access::AccessEvent;
use subrosa_protocol::chart::{CareRelation, RosterStatement};

use crate::StoreError;
use crate::change::Change;
use crate::keys::{self, KeyRow, SealName, WrapName};
use crate::plan::{ChartState, Needs, RelationRow, View, Write};
use crate::project::Head;
use crate::sql::{CHUNK, Columns, Value, bind, int, listed, row, rows};

pub(crate) async fn load(conn: &mut AnyConnection, head: &Head, needs: &Needs) -> Result<View, StoreError> {
    let mut view = View { directory_size: head.directory.size(), ledger_size: head.access.size(), journal: head.journal, ..View::default() };
    view.charts = charts(conn, &head.practice, &needs.charts).await?;
    if let Some(member) = &needs.member {
        view.relations = relations(conn, &head.practice, member, &needs.charts).await?;
        let foreign = rows(
            conn,
            "SELECT DISTINCT chart FROM pace WHERE practice = $1 AND member = $2 AND is_foreign = 1 AND review >= $3",
            bind![head.practice.as_bytes(), member.as_bytes(), int(needs.review)?],
        )
        .await?;
        let own = rows(
            conn,
            "SELECT DISTINCT chart FROM pace WHERE practice = $1 AND member = $2 AND is_foreign = 0 AND at > $3",
            bind![head.practice.as_bytes(), member.as_bytes(), needs.own_since.0],
        )
        .await?;
        view.foreign = foreign.iter().map(|r| r.id(0, ChartId::from_slice)).collect::<Result<_, _>>()?;
        view.own = own.iter().map(|r| r.id(0, ChartId::from_slice)).collect::<Result<_, _>>()?;
    }
    Ok(view)
}

/// Those of these charts that exist.
pub(crate) async fn charts(conn: &mut AnyConnection, practice: &PracticeId, wanted: &[ChartId]) -> Result<BTreeMap<ChartId, ChartState>, StoreError> {
    let mut out = BTreeMap::new();
    for chunk in wanted.chunks(CHUNK) {
        let mut values = bind![practice.as_bytes()];
        values.extend(chunk.iter().map(|c| Value::from(c.as_bytes())));
        let sql = listed(
            "SELECT c.chart, c.canary, c.maker, c.made, c.erased, h.count FROM chart c LEFT JOIN chart_head h ON h.practice = c.practice AND h.chart = c.chart \
             WHERE c.practice = $1 AND c.chart IN ({list})",
            1,
            chunk.len(),
        );
        for found in rows(conn, sql, values).await? {
            let state = chart_state(&found)?;
            out.insert(state.chart, state);
        }
    }
    Ok(out)
}

pub(crate) fn chart_state(found: &sqlx::any::AnyRow) -> Result<ChartState, StoreError> {
    Ok(ChartState {
        chart: found.id(0, ChartId::from_slice)?,
        canary: found.flag(1)?,
        maker: found.id(2, MemberId::from_slice)?,
        made: Timestamp(found.int(3)?),
        erased: found.maybe_int(4)?.map(Timestamp),
        leaves: found.maybe_int(5)?.and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
    })
}

async fn relations(conn: &mut AnyConnection, practice: &PracticeId, member: &MemberId, wanted: &[ChartId]) -> Result<Vec<RelationRow>, StoreError> {
    let mut out = Vec::new();
    for chunk in wanted.chunks(CHUNK) {
        let mut values = bind![practice.as_bytes(), member.as_bytes()];
        values.extend(chunk.iter().map(|c| Value::from(c.as_bytes())));
        let sql = listed(
            "SELECT j.body, r.counts_from FROM relation r JOIN journal j ON j.practice = r.practice AND j.seq = r.seq \
             WHERE r.practice = $1 AND r.member = $2 AND r.chart IN ({list}) ORDER BY r.seq",
            2,
            chunk.len(),
        );
        for found in rows(conn, sql, values).await? {
            out.push(relation_row(&found)?);
        }
    }
    Ok(out)
}

/// From `body, counts_from`.
pub(crate) fn relation_row(found: &sqlx::any::AnyRow) -> Result<RelationRow, StoreError> {
    let Change::Relation { signed, .. } = Change::decode(&found.blob(0)?)? else {
        return Err(StoreError::damaged("a relation points to another record"));
    };
    let relation = Signed::<CareRelation>::from_bytes(&signed)?.peek_unverified()?;
    let hash = Signed::<CareRelation>::from_bytes(&signed)?.hash();
    Ok(RelationRow { relation, signed, hash, counts_from: found.maybe_int(1)?.map(Timestamp) })
}

/// A plan's writes, checked: journal records in order, and rows of the key store.
#[derive(Default)]
pub(crate) struct Checked {
    pub(crate) records: Vec<(Option<ChartId>, Change)>,
    pub(crate) key_rows: Vec<KeyRow>,
}

/// Checks a plan against what is stored. Nothing is written. `events` and `writes` may name only charts in `needs`.
pub(crate) async fn check(
    conn: &mut AnyConnection,
    head: &Head,
    needs: &Needs,
    view: &View,
    writes: Vec<Write>,
    events: &[AccessEvent],
) -> Result<Checked, StoreError> {
    let mut checker = Checker { conn, head, needs, view, new_charts: BTreeSet::new(), directory: head.directory.size(), out: Checked::default() };
    for write in writes {
        checker.write(write).await?;
    }
    let mut seen = BTreeSet::new();
    for event in events {
        if event.practice != head.practice {
            return Err(StoreError::Misuse("an event of another practice"));
        }
        if let Some(chart) = &event.chart {
            checker.listed(chart)?;
            if !view.charts.contains_key(chart) && !checker.new_charts.contains(chart) {
                return Err(StoreError::UnknownChart);
            }
            if !seen.insert(*chart) {
                return Err(StoreError::Misuse("two events of one chart in one plan"));
            }
        }
    }
    Ok(checker.out)
}

struct Checker<'a> {
    conn: &'a mut AnyConnection,
    head: &'a Head,
    needs: &'a Needs,
    view: &'a View,
    new_charts: BTreeSet<ChartId>,
    directory: u64,
    out: Checked,
}

impl Checker<'_> {
    fn listed(&self, chart: &ChartId) -> Result<(), StoreError> {
        if self.needs.charts.contains(chart) { Ok(()) } else { Err(StoreError::Misuse("a chart that the needs do not list")) }
    }

    /// The chart exists (or is made by this plan) and was not erased.
    fn living(&self, chart: &ChartId) -> Result<(), StoreError> {
        self.listed(chart)?;
        if self.new_charts.contains(chart) {
            return Ok(());
        }
        match self.view.charts.get(chart) {
            None => Err(StoreError::UnknownChart),
            Some(state) if state.erased.is_some() => Err(StoreError::Erased),
            Some(_) => Ok(()),
        }
    }

    fn record(&mut self, chart: Option<ChartId>, change: Change) {
        self.out.records.push((chart, change));
    }

    fn key_row(&mut self, row: KeyRow) {
        self.out.key_rows.push(row);
    }

    async fn write(&mut self, write: Write) -> Result<(), StoreError> {
        let practice = self.head.practice;
        match write {
            Write::Directory { at_size, entries, seals } => {
                if at_size != self.directory {
                    return Err(StoreError::DirectoryOutOfSequence);
                }
                for entry in entries {
                    self.record(None, Change::Directory { n: self.directory, entry });
                    self.directory += 1;
                }
                let mut hashes = Vec::new();
                for seal in seals {
                    let hash = seal.hash();
                    let name = SealName { team: seal.team, epoch: seal.epoch, to: seal.to, hash };
                    let tag = seal.to.as_ref().map_or_else(|| keys::team_tag(&seal.team), keys::recipient_tag);
                    self.key_row(KeyRow { kind: keys::EPOCH_SEAL, chart: None, name: cbor::encode(&name), tag, value: seal.sealed.0.into(), replaces: false });
                    hashes.push(hash);
                }
                if !hashes.is_empty() {
                    self.record(None, Change::KeyRows { kind: keys::EPOCH_SEAL.to_owned(), hashes });
                }
            }
            Write::Chart { chart, canary, maker } => {
                self.listed(&chart)?;
                if self.view.charts.contains_key(&chart) || !self.new_charts.insert(chart) {
                    return Err(StoreError::Exists("chart"));
                }
                self.record(Some(chart), Change::Chart { canary, maker });
            }
            Write::Wraps { wraps } => {
                let mut hashes: BTreeMap<ChartId, Vec<_>> = BTreeMap::new();
                for wrap in wraps {
                    let context = wrap.peek_unverified()?.context;
                    if context.practice != practice {
                        return Err(StoreError::Misuse("a wrap of another practice"));
                    }
                    self.living(&context.chart)?;
                    let value = cbor::encode(&wrap);
                    let hash = sha256(&[&value]);
                    let name = WrapName { compartment: context.compartment, version: context.version, key: context.key, target: context.target, hash };
                    self.key_row(KeyRow { kind: keys::WRAP, chart: Some(context.chart), name: cbor::encode(&name), tag: Vec::new(), value: value.into(), replaces: false });
                    hashes.entry(context.chart).or_default().push(hash);
                }
                for (chart, hashes) in hashes {
                    self.record(Some(chart), Change::KeyRows { kind: keys::WRAP.to_owned(), hashes });
                }
            }
            Write::Custody { halves } => {
                for half in halves {
                    if half.context.practice != practice {
                        return Err(StoreError::Misuse("a custody half of another practice"));
                    }
                    let chart = half.context.chart;
                    self.living(&chart)?;
                    let value = cbor::encode(&half);
                    let hash = sha256(&[&value]);
                    self.key_row(KeyRow { kind: keys::CUSTODY, chart: Some(chart), name: hash.0.to_vec(), tag: Vec::new(), value: value.into(), replaces: false });
                    self.record(Some(chart), Change::KeyRows { kind: keys::CUSTODY.to_owned(), hashes: vec![hash] });
                }
            }
            Write::Relation { signed, counts_from } => {
                let relation = Signed::<CareRelation>::from_bytes(&signed)?.peek_unverified()?;
                self.living(&relation.chart)?;
                if row(self.conn, "SELECT seq FROM relation WHERE practice = $1 AND relation = $2", bind![practice.as_bytes(), relation.relation.as_bytes()]).await?.is_some() {
                    return Err(StoreError::Exists("relation"));
                }
                self.record(Some(relation.chart), Change::Relation { relation: relation.relation, member: relation.member, signed, counts_from });
            }
            Write::RelationCounts { relation, confirmation, counts_from } => {
                let found = row(self.conn, "SELECT chart FROM relation WHERE practice = $1 AND relation = $2", bind![practice.as_bytes(), relation.as_bytes()]).await?;
                let chart = found.ok_or(StoreError::NotFound("relation"))?.id(0, ChartId::from_slice)?;
                self.listed(&chart)?;
                self.record(Some(chart), Change::RelationCounts { relation, confirmation, counts_from });
            }
            Write::Entry { blob } => {
                let context = blob.peek_unverified()?.0.context;
                if context.practice != practice {
                    return Err(StoreError::Misuse("an entry of another practice"));
                }
                self.living(&context.chart)?;
                self.record(Some(context.chart), Change::Entry { blob });
            }
            Write::RosterRow { blob } => {
                let context = Signed::<RosterStatement>::from_bytes(&blob.signed)?.peek_unverified()?.context;
                if context.practice != practice {
                    return Err(StoreError::Misuse("a roster row of another practice"));
                }
                self.living(&context.chart)?;
                self.record(Some(context.chart), Change::RosterRow { blob });
            }
            Write::Erased { chart, order } => {
                self.living(&chart)?;
                self.record(Some(chart), Change::Erased { order });
            }
            other => self.write_ways(other).await?,
        }
        Ok(())
    }

    async fn write_ways(&mut self, write: Write) -> Result<(), StoreError> {
        let practice = self.head.practice;
        match write {
            Write::Object { hash, length } => self.record(None, Change::Object { hash, length }),
            Write::Bundle { member, version, sealed } => self.record(None, Change::Bundle { member, version, sealed }),
            Write::Credential { credential, member, json, active } => self.record(None, Change::Credential { credential, member, json, active }),
            Write::WayIn { member, wrapped, active } => self.record(None, Change::WayIn { member, wrapped, active }),
            Write::Kit { member, number, proof, share } => {
                let value = cbor::encode(&(number, share));
                self.key_row(KeyRow { kind: keys::KIT_SHARE, chart: None, name: keys::member_name(&member), tag: Vec::new(), value: value.into(), replaces: true });
                self.record(None, Change::Kit { member, number, proof });
            }
            Write::KitUse { member, number, started, ready_at, session_key, state } => {
                self.record(None, Change::KitUse { member, number, started, ready_at, session_key, state });
            }
            Write::Invitation { by, put, until } => {
                if self.invitation(&put.invitation.0).await?.is_some() {
                    return Err(StoreError::Exists("invitation"));
                }
                self.record(None, Change::Invitation { by, put, until });
            }
            Write::InvitationAccepted { invitation, keys, mac, credential, bundle } => {
                match self.invitation(&invitation.0).await? {
                    None => return Err(StoreError::NotFound("invitation")),
                    Some(true) => return Err(StoreError::Exists("acceptance of this invitation")),
                    Some(false) => {}
                }
                self.record(None, Change::InvitationAccepted { invitation, keys, mac, credential, bundle });
            }
            Write::InvitationClosed { invitation } => {
                if self.invitation(&invitation.0).await?.is_none() {
                    return Err(StoreError::NotFound("invitation"));
                }
                self.record(None, Change::InvitationClosed { invitation });
            }
            Write::Approval { hash, statement, open } => self.record(None, Change::Approval { hash, statement, open }),
            Write::Repository { sealed } => {
                self.key_row(KeyRow { kind: keys::REPOSITORY, chart: None, name: Vec::new(), tag: Vec::new(), value: sealed.0.into(), replaces: true });
                self.record(None, Change::KeyRows { kind: keys::REPOSITORY.to_owned(), hashes: Vec::new() });
            }
            Write::Cosignature { log, size, witness, at, note } => {
                let known = row(
                    self.conn,
                    "SELECT seq FROM log_checkpoint WHERE practice = $1 AND log = $2 AND size = $3",
                    bind![practice.as_bytes(), log.number(), int(size)?],
                )
                .await?;
                if known.is_none() {
                    return Err(StoreError::NotFound("checkpoint"));
                }
                self.record(None, Change::Cosignature { log, size, witness, at, note });
            }
            _ => return Err(StoreError::Misuse("a write of an unexpected kind")),
        }
        Ok(())
    }

    /// Whether it was accepted or closed already; none if there is no such invitation.
    async fn invitation(&mut self, id: &[u8; 16]) -> Result<Option<bool>, StoreError> {
        let found = row(self.conn, "SELECT accepted, closed FROM invitation WHERE practice = $1 AND invitation = $2", bind![self.head.practice.as_bytes(), id]).await?;
        found.map(|r| Ok(r.maybe_int(0)?.is_some() || r.maybe_int(1)?.is_some())).transpose()
    }
}
