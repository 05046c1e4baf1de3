//! Reading: the directory, seals, releases, rosters, relations.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::any::AnyRow;
use subrosa_crypto::cbor;
use subrosa_model::{Bytes, ChartId, Compartment, EntryId, MemberId, RelationId, TeamId, Timestamp};
use subrosa_protocol::api::{DirectoryPage, ReleasedChart, StoredEntry};
use subrosa_protocol::chart::{Target, Wrap};
use subrosa_protocol::directory::Recipient;
use subrosa_protocol::keys::EpochSeal;

use crate::change::Change;
use crate::keys::{self, SealName, SealedRow, WrapName};
use crate::plan::{ChartState, CustodyHalf, RelationRow};
use crate::sql::{CHUNK, Columns, Value, bind, int, listed, row, rows};
use crate::{Store, StoreError, view};

/// Most directory statements in one page.
const DIRECTORY_PAGE: i64 = 10_000;

/// Whose wraps are wanted: those to any epoch of these teams, and those to this member.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    /// Teams.
    pub teams: BTreeSet<TeamId>,
    /// The member whose own wraps are wanted too.
    pub member: Option<MemberId>,
}

impl Targets {
    fn include(&self, target: &Target) -> bool {
        match target {
            Target::Team { team, .. } => self.teams.contains(team),
            Target::Member { member } => self.member.as_ref() == Some(member),
        }
    }
}

