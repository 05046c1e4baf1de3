//! The roster: one line per chart of the caseload, verified once, searched in memory, kept sealed on the device.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use subrosa_crypto::DeviceKey;
use subrosa_model::{ChartId, Compartment, Hash32, TeamId};
use subrosa_protocol::access::{Purpose, What};
use subrosa_protocol::api::{RosterEntry, RosterPage};
use subrosa_protocol::chart::RosterRow;

use crate::open::unheld;
use crate::local::{Owner, open_local, seal_local};
use crate::search::{Hit, Index};
use crate::vault::Vault;
use crate::verify::{self, Worth};
use crate::ClientError;

/// How many changed rows are searched beside the large index before it is built anew.
const OVERLAY: usize = 512;

/// The caseload in memory.
#[derive(Default)]
pub struct Roster {
    rows: BTreeMap<ChartId, RosterRow>,
    cursor: u64,
    base: Index,
    base_charts: Vec<ChartId>,
    overlay: Index,
    overlay_charts: Vec<ChartId>,
    /// Charts whose row in `base` no longer holds.
    stale: BTreeSet<ChartId>,
    unsettled: Vec<ChartId>,
    /// Charts whose row is well signed and yet does not open.
    damaged: BTreeSet<ChartId>,
    /// From which version of the identity each row seen in this session was drawn.
    drawn: BTreeMap<ChartId, Hash32>,
}

/// A row that was found.
#[derive(Debug, Clone, Copy)]
pub struct Found<'r> {
    /// Its chart.
    pub chart: ChartId,
    /// The row.
    pub row: &'r RosterRow,
}

/// What a synchronisation changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RosterChange {
    /// Rows new or changed.
    pub put: usize,
    /// Rows gone.
    pub removed: usize,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    cursor: u64,
    rows: Vec<(ChartId, RosterRow)>,
}

impl Roster {
    /// How many charts.
    pub fn len(&self) -> usize {
        self.rows.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
    /// One chart's row.
    pub fn row(&self, chart: &ChartId) -> Option<&RosterRow> {
        self.rows.get(chart)
    }
    /// Charts whose row was damaged by whoever made it, or whose key was: they are missing from the list until somebody writes their identity anew.
    pub fn damaged(&self) -> &BTreeSet<ChartId> {
        &self.damaged
    }
    /// Every row, by chart id.
    pub fn rows(&self) -> impl Iterator<Item = Found<'_>> {
        self.rows.iter().map(|(chart, row)| Found { chart: *chart, row })
    }

    pub(crate) fn put(&mut self, chart: ChartId, row: RosterRow) {
        self.rows.insert(chart, row);
        self.changed([chart]);
    }

    /// Puts a row without indexing it; [`Self::settle`] does that for many at once.
    pub(crate) fn put_quietly(&mut self, chart: ChartId, row: RosterRow) {
        self.rows.insert(chart, row);
        self.unsettled.push(chart);
    }

    pub(crate) fn settle(&mut self) {
        let charts = core::mem::take(&mut self.unsettled);
        if !charts.is_empty() {
            self.changed(charts);
        }
    }

    fn changed(&mut self, charts: impl IntoIterator<Item = ChartId>) {
        let mut touched: BTreeSet<ChartId> = self.overlay_charts.iter().copied().collect();
        touched.extend(charts);
        if touched.len() > OVERLAY || self.base_charts.is_empty() {
            return self.build();
        }
        self.stale.extend(&touched);
        self.overlay_charts = touched.into_iter().filter(|c| self.rows.contains_key(c)).collect();
        self.overlay = Index::build(self.overlay_charts.iter().filter_map(|c| self.rows.get(c)));
    }

    fn build(&mut self) {
        self.base_charts = self.rows.keys().copied().collect();
        self.base = Index::build(self.rows.values());
        self.overlay = Index::default();
        self.overlay_charts.clear();
        self.stale.clear();
    }

    /// A roster of given rows, for measurements and tools that bring their own.
    pub fn of_rows(rows: impl IntoIterator<Item = (ChartId, RosterRow)>) -> Self {
        let mut roster = Roster { rows: rows.into_iter().collect(), ..Roster::default() };
        roster.build();
        roster
    }

    /// Search as you type: every part of `text` has to fit. Parts are beginnings of names (typos allowed from the fourth letter on), birth dates as people write
    /// them (`1980`, `13.5.1980`, `5/13/80`), digits of a phone number, beginnings of e-mail addresses and record numbers. Best first, then by name.
    pub fn search(&self, text: &str, limit: usize) -> Vec<Found<'_>> {
        let base = self.base.search(text, limit + self.stale.len()).into_iter().filter_map(|hit| Some((hit, *self.base_charts.get(hit.2 as usize)?)));
        let base = base.filter(|(_, chart)| !self.stale.contains(chart));
        let overlay = self.overlay.search(text, limit).into_iter().filter_map(|hit| Some((hit, *self.overlay_charts.get(hit.2 as usize)?)));
        let mut found: Vec<(Hit, Found<'_>)> =
            base.chain(overlay).filter_map(|(hit, chart)| Some((hit, Found { chart, row: self.rows.get(&chart)? }))).collect();
        if !self.overlay_charts.is_empty() {
            let name = |f: &Found<'_>| (f.row.family.to_lowercase(), f.row.given.to_lowercase());
            found.sort_by_cached_key(|(hit, f)| (hit.0, name(f)));
        }
        found.into_iter().take(limit).map(|(_, f)| f).collect()
    }
}

