//! Importing what another system exported, through the same sealing as everything that is written by hand.
//!
//! Ids of charts and entries are drawn from the source's keys with a secret of the care team, so a repeated import finds what is there already, from any
//! member's machine, and the ids tell the server nothing. A chart's identity and roster row go last: a half-finished chart is not listed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use subrosa_crypto::{KitKey, mac, random};
use subrosa_model::{ChartId, Compartment, EntryId, TeamKind};
use subrosa_protocol::api::{EntryOutcome, NewEntries};
use subrosa_protocol::chart::{RosterBlob, RosterRow};
use subrosa_protocol::entry::{EntryBlob, MAX_BODY};
use subrosa_protocol::whomay::{Action, Standing, Verdict, may};
use subrosa_records::{IdentityCard, ImportBatch, ImportItem};
use zeroize::Zeroizing;

use crate::ClientError;
use crate::attachments::{MAX_FILE, NewFile};
use crate::passkey::Authenticator;
use crate::vault::Vault;
use crate::write::NewBody;

/// Sealed bytes gathered before a request is sent.
const SEND_AT: usize = 8 * 1024 * 1024;
/// Entries gathered before a request is sent.
const SEND_COUNT: usize = 1000;
/// Room for a body's frame below the largest body.
const FRAME: usize = 64 * 1024;
/// Key under which things that belong to the practice are kept.
const PRACTICE_KEY: &str = "subrosa/practice";

/// The choices of an import.
#[derive(Debug, Clone, Copy)]
pub struct ImportOptions {
    /// How many charts are begun together. A crash leaves at most so many half finished.
    pub charts_at_once: usize,
    /// Keep what belongs to no patient (organisations, practitioners) in a chart of the practice's own, so that an export is complete.
    pub keep_unowned: bool,
}

impl Default for ImportOptions {
    fn default() -> Self {
        ImportOptions { charts_at_once: 16, keep_unowned: true }
    }
}

/// How far an import is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportProgress {
    /// Charts finished.
    pub charts_done: usize,
    /// Charts in all.
    pub charts: usize,
    /// Entries written or found to be there.
    pub entries_done: usize,
    /// Entries in all.
    pub entries: usize,
    /// Bytes of content written.
    pub bytes: u64,
}

/// What became of an import.
#[derive(Debug, Clone, Default)]
pub struct ImportReport {
    /// New charts.
    pub charts_made: usize,
    /// Charts that were there already.
    pub charts_known: usize,
    /// New entries.
    pub entries: usize,
    /// Entries that were there already.
    pub entries_known: usize,
    /// Bytes of content written.
    pub bytes: u64,
    /// What was not taken, and why.
    pub skipped: Vec<Skipped>,
    /// Chart of each patient of the source, by its key.
    pub charts: BTreeMap<String, ChartId>,
}

/// Something that was not imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Where in the source.
    pub at: String,
    /// Stable code.
    pub code: &'static str,
    /// For a person.
    pub reason: String,
}

/// What an import has done so far: seal it ([`Vault::seal_import`]) and give it back to go on after a crash without opening charts again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportState {
    done: BTreeSet<EntryId>,
    charts: BTreeSet<ChartId>,
}

/// One chart's share of an import.
struct Share<'b> {
    chart: ChartId,
    row: RosterRow,
    /// Identity from a card, where the source has no identity entry.
    card: Option<(EntryId, NewBody)>,
    items: Vec<(EntryId, &'b ImportItem)>,
}

/// What is ready to be sent.
#[derive(Default)]
struct Parcel {
    entries: Vec<EntryBlob>,
    named: Vec<(EntryId, u64)>,
    rows: Vec<RosterBlob>,
    bytes: usize,
}

impl Vault {
    /// The import's state, sealed for this device.
    pub fn seal_import(&self, state: &ImportState) -> Vec<u8> {
        crate::local::seal_local(&self.local, self.owner(), "import", state)
    }

    /// Opens such a state.
    ///
    /// # Errors
    /// [`ClientError::LocalCopy`]: begin with an empty one, which is slower and gives the same result.
    pub fn open_import(&self, sealed: &[u8]) -> Result<ImportState, ClientError> {
        crate::local::open_local(&self.local, self.owner(), "import", sealed)
    }

