use std::path::{Path, PathBuf};

use subrosa_backup::{BackupSet, KeyFile, Record, Repository, Verifier};
use subrosa_crypto::{VerifyingKey, base64url};
use subrosa_ledger::{KeyName, LogKey, SignedCheckpoint};
use subrosa_model::{Hash32, PracticeId, Timestamp};
use subrosa_protocol::access;
use subrosa_protocol::api::KeeperReport;
use subrosa_protocol::journal::Log;
use subrosa_protocol::keys::root_fingerprint;

use crate::{KeeperError, KeeperKey, Source};

/// The keeper of one practice.
#[derive(Debug)]
pub struct Keeper {
    set: BackupSet,
    verifier: Verifier,
    key: KeeperKey,
    root: Option<Hash32>,
    erased_seen: usize,
}

/// How far a round is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Records kept.
    pub kept: u64,
    /// Records that the server has.
    pub of: u64,
}

/// What a round did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Round {
    /// Last record that lies verified and durable here.
    pub kept: u64,
    /// How many came in this round.
    pub new: u64,
    /// Attachments taken in this round.
    pub objects: u64,
    /// Cursor that the key copies reach.
    pub keys: u64,
    /// Snapshot taken in the restic repository, if anything was new.
    pub snapshot: Option<String>,
    /// Size of the access ledger that was cosigned; none if nothing was new.
    pub cosigned: Option<u64>,
    /// Fingerprint of the practice root, to compare with the practice kit.
    pub fingerprint: Option<Hash32>,
}

impl Keeper {
    /// Opens the copy in `dir` (or makes one) and verifies all that it holds. `root`: fingerprint from the practice kit, if it was given.
    pub fn open(dir: &Path, practice: PracticeId, key: KeeperKey, root: Option<Hash32>) -> Result<Self, KeeperError> {
        let set = BackupSet::open_or_make(dir, practice)?;
        let mut verifier = Verifier::new(practice);
        set.records(|r| {
            verifier.take(&r);
            Ok(())
        })?;
        let mut keeper = Keeper { set, verifier, key, root, erased_seen: 0 };
        keeper.holds()?;
        keeper.erased_seen = keeper.verifier.erased().len();
        Ok(keeper)
    }

    fn holds(&self) -> Result<(), KeeperError> {
        if let Some(found) = self.verifier.found().first() {
            return Err(KeeperError::DoesNotHold { seq: found.seq, code: found.code, what: found.what.clone() });
        }
        if let (Some(expected), Some(root)) = (self.root, self.verifier.directory().root())
            && root_fingerprint(root) != expected
            && self.verifier.directory().size() > 0
        {
            return Err(KeeperError::WrongRoot);
        }
        Ok(())
    }

    /// The copy.
    pub fn set(&self) -> &BackupSet {
        &self.set
    }

    /// What was verified.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// One round: take what is new, verify, make it durable, then cosign and report.
    pub async fn round(&mut self, source: &impl Source, now: Timestamp, mut progress: impl FnMut(Progress)) -> Result<Round, KeeperError> {
        let before = self.set.last();
        loop {
            let page = source.journal(self.set.last(), now).await?;
            progress(Progress { kept: self.set.last(), of: page.newest });
            if page.records.is_empty() {
                break;
            }
            let records: Vec<Record> =
                page.records.into_iter().map(|r| Record { seq: r.seq, kind: r.kind, at: r.at, chart: r.chart, body: r.body }).collect();
            for record in &records {
                self.verifier.take(record);
            }
            // Verified before it is kept: a copy never holds what does not hold.
            self.holds()?;
            self.set.append(records)?;
        }
        let objects = self.take_objects(source, now).await?;
        let (keys, repository) = self.take_keys(source, now).await?;
        let new = self.set.last() - before;
        let snapshot = if new > 0 || objects > 0 { Some(self.snapshot(&repository)?) } else { None };
        let (access, directory) = (self.cosign(Log::Access, now)?, self.cosign(Log::Directory, now)?);
        let cosigned = (!access.is_empty()).then(|| self.verifier.ledger().size);
        source.report(KeeperReport { kept: self.set.last(), access, directory }, now).await?;
        let fingerprint = self.verifier.directory().root().map(root_fingerprint);
        Ok(Round { kept: self.set.last(), new, objects, keys, snapshot, cosigned, fingerprint })
    }

    async fn take_objects(&self, source: &impl Source, now: Timestamp) -> Result<u64, KeeperError> {
        let mut taken = 0;
        for hash in self.verifier.objects().keys() {
            if self.set.object(hash)?.is_none() {
                let bytes = source.object(*hash, now).await?;
                self.set.put_object(hash, &bytes)?;
                taken += 1;
            }
        }
        Ok(taken)
    }

    /// Takes what is new of the key store. After an erasure that the directory orders, a full copy is taken and the older ones, which still hold the
    /// erased keys, are dropped; in no other case is a copy dropped.
    async fn take_keys(&mut self, source: &impl Source, now: Timestamp) -> Result<(u64, Vec<u8>), KeeperError> {
        let erased = self.verifier.erased().len();
        let full = erased > self.erased_seen || self.set.keys_reach()? == 0;
        let mut after = if full { 0 } else { self.set.keys_reach()? };
        let repository = loop {
            let page = source.keys(after, now).await?;
            if page.to > after {
                self.set.put_keys(&KeyFile { from: page.from, to: page.to, bytes: page.copy.0 })?;
            }
            if !page.more || page.to <= after {
                break page.repository;
            }
            after = page.to;
        };
        if erased > self.erased_seen {
            self.set.drop_older_keys()?;
            self.erased_seen = erased;
        }
        Ok((self.set.keys_reach()?, repository.0))
    }

    fn snapshot(&self, repository: &[u8]) -> Result<String, KeeperError> {
        let dir: PathBuf = self.set.dir().join("restic");
        let repository = Repository::open_or_make(&dir, &base64url(repository))?;
        Ok(repository.take(&self.set.work())?.id)
    }

    fn cosign(&self, log: Log, now: Timestamp) -> Result<String, KeeperError> {
        let Some(note) = self.verifier.newest(log) else { return Ok(String::new()) };
        let practice = self.set.practice();
        let origin = match log {
            Log::Access => access::access_origin(&practice),
            Log::Directory => access::directory_origin(&practice),
        };
        let refused = || subrosa_protocol::ProtocolError::Proof("checkpoint");
        let name: KeyName = origin.parse().map_err(|_| refused())?;
        let log_key: VerifyingKey = *self.verifier.directory().log_key().ok_or_else(refused)?;
        let signed = SignedCheckpoint::open(note, &[LogKey::new(name, log_key)]).map_err(|_| refused())?;
        let witness: KeyName = self.key.name.parse().map_err(|_| refused())?;
        let line = signed.cosign(&witness, &self.key.sign, now).map_err(|_| refused())?;
        Ok(format!("{}{line}\n", signed.note()))
    }
}
