use std::collections::{BTreeMap, BTreeSet};

use subrosa_crypto::Signed;
use subrosa_model::{ChartId, Compartment, MemberId, PracticeId};
use subrosa_protocol::api::{RosterEntry, RosterItem};
use subrosa_protocol::chart::{RosterBlob, RosterStatement, Target, Wrap};

use crate::change::Change;
use crate::keys::WrapName;
use crate::read::Targets;
use crate::sql::{CHUNK, Columns, Value, bind, int, listed, rows};
use crate::{Store, StoreError};

/// A page of roster rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterRows {
    /// Rows, by cursor.
    pub rows: Vec<RosterItem>,
    /// Cursor after the last row.
    pub cursor: u64,
    /// Whether more follow.
    pub more: bool,
}

impl Store {
    /// What changed after cursor `after` in the roster of `charts`, at most `limit` rows.
    ///
    /// A chart's place is the journal sequence of what last changed its standing: its row, the member's relation to it, its erasure. The last page of a roster that was read
    /// before also names the charts of `member` that are no longer among `charts`. A chart without a row, or whose row none of `targets` opens, is left out.
    ///
    /// # Errors
    /// `not-founded`, `store-key`, `unavailable`.
    pub async fn roster(&self, member: Option<&MemberId>, charts: &[ChartId], targets: &Targets, after: u64, limit: u32) -> Result<RosterRows, StoreError> {
        let practice = self.founded()?;
        let mut places = self.places(&practice, charts).await?;
        let mut left = BTreeSet::new();
        if let Some(member) = member {
            let wanted: BTreeSet<&ChartId> = charts.iter().collect();
            let sql = "SELECT chart, MAX(changed) FROM relation WHERE practice = $1 AND member = $2 GROUP BY chart";
            for found in rows(&mut *self.shared.main.reader().await?, sql, bind![practice.as_bytes(), member.as_bytes()]).await? {
                let (chart, changed) = (found.id(0, ChartId::from_slice)?, found.count(1)?);
                match places.get_mut(&chart) {
                    Some(place) => place.at = place.at.max(changed),
                    None if !wanted.contains(&chart) => {
                        left.insert(chart);
                    }
                    None => {}
                }
            }
        }
        let mut order: Vec<(u64, ChartId)> = places.iter().map(|(chart, place)| (place.at, *chart)).filter(|(at, _)| *at > after).collect();
        order.sort_unstable();
        let more = order.len() > limit as usize;
        // No two charts share a place: each journal record has a sequence of its own and is about one chart.
        order.truncate(limit as usize);
        let page: Vec<ChartId> = order.iter().map(|(_, chart)| *chart).collect();
        let living: Vec<ChartId> = page.iter().filter(|c| places.get(c).is_some_and(|p| !p.erased)).copied().collect();
        let mut wraps: BTreeMap<ChartId, Vec<(WrapName, Wrap)>> = BTreeMap::new();
        for (chart, name, wrap) in self.wraps(&living, targets, &[Compartment::Identity]).await? {
            wraps.entry(chart).or_default().push((name, wrap));
        }
        let mut blobs = self.roster_blobs(&practice, &living).await?;
        let mut out = Vec::with_capacity(page.len());
        for chart in &page {
            if places.get(chart).is_some_and(|p| p.erased) {
                out.push(RosterItem { chart: *chart, row: None });
                continue;
            }
            let Some(blob) = blobs.remove(chart) else { continue };
            let key = Signed::<RosterStatement>::from_bytes(&blob.signed)?.peek_unverified()?.context.key;
            let candidates = wraps.remove(chart).unwrap_or_default();
            let newest = candidates.into_iter().filter(|(name, _)| name.key == key).max_by_key(|(name, _)| match name.target {
                Target::Team { epoch, .. } => epoch,
                Target::Member { .. } => 0,
            });
            if let Some((_, wrap)) = newest {
                out.push(RosterItem { chart: *chart, row: Some(RosterEntry { blob, wrap }) });
            }
        }
        if !more && after > 0 {
            out.extend(left.into_iter().map(|chart| RosterItem { chart, row: None }));
        }
        let cursor = order.last().map_or(after, |(at, _)| *at);
        Ok(RosterRows { rows: out, cursor, more })
    }

    async fn places(&self, practice: &PracticeId, charts: &[ChartId]) -> Result<BTreeMap<ChartId, PlaceInRoster>, StoreError> {
        let mut conn = self.shared.main.reader().await?;
        let mut out = BTreeMap::new();
        for chunk in charts.chunks(CHUNK) {
            let mut values = bind![practice.as_bytes()];
            values.extend(chunk.iter().map(|c| Value::from(c.as_bytes())));
            let sql = listed(
                "SELECT c.chart, r.seq, c.erased_seq FROM chart c JOIN roster r ON r.practice = c.practice AND r.chart = c.chart WHERE c.practice = $1 AND c.chart IN ({list})",
                1,
                chunk.len(),
            );
            for found in rows(&mut conn, sql, values).await? {
                let erased = found.maybe_int(2)?.and_then(|n| u64::try_from(n).ok());
                let at = found.count(1)?.max(erased.unwrap_or(0));
                out.insert(found.id(0, ChartId::from_slice)?, PlaceInRoster { at, erased: erased.is_some() });
            }
        }
        Ok(out)
    }

    async fn roster_blobs(&self, practice: &PracticeId, charts: &[ChartId]) -> Result<BTreeMap<ChartId, RosterBlob>, StoreError> {
        let mut conn = self.shared.main.reader().await?;
        let mut out = BTreeMap::new();
        for chunk in charts.chunks(CHUNK) {
            let mut values = bind![practice.as_bytes()];
            values.extend(chunk.iter().map(|c| Value::from(c.as_bytes())));
            let sql = listed("SELECT r.chart, j.body FROM roster r JOIN journal j ON j.practice = r.practice AND j.seq = r.seq WHERE r.practice = $1 AND r.chart IN ({list})", 1, chunk.len());
            for found in rows(&mut conn, sql, values).await? {
                let Change::RosterRow { blob } = Change::decode(&found.blob(1)?)? else {
                    return Err(StoreError::damaged("a roster row points to another record"));
                };
                out.insert(found.id(0, ChartId::from_slice)?, blob);
            }
        }
        Ok(out)
    }

    /// Objects that came after journal sequence `seq`: hash and length, oldest first.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn objects_since(&self, seq: u64) -> Result<Vec<(subrosa_model::Hash32, u64)>, StoreError> {
        let practice = self.founded()?;
        let sql = "SELECT hash, length FROM object WHERE practice = $1 AND seq > $2 ORDER BY seq";
        let found = rows(&mut *self.shared.main.reader().await?, sql, bind![practice.as_bytes(), int(seq)?]).await?;
        found.iter().map(|r| Ok((r.hash(0)?, r.count(1)?))).collect()
    }
}

struct PlaceInRoster {
    at: u64,
    erased: bool,
}