impl Vault {
    /// The caseload as last synchronised.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Searches the caseload. See [`Roster::search`].
    pub fn search(&self, text: &str, limit: usize) -> Vec<Found<'_>> {
        self.roster.search(text, limit)
    }

    /// Fetches what changed in the caseload since the last time, page by page. Each page is recorded first and verified before any row is opened; what came
    /// with earlier pages stays when a later one fails.
    ///
    /// # Errors
    /// [`ClientError::ForgedRoster`], [`ClientError::WrongWrap`], [`ClientError::MissingLeaf`] and the other attacks by name; refusals.
    pub async fn sync_roster(&mut self) -> Result<RosterChange, ClientError> {
        let mut change = RosterChange::default();
        loop {
            let request = self.sign_request(&[], &[Compartment::Identity], Purpose::Roster, self.roster.cursor);
            let page: RosterPage = self.conn.post("/v1/roster", &request.ask, Some(&self.session)).await?;
            // The leaf of the synchronisation itself names no chart; each listed chart also has one of its own in its chain.
            let asked = self.asked(request.hash, &[], &[Compartment::Identity], &[What::Listed]);
            let pin = verify::extension(&page.extension, &self.practice, self.directory.log_key(), &self.pins.ledger)?;
            page.leaf.verify(&pin).map_err(|_| ClientError::MissingLeaf)?;
            verify::own_event(page.leaf.opened.event.as_ref(), None, &asked)?;
            let rows = match self.open_rows(&page) {
                Err(ClientError::UnknownSigner | ClientError::WrongEpoch) => {
                    self.sync().await?;
                    self.open_rows(&page).map_err(unheld)?
                }
                other => other?,
            };
            if page.more && page.cursor <= self.roster.cursor {
                return Err(ClientError::BadAnswer("the roster does not move on"));
            }
            self.pins.ledger = pin;
            self.roster.cursor = page.cursor;
            let mut touched = Vec::with_capacity(rows.len());
            for (chart, row) in rows {
                match row {
                    Some(None) => {
                        self.roster.damaged.insert(chart);
                        continue;
                    }
                    Some(Some((row, from))) => {
                        self.roster.damaged.remove(&chart);
                        if let Some(before) = self.roster.drawn.insert(chart, from).filter(|before| *before != from) {
                            self.pins.superseded.insert(before);
                        }
                        self.roster.rows.insert(chart, row);
                        change.put += 1;
                    }
                    None => change.removed += usize::from(self.roster.rows.remove(&chart).is_some()),
                }
                touched.push(chart);
            }
            if !touched.is_empty() {
                self.roster.changed(touched);
            }
            if !page.more {
                return Ok(change);
            }
        }
    }

    #[allow(clippy::type_complexity)]
    fn open_rows(&self, page: &RosterPage) -> Result<Vec<(ChartId, Option<Option<(RosterRow, Hash32)>>)>, ClientError> {
        page.rows.iter().map(|item| Ok((item.chart, item.row.as_ref().map(|entry| self.open_row(item.chart, entry)).transpose()?))).collect()
    }

    fn open_row(&self, chart: ChartId, entry: &RosterEntry) -> Result<Option<(RosterRow, Hash32)>, ClientError> {
        let held = |team: TeamId, epoch: u32| self.epoch(team, epoch);
        let (statement, worth) = verify::wrap(&entry.wrap, chart, &[Compartment::Identity], &self.reader(&held))?;
        let signer = self.signers.find(&entry.blob.signer_id().map_err(|_| ClientError::ForgedRoster)?)?;
        let context = entry.blob.verify(&self.practice, &signer.key).map_err(|_| ClientError::ForgedRoster)?;
        if context.chart != chart || context.key != statement.context.key {
            return Err(ClientError::ForgedRoster);
        }
        if self.pins.superseded.contains(&context.drawn_from) {
            return Err(ClientError::Rollback);
        }
        if worth == Worth::Nothing {
            return Ok(None);
        }
        // Both are what their makers signed: what does not open now is a maker's doing, not the server's.
        let row = self.unwrap(&statement, &entry.wrap).ok().and_then(|key| entry.blob.open(&key, &context).ok());
        Ok(row.map(|row| (row, context.drawn_from)))
    }

    /// The caseload, sealed for this device. It counts as released: whoever opens the bundle on this device reads it.
    pub fn seal_roster(&self) -> Vec<u8> {
        let rows = self.roster.rows.iter().map(|(c, r)| (*c, r.clone())).collect();
        seal_local(&self.local, self.owner(), "roster", &Kept { cursor: self.roster.cursor, rows })
    }

    /// Takes the device's sealed copy, so that search works at once; [`Self::sync_roster`] then fetches only what changed since.
    ///
    /// # Errors
    /// [`ClientError::LocalCopy`] when it does not open: synchronise instead.
    pub fn load_roster(&mut self, sealed: &[u8]) -> Result<(), ClientError> {
        self.roster = kept_rows(&self.local, self.owner(), sealed)?;
        Ok(())
    }
}

/// Opens a device's sealed copy.
pub(crate) fn kept_rows(key: &DeviceKey, owner: Owner, sealed: &[u8]) -> Result<Roster, ClientError> {
    let kept: Kept = open_local(key, owner, "roster", sealed)?;
    let mut roster = Roster::of_rows(kept.rows);
    roster.cursor = kept.cursor;
    Ok(roster)
}
