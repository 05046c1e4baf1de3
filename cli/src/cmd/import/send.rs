//! Sending what was read, a few charts at a time, so that a crash leaves at most those half finished; and what an import remembers.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use subrosa_client::{ClientError, Connection, DeviceSecrets, ImportOptions, ImportReport, ImportState, Vault, device_signin};
use subrosa_protocol::pace::LIMITS;
use subrosa_records::ImportBatch;

use super::super::link::{failure, write_private};
use crate::out::{Failure, Out};

/// Charts at a time: not more than the gate lets a device open together, since a run after a crash has to compare these.
const CHARTS: usize = LIMITS.own_burst as usize;
/// Entries at a time, beyond which fewer charts go together.
const ENTRIES: usize = 4000;
/// Attempts without any success after which an import gives up.
const TRIES: u32 = 12;

/// An import at work.
pub struct Sending<'a> {
    /// The signed-in device.
    vault: Vault,
    conn: &'a Connection,
    secrets: &'a DeviceSecrets,
    state: ImportState,
    files: Kept,
    out: &'a Out,
    /// What was done so far.
    pub report: ImportReport,
}

/// The files beside the device file.
struct Kept {
    state: PathBuf,
    pins: PathBuf,
    saved: Instant,
    took: Duration,
}

impl Kept {
    fn beside(device: &Path) -> Self {
        let with = |ending: &str| {
            let mut name = device.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        Kept { state: with(".import"), pins: with(".pins"), saved: Instant::now(), took: Duration::ZERO }
    }
}

impl<'a> Sending<'a> {
    /// Signs in as the linked device and takes up what it remembers; with `forget`, compares with what the server has instead.
    pub async fn begin(conn: &'a Connection, secrets: &'a DeviceSecrets, device: &Path, forget: bool, out: &'a Out) -> Result<Self, Failure> {
        let files = Kept::beside(device);
        let pins = std::fs::read(&files.pins).ok();
        let vault = device_signin(conn, secrets, pins.as_deref()).await.map_err(|e| failure(&e))?;
        let state = std::fs::read(&files.state).ok().filter(|_| !forget).and_then(|sealed| vault.open_import(&sealed).ok()).unwrap_or_default();
        Ok(Sending { vault, conn, secrets, state, files, out, report: ImportReport::default() })
    }

    /// Imports a batch. The bar counts entries.
    pub async fn send(&mut self, mut batch: ImportBatch, bar: &ProgressBar) -> Result<(), Failure> {
        let mut by_patient: std::collections::HashMap<String, Vec<_>> = std::collections::HashMap::new();
        for item in core::mem::take(&mut batch.items) {
            by_patient.entry(item.patient_key.clone()).or_default().push(item);
        }
        let mut group = ImportBatch::default();
        for patient in core::mem::take(&mut batch.patients) {
            let items = by_patient.remove(&patient.key).unwrap_or_default();
            if !group.patients.is_empty() && (group.patients.len() >= CHARTS || group.items.len() + items.len() > ENTRIES) {
                self.group(&core::mem::take(&mut group), bar).await?;
            }
            group.patients.push(patient);
            group.items.extend(items);
        }
        self.group(&group, bar).await?;
        let mut rest = ImportBatch::default();
        rest.unowned = batch.unowned;
        self.group(&rest, bar).await
    }

    async fn group(&mut self, group: &ImportBatch, bar: &ProgressBar) -> Result<(), Failure> {
        if group.patients.is_empty() && group.unowned.is_empty() {
            return Ok(());
        }
        let options = ImportOptions { charts_at_once: CHARTS, ..ImportOptions::default() };
        let mut tries = 0;
        let done = loop {
            let waited = match self.vault.import(group, &mut self.state, &options, None, |_| {}).await {
                Ok(done) => break done,
                Err(e) if tries >= TRIES => return Err(failure(&e)),
                Err(e) => self.after(&e, tries, bar).await?,
            };
            // The gate's pauses are no failures: a large comparison has many of them.
            tries = if waited { 0 } else { tries + 1 };
        };
        let report = &mut self.report;
        report.charts_made += done.charts_made;
        report.charts_known += done.charts_known;
        report.entries += done.entries;
        report.entries_known += done.entries_known;
        report.bytes += done.bytes;
        report.skipped.extend(done.skipped);
        bar.inc((group.items.len() + group.unowned.len()) as u64);
        // A large state takes a while to seal: at most a tenth of the time goes into that.
        if self.files.saved.elapsed() >= self.files.took * 9 {
            self.keep()?;
        }
        Ok(())
    }

    /// What to do after a failure: true when the gate asked for a pause.
    async fn after(&mut self, e: &ClientError, tries: u32, bar: &ProgressBar) -> Result<bool, Failure> {
        match e {
            ClientError::GatePasskey => {
                let minutes = LIMITS.own_window_ms / 60_000;
                bar.suspend(|| {
                    self.out.say(&format!(
                        "These charts are there already and have to be compared; a linked device opens {} charts in {minutes} minutes. Going on by itself when they are over. \
                         To be faster, import these files in the browser, where a passkey can be shown.",
                        LIMITS.own_burst
                    ));
                });
                tokio::time::sleep(Duration::from_millis(LIMITS.own_window_ms.unsigned_abs() + 2_000)).await;
                Ok(true)
            }
            ClientError::SessionOver => {
                let pins = self.vault.seal_local();
                self.vault = device_signin(self.conn, self.secrets, Some(&pins)).await.map_err(|e| failure(&e))?;
                Ok(false)
            }
            ClientError::Unreachable | ClientError::DirectoryBusy => {
                bar.suspend(|| self.out.say("The server does not answer; trying again in a moment."));
                tokio::time::sleep(Duration::from_secs(1 << tries.min(5))).await;
                Ok(false)
            }
            ClientError::Refused { retry_after_s: Some(seconds), .. } => {
                tokio::time::sleep(Duration::from_secs((*seconds).clamp(1, 60))).await;
                Ok(false)
            }
            _ => Err(failure(e)),
        }
    }

    fn keep(&mut self) -> Result<(), Failure> {
        let begun = Instant::now();
        write_private(&self.files.state, &self.vault.seal_import(&self.state), true)?;
        write_private(&self.files.pins, &self.vault.seal_local(), true)?;
        self.files.saved = Instant::now();
        self.files.took = begun.elapsed();
        Ok(())
    }

    /// Keeps what was done, and signs out.
    pub async fn end(&mut self) -> Result<(), Failure> {
        self.keep()?;
        let _ = self.vault.sign_out().await;
        Ok(())
    }
}