impl Store {
    /// Directory statements from `after` on, at most 10,000, with the log's size.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn directory(&self, after: u64) -> Result<DirectoryPage, StoreError> {
        let practice = self.founded()?;
        let mut conn = self.shared.main.reader().await?;
        let found = rows(
            &mut conn,
            "SELECT j.body FROM directory_entry d JOIN journal j ON j.practice = d.practice AND j.seq = d.seq WHERE d.practice = $1 AND d.n >= $2 ORDER BY d.n LIMIT $3",
            bind![practice.as_bytes(), int(after)?, DIRECTORY_PAGE],
        )
        .await?;
        let entries = found
            .iter()
            .map(|r| match Change::decode(&r.blob(0)?)? {
                Change::Directory { entry, .. } => Ok(entry),
                _ => Err(StoreError::damaged("the directory points to another record")),
            })
            .collect::<Result<Vec<Bytes>, StoreError>>()?;
        let size = row(&mut conn, "SELECT COUNT(*) FROM directory_entry WHERE practice = $1", bind![practice.as_bytes()]).await?;
        Ok(DirectoryPage { entries, size: size.map_or(Ok(0), |r| r.count(0))? })
    }

    /// Epoch seals to these recipients, and the chains of these teams.
    ///
    /// # Errors
    /// `not-founded`, `store-key`, `unavailable`.
    pub async fn epoch_seals(&self, recipients: &[Recipient], teams: &[TeamId]) -> Result<Vec<EpochSeal>, StoreError> {
        let practice = self.founded()?;
        let tags: Vec<Vec<u8>> = recipients.iter().map(keys::recipient_tag).chain(teams.iter().map(keys::team_tag)).collect();
        let mut out = Vec::new();
        let sealed = self.shared.keys.tagged(&practice, keys::EPOCH_SEAL, &tags).await?;
        for sealed in self.recorded(sealed).await? {
            let name: SealName = cbor::decode(&sealed.name)?;
            let value = self.shared.keys.open_row(&sealed).await?;
            out.push(EpochSeal { team: name.team, epoch: name.epoch, to: name.to, sealed: value.to_vec().into() });
        }
        out.sort_by_key(|s| (s.team, s.epoch));
        Ok(out)
    }

    /// Wraps and entries of charts, in the order asked. Call it after the release was committed. An erased chart has none.
    ///
    /// # Errors
    /// `unknown-chart`, `store-key`, `unavailable`.
    pub async fn release(&self, charts: &[ChartId], targets: &Targets, compartments: &[Compartment]) -> Result<Vec<ReleasedChart>, StoreError> {
        let practice = self.founded()?;
        let known = view::charts(&mut *self.shared.main.reader().await?, &practice, charts).await?;
        let mut out: BTreeMap<ChartId, ReleasedChart> = BTreeMap::new();
        for chart in charts {
            if !known.contains_key(chart) {
                return Err(StoreError::UnknownChart);
            }
            out.insert(*chart, ReleasedChart { chart: *chart, wraps: Vec::new(), entries: Vec::new() });
        }
        let living: Vec<ChartId> = charts.iter().filter(|c| known.get(c).is_some_and(|s| s.erased.is_none())).copied().collect();
        for (chart, _, wrap) in self.wraps(&living, targets, compartments).await? {
            if let Some(released) = out.get_mut(&chart) {
                released.wraps.push(wrap);
            }
        }
        let mut conn = self.shared.main.reader().await?;
        for chunk in living.chunks(CHUNK) {
            let mut values = bind![practice.as_bytes()];
            values.extend(chunk.iter().map(|c| Value::from(c.as_bytes())));
            let sql = listed(
                "SELECT e.chart, e.compartment, j.body, e.received, e.conflict FROM entry e JOIN journal j ON j.practice = e.practice AND j.seq = e.seq \
                 WHERE e.practice = $1 AND e.chart IN ({list}) ORDER BY e.seq",
                1,
                chunk.len(),
            );
            for found in rows(&mut conn, sql, values).await? {
                let compartment = Compartment::from_number(found.int(1)?).ok_or_else(|| StoreError::damaged("a compartment's number"))?;
                if !compartments.contains(&compartment) {
                    continue;
                }
                if let Some(released) = out.get_mut(&found.id(0, ChartId::from_slice)?) {
                    released.entries.push(stored_entry(&found, 2)?);
                }
            }
        }
        drop(conn);
        Ok(charts.iter().filter_map(|c| out.remove(c)).collect())
    }

    pub(crate) async fn wraps(&self, charts: &[ChartId], targets: &Targets, compartments: &[Compartment]) -> Result<Vec<(ChartId, WrapName, Wrap)>, StoreError> {
        let practice = self.founded()?;
        let mut out = Vec::new();
        let mut wanted = Vec::new();
        for sealed in self.shared.keys.of_charts(&practice, keys::WRAP, charts).await? {
            let name: WrapName = cbor::decode(&sealed.name)?;
            if compartments.contains(&name.compartment) && targets.include(&name.target) {
                wanted.push(sealed);
            }
        }
        for sealed in self.recorded(wanted).await? {
            let SealedRow { chart: Some(chart), .. } = &sealed else { continue };
            let wrap: Wrap = cbor::decode(&self.shared.keys.open_row(&sealed).await?)?;
            out.push((*chart, cbor::decode(&sealed.name)?, wrap));
        }
        Ok(out)
    }

    /// Those rows that the journal names. A row that it does not name was stored just before a crash, in an operation that nobody was told had succeeded.
    async fn recorded(&self, found: Vec<SealedRow>) -> Result<Vec<SealedRow>, StoreError> {
        let practice = self.founded()?;
        let mut hashes = Vec::with_capacity(found.len());
        for sealed in &found {
            hashes.push(sealed.hash()?.ok_or_else(|| StoreError::damaged("a key row without a hash"))?);
        }
        let mut named = BTreeSet::new();
        let mut conn = self.shared.main.reader().await?;
        for chunk in hashes.chunks(CHUNK) {
            let mut values = bind![practice.as_bytes()];
            values.extend(chunk.iter().map(|h| Value::from(*h)));
            for row in rows(&mut conn, listed("SELECT hash FROM key_name WHERE practice = $1 AND hash IN ({list})", 1, chunk.len()), values).await? {
                named.insert(row.hash(0)?);
            }
        }
        Ok(found.into_iter().zip(hashes).filter(|(_, hash)| named.contains(hash)).map(|(sealed, _)| sealed).collect())
    }

    /// The custody halves of a chart's keys.
    ///
    /// # Errors
    /// `store-key`, `unavailable`.
    pub async fn custody(&self, chart: &ChartId) -> Result<Vec<CustodyHalf>, StoreError> {
        let practice = self.founded()?;
        let mut out = Vec::new();
        let sealed = self.shared.keys.of_charts(&practice, keys::CUSTODY, &[*chart]).await?;
        for sealed in self.recorded(sealed).await? {
            out.push(cbor::decode(&self.shared.keys.open_row(&sealed).await?)?);
        }
        Ok(out)
    }

    /// A chart, if it exists.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn chart(&self, chart: &ChartId) -> Result<Option<ChartState>, StoreError> {
        let practice = self.founded()?;
        Ok(view::charts(&mut *self.shared.main.reader().await?, &practice, &[*chart]).await?.remove(chart))
    }

    /// Charts by id, those after `after`, at most `limit`.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn charts(&self, after: Option<ChartId>, limit: u32) -> Result<Vec<ChartState>, StoreError> {
        let practice = self.founded()?;
        let after = after.map(|c| c.0.to_vec()).unwrap_or_default();
        let mut conn = self.shared.main.reader().await?;
        let found = rows(
            &mut conn,
            "SELECT c.chart, c.canary, c.maker, c.made, c.erased, h.count FROM chart c LEFT JOIN chart_head h ON h.practice = c.practice AND h.chart = c.chart \
             WHERE c.practice = $1 AND c.chart > $2 ORDER BY c.chart LIMIT $3",
            bind![practice.as_bytes(), after, i64::from(limit)],
        )
        .await?;
        found.iter().map(view::chart_state).collect()
    }

    /// Relations to a chart, oldest first.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn relations_of_chart(&self, chart: &ChartId) -> Result<Vec<RelationRow>, StoreError> {
        self.relations_where(
            "SELECT j.body, r.counts_from FROM relation r JOIN journal j ON j.practice = r.practice AND j.seq = r.seq WHERE r.practice = $1 AND r.chart = $2 ORDER BY r.seq",
            chart.as_bytes(),
        )
        .await
    }

    /// Relations of a member, oldest first.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn relations_of_member(&self, member: &MemberId) -> Result<Vec<RelationRow>, StoreError> {
        self.relations_where(
            "SELECT j.body, r.counts_from FROM relation r JOIN journal j ON j.practice = r.practice AND j.seq = r.seq WHERE r.practice = $1 AND r.member = $2 ORDER BY r.seq",
            member.as_bytes(),
        )
        .await
    }

    /// One relation.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn relation(&self, relation: &RelationId) -> Result<Option<RelationRow>, StoreError> {
        let found = self
            .relations_where(
                "SELECT j.body, r.counts_from FROM relation r JOIN journal j ON j.practice = r.practice AND j.seq = r.seq WHERE r.practice = $1 AND r.relation = $2",
                relation.as_bytes(),
            )
            .await?;
        Ok(found.into_iter().next())
    }

    async fn relations_where(&self, sql: &'static str, id: &[u8; 16]) -> Result<Vec<RelationRow>, StoreError> {
        let practice = self.founded()?;
        let mut conn = self.shared.main.reader().await?;
        rows(&mut conn, sql, bind![practice.as_bytes(), id]).await?.iter().map(view::relation_row).collect()
    }

    /// The heads of an entry: one, or several in conflict.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn entry_heads(&self, entry: &EntryId) -> Result<Vec<StoredEntry>, StoreError> {
        let practice = self.founded()?;
        let mut conn = self.shared.main.reader().await?;
        let found = rows(
            &mut conn,
            "SELECT j.body, e.received, e.conflict FROM entry e JOIN journal j ON j.practice = e.practice AND j.seq = e.seq WHERE e.practice = $1 AND e.entry = $2 AND e.is_head = 1 ORDER BY e.seq",
            bind![practice.as_bytes(), entry.as_bytes()],
        )
        .await?;
        found.iter().map(|r| stored_entry(r, 0)).collect()
    }
}

/// From `body, received, conflict` beginning at column `i`.
fn stored_entry(found: &AnyRow, i: usize) -> Result<StoredEntry, StoreError> {
    let Change::Entry { blob } = Change::decode(&found.blob(i)?)? else {
        return Err(StoreError::damaged("an entry points to another record"));
    };
    Ok(StoredEntry { blob, received: Timestamp(found.int(i + 1)?), conflict: found.flag(i + 2)? })
}