    /// The secret that ids are drawn with: of the first care team, so that every one of its members draws the same.
    fn import_secret(&self) -> Zeroizing<[u8; 32]> {
        let first = self.directory.teams().iter().filter(|(_, t)| t.kind == TeamKind::Care).filter_map(|(id, t)| Some((t.epochs.first()?.seq, *id))).min();
        let shared = first.and_then(|(_, team)| self.epochs.get(&(team, 1)));
        let key: KitKey = match shared {
            Some(epoch) => epoch.derive_subkey("import-ids", &[self.practice.as_bytes()]),
            None => self.local.derive_subkey("import-ids", &[self.practice.as_bytes()]),
        };
        Zeroizing::new(*key.expose())
    }

    /// Imports a batch. Repeating it, or going on after it broke off, writes only what is missing; `state` is brought up to date as it goes.
    /// `passkey` is asked when the gate wants it because many charts that are already there have to be compared.
    ///
    /// # Errors
    /// The first refusal that is not about a single item; what was written by then stays, and `state` knows it.
    pub async fn import(
        &mut self,
        batch: &ImportBatch,
        state: &mut ImportState,
        options: &ImportOptions,
        passkey: Option<&dyn Authenticator>,
        mut progress: impl FnMut(&ImportProgress),
    ) -> Result<ImportReport, ClientError> {
        self.turn_epochs_if_needed().await?;
        let mut report = ImportReport::default();
        report.skipped.extend(batch.skipped.iter().map(|r| Skipped { at: r.at.clone(), code: r.code, reason: r.reason.clone() }));
        let shares = self.shares(batch, options, &mut report);
        let mut so_far = ImportProgress { charts: shares.len(), entries: shares.iter().map(|s| s.items.len() + usize::from(s.card.is_some())).sum(), ..Default::default() };
        progress(&so_far);
        for group in shares.chunks(options.charts_at_once.max(1)) {
            self.import_group(group, state, passkey, &mut report).await?;
            so_far.charts_done += group.len();
            so_far.entries_done += group.iter().map(|s| s.items.len() + usize::from(s.card.is_some())).sum::<usize>();
            so_far.bytes = report.bytes;
            progress(&so_far);
        }
        Ok(report)
    }

    fn shares<'b>(&self, batch: &'b ImportBatch, options: &ImportOptions, report: &mut ImportReport) -> Vec<Share<'b>> {
        let secret = self.import_secret();
        let id = |what: &str, key: &[u8]| -> [u8; 16] {
            let tag = mac(secret.as_slice(), &[what.as_bytes(), b"\0", key]);
            core::array::from_fn(|i| tag[i])
        };
        let mut by_patient: BTreeMap<&str, Vec<(EntryId, &ImportItem)>> = BTreeMap::new();
        for item in &batch.items {
            by_patient.entry(item.patient_key.as_str()).or_default().push((EntryId(id("entry", &item.source_key)), item));
        }
        let mut shares = Vec::with_capacity(batch.patients.len() + 1);
        for patient in &batch.patients {
            let chart = ChartId(id("chart", patient.key.as_bytes()));
            let items = by_patient.remove(patient.key.as_str()).unwrap_or_default();
            let has_identity = items.iter().any(|(_, i)| i.compartment == Compartment::Identity);
            let card = (!has_identity).then(|| (EntryId(id("card", patient.key.as_bytes())), card_body(&patient.card)));
            report.charts.insert(patient.key.clone(), chart);
            shares.push(Share { chart, row: row_of(&patient.card), card, items });
        }
        let left: Vec<(EntryId, &ImportItem)> = batch.unowned.iter().map(|u| (EntryId(id("entry", &u.item.source_key)), &u.item)).collect();
        if options.keep_unowned && !left.is_empty() {
            let row = RosterRow { given: "imported records".to_owned(), family: "(Practice)".to_owned(), birth_date: String::new(), more: Vec::new() };
            let body = NewBody {
                schema: "practice-records/1".to_owned(),
                content_type: "application/json".to_owned(),
                title: "Records of the practice".to_owned(),
                occurred: None,
                body: b"{}".to_vec(),
            };
            let card = Some((EntryId(id("card", PRACTICE_KEY.as_bytes())), body));
            shares.push(Share { chart: ChartId(id("chart", PRACTICE_KEY.as_bytes())), row, card, items: left });
        } else {
            report.skipped.extend(batch.unowned.iter().map(|u| Skipped { at: u.item.title.clone(), code: u.why.code(), reason: u.why.reason().to_owned() }));
        }
        shares
    }

    async fn import_group(
        &mut self,
        group: &[Share<'_>],
        state: &mut ImportState,
        passkey: Option<&dyn Authenticator>,
        report: &mut ImportReport,
    ) -> Result<(), ClientError> {
        let finished = |s: &Share<'_>, state: &ImportState| {
            state.charts.contains(&s.chart) && s.items.iter().all(|(e, _)| state.done.contains(e)) && s.card.as_ref().is_none_or(|(e, _)| state.done.contains(e))
        };
        let open: Vec<&Share<'_>> = group.iter().filter(|s| !finished(s, state)).collect();
        for share in group.iter().filter(|s| finished(s, state)) {
            report.charts_known += 1;
            report.entries_known += share.items.len() + usize::from(share.card.is_some());
        }
        let known = self.make_missing(&open, state, report).await?;
        if !known.is_empty() {
            self.compare(&known, state, passkey).await?;
        }
        // Everything else first; identity and the roster row only once all of it is there.
        let mut parcel = Parcel::default();
        for identity in [false, true] {
            for share in &open {
                for (entry, item) in share.items.iter().filter(|(_, i)| (i.compartment == Compartment::Identity) == identity) {
                    let row = identity.then_some(&share.row);
                    self.pack(share.chart, *entry, item.compartment, body_of(item), row, &mut parcel, state, report).await?;
                    self.send_if_full(&mut parcel, state, report).await?;
                }
                if let (true, Some((entry, body))) = (identity, &share.card) {
                    self.pack(share.chart, *entry, Compartment::Identity, body.clone(), Some(&share.row), &mut parcel, state, report).await?;
                    self.send_if_full(&mut parcel, state, report).await?;
                }
            }
            self.send_parcel(&mut parcel, state, report).await?;
        }
        for share in &open {
            state.charts.insert(share.chart);
            self.close_chart(share.chart);
        }
        Ok(())
    }

    /// Makes the charts that are not there. Gives those that are.
    async fn make_missing(&mut self, open: &[&Share<'_>], state: &ImportState, report: &mut ImportReport) -> Result<Vec<ChartId>, ClientError> {
        let (mut known, mut missing) = (Vec::new(), Vec::new());
        for share in open {
            let there = state.charts.contains(&share.chart) || self.roster.row(&share.chart).is_some();
            if there { known.push(share.chart) } else { missing.push(share.chart) }
        }
        let key = || random::make_bytes::<16>().to_vec().into();
        if !missing.is_empty() {
            match self.make_empty_charts(&missing, key()).await {
                Ok(()) => report.charts_made += missing.len(),
                Err(e) if e.server_code() == Some("exists") => {
                    for chart in missing {
                        match self.make_empty_charts(&[chart], key()).await {
                            Ok(()) => report.charts_made += 1,
                            Err(e) if e.server_code() == Some("exists") => known.push(chart),
                            Err(e) => return Err(e),
                        }
                    }
                }
                Err(e) => return Err(e),
            }
        }
        report.charts_known += known.len();
        Ok(known)
    }

    /// Opens charts that are there already, to learn which entries they have and to get their keys.
    async fn compare(&mut self, known: &[ChartId], state: &mut ImportState, passkey: Option<&dyn Authenticator>) -> Result<(), ClientError> {
        let role = self.role()?;
        let all = [Compartment::Identity, Compartment::Admin, Compartment::Record];
        let readable: Vec<Compartment> = all.into_iter().filter(|c| may(role, Action::read(*c), Standing::Related) != Verdict::Never).collect();
        let opened = match (self.open_charts(known, &readable).await, passkey) {
            (Err(ClientError::GatePasskey), Some(passkey)) => {
                self.fresh(passkey).await?;
                self.open_charts(known, &readable).await?
            }
            (other, _) => other?,
        };
        state.done.extend(opened.iter().flat_map(|c| c.entries.iter().map(|e| e.entry)));
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    async fn pack(
        &mut self,
        chart: ChartId,
        entry: EntryId,
        compartment: Compartment,
        mut body: NewBody,
        row: Option<&RosterRow>,
        parcel: &mut Parcel,
        state: &ImportState,
        report: &mut ImportReport,
    ) -> Result<(), ClientError> {
        if state.done.contains(&entry) || parcel.named.iter().any(|(e, _)| *e == entry) {
            report.entries_known += 1;
            return Ok(());
        }
        let skip = |report: &mut ImportReport, code, reason: &str| report.skipped.push(Skipped { at: String::new(), code, reason: reason.to_owned() });
        if may(self.role()?, Action::write(compartment), Standing::Related) == Verdict::Never {
            skip(report, "never", "your role may not write this part of a chart");
            return Ok(());
        }
        if body.body.len() > MAX_FILE {
            skip(report, "too-large", "it is larger than 31 MiB");
            return Ok(());
        }
        let size = body.body.len() as u64;
        let key = self.writing_key(chart, compartment).await?;
        let files = if body.body.len() > MAX_BODY - FRAME {
            // Too large for an entry's body: it becomes the entry's file.
            let file = NewFile { name: body.title.clone(), content_type: body.content_type.clone(), bytes: core::mem::take(&mut body.body) };
            self.upload(chart, compartment, entry, &key, &[file]).await?
        } else {
            Default::default()
        };
        let ready = self.seal_version_with(chart, compartment, &key, entry, None, body, files)?;
        if let Some(row) = row {
            let sealed = self.seal_row(chart, &key, ready.hash, row)?;
            parcel.bytes += sealed.sealed.len();
            parcel.rows.push(sealed);
            self.roster.put_quietly(chart, row.clone());
        }
        parcel.bytes += ready.blob.sealed.len() + ready.blob.signed.len();
        parcel.entries.push(ready.blob);
        parcel.named.push((entry, size));
        Ok(())
    }

    async fn send_if_full(&mut self, parcel: &mut Parcel, state: &mut ImportState, report: &mut ImportReport) -> Result<(), ClientError> {
        if parcel.bytes >= SEND_AT || parcel.entries.len() >= SEND_COUNT { self.send_parcel(parcel, state, report).await } else { Ok(()) }
    }

    async fn send_parcel(&mut self, parcel: &mut Parcel, state: &mut ImportState, report: &mut ImportReport) -> Result<(), ClientError> {
        if parcel.entries.is_empty() {
            return Ok(());
        }
        let full = core::mem::take(parcel);
        let body = NewEntries { entries: full.entries, rows: full.rows, idempotency: random::make_bytes::<16>().to_vec().into() };
        let answer = self.send_entries(&body).await?;
        for ((entry, size), outcome) in full.named.into_iter().zip(answer.outcomes) {
            match outcome {
                EntryOutcome::Head => {
                    report.entries += 1;
                    report.bytes += size;
                }
                EntryOutcome::Known => report.entries_known += 1,
                EntryOutcome::Conflict => report.skipped.push(Skipped {
                    at: String::new(),
                    code: "conflict",
                    reason: "it was there already and was changed meanwhile; both versions are kept and shown".to_owned(),
                }),
            }
            state.done.insert(entry);
        }
        self.roster.settle();
        Ok(())
    }
}

fn body_of(item: &ImportItem) -> NewBody {
    NewBody {
        schema: item.schema.clone(),
        content_type: with_full_url(&item.content_type, item.full_url.as_deref()),
        title: item.title.clone(),
        occurred: item.occurred.clone(),
        body: item.body.clone(),
    }
}

fn card_body(card: &IdentityCard) -> NewBody {
    NewBody {
        schema: "identity/1".to_owned(),
        content_type: "application/json".to_owned(),
        title: "Identity".to_owned(),
        occurred: None,
        body: serde_json::to_vec(card).unwrap_or_default(),
    }
}

fn row_of(card: &IdentityCard) -> RosterRow {
    let mut more: Vec<String> = card.phones.iter().chain(&card.emails).chain(&card.mrn).chain(&card.preferred).cloned().collect();
    more.dedup();
    RosterRow { given: card.given.clone(), family: card.family.clone(), birth_date: card.birth_date.clone().unwrap_or_default(), more }
}

/// A bundle's `fullUrl` that cannot be derived from the resource travels as a parameter of the media type.
fn with_full_url(content_type: &str, full_url: Option<&str>) -> String {
    match full_url {
        Some(url) => format!("{content_type}; full-url=\"{}\"", url.replace('\\', "\\\\").replace('"', "\\\"")),
        None => content_type.to_owned(),
    }
}

/// Media type and `fullUrl` of an imported entry, as [`Vault::import`] stored them.
pub fn split_full_url(content_type: &str) -> (&str, Option<String>) {
    match content_type.split_once("; full-url=\"") {
        Some((media, rest)) => (media, rest.strip_suffix('"').map(|u| u.replace("\\\"", "\"").replace("\\\\", "\\"))),
        None => (content_type, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_url_survives_beside_the_media_type() {
        for url in ["urn:uuid:1", "https://x/\"quoted\"\\", ""] {
            let stored = with_full_url("application/fhir+json", Some(url));
            assert_eq!(split_full_url(&stored), ("application/fhir+json", Some(url.to_owned())));
        }
        assert_eq!(split_full_url("application/pdf"), ("application/pdf", None));
    }
}
