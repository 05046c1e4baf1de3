//! What a backup takes, and how a store is made of it again: the journal, and a copy of the key store that only the practice kit opens.

use std::fs;

use serde::{Deserialize, Serialize};
use subrosa_crypto::{Context, CopyKey, HpkePublic, HpkeSecret, cbor, open, open_key_from, seal, seal_key_to};
use subrosa_model::{Bytes, ChartId, KeyId, PracticeId, Timestamp};

use crate::change::Change;
use crate::config::Config;
use crate::keys::{INSTALLATION, SealedRow, sealed_row};
use crate::project::{Head, Projector};
use crate::rebuild::journal_page;
use crate::sql::{bind, int, row, rows};
use crate::store::RESTORING;
use crate::{Store, StoreError, crash, disk};

/// One journal record as it is exported: what was signed and sealed by members, and opaque ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalRecord {
    /// From 1, without gaps.
    pub seq: u64,
    /// What kind of change.
    pub kind: String,
    /// When the server recorded it.
    pub at: Timestamp,
    /// The chart that it is about.
    pub chart: Option<ChartId>,
    /// The change, in the store's own encoding.
    pub body: Bytes,
}

/// A part of the key store as it leaves this machine: sealed under a key of its own, and that key sealed to the practice kit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCopy {
    /// Format: 1.
    pub v: u8,
    /// The practice.
    pub practice: PracticeId,
    /// It holds the rows after this place …
    pub from: u64,
    /// … up to this one, at which the next copy begins.
    pub to: u64,
    /// Whether there were more rows already.
    pub more: bool,
    /// Id of the copy's key.
    pub key_id: KeyId,
    /// The copy's key, sealed to the practice's backup key.
    pub key: Bytes,
    /// The rows, sealed.
    pub sealed: Bytes,
}

#[derive(Serialize, Deserialize)]
struct CopyContext {
    practice: PracticeId,
    from: u64,
    to: u64,
}

impl Context for CopyContext {
    const NAMESPACE: &'static str = "key-copy";
}

#[derive(Serialize, Deserialize)]
struct CopyRow {
    practice: PracticeId,
    kind: String,
    chart: Option<ChartId>,
    name: Bytes,
    tag: Bytes,
    value: Bytes,
}

/// Most rows in one copy.
const COPY_ROWS: i64 = 5_000;
/// Records restored in one transaction.
const RESTORE_STEP: usize = 1_000;

impl Store {
    /// Journal records after `seq`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// `not-founded`, `unavailable`.
    pub async fn export_since(&self, seq: u64, limit: u32) -> Result<Vec<JournalRecord>, StoreError> {
        let practice = self.founded()?;
        journal_page(&mut *self.shared.main.reader().await?, &practice, seq, i64::from(limit)).await
    }

    /// The key store's rows after place `seq` (0: all), sealed so that only the practice kit opens them. Take it after the journal: then no record lacks its key.
    ///
    /// # Errors
    /// `not-founded`, `store-key`, `unavailable`.
    pub async fn copy_since(&self, seq: u64, backup: &HpkePublic) -> Result<KeyCopy, StoreError> {
        let practice = self.founded()?;
        let found = rows(
            &mut *self.shared.keys.db.reader().await?,
            "SELECT practice, kind, chart, name, tag, seq, value FROM key_row WHERE seq > $1 AND (practice = $2 OR practice = $3) ORDER BY seq LIMIT $4",
            bind![int(seq)?, practice.as_bytes(), INSTALLATION.as_bytes(), COPY_ROWS],
        )
        .await?;
        let more = found.len() as i64 == COPY_ROWS;
        let mut to = seq;
        let mut copied = Vec::with_capacity(found.len());
        for found in &found {
            let sealed = sealed_row(found)?;
            let value = self.shared.keys.open_row(&sealed).await?.to_vec().into();
            to = sealed.seq;
            let SealedRow { practice, kind, chart, name, tag, .. } = sealed;
            copied.push(CopyRow { practice, kind, chart, name: name.into(), tag: tag.into(), value });
        }
        let context = CopyContext { practice, from: seq, to };
        let key = CopyKey::make();
        let plain = subrosa_crypto::Zeroizing::new(cbor::encode(&copied));
        Ok(KeyCopy {
            v: 1,
            practice,
            from: seq,
            to,
            more,
            key_id: key.id(),
            key: seal_key_to(backup, &context, &key)?.into(),
            sealed: seal(&key, &context, &plain).into(),
        })
    }

    /// Makes a store again, in an empty directory (and empty databases), from a whole journal and all copies of the key store. Attachments are put in afterwards with
    /// [`Store::put_object`]. Keys of charts that the journal says were erased are left out. A restore that is cut short is refused by [`Store::open`]. Copies older than the
    /// journal give what they have: [`crate::VerifyReport::keys_missing`] says how many keys they lack.
    ///
    /// # Errors
    /// `already-founded`; `damaged` when the journal has a gap or contradicts itself; crypto codes when a copy does not open with this kit.
    pub async fn restore_from<I>(config: Config, practice: PracticeId, records: I, copies: &[KeyCopy], backup: &HpkeSecret) -> Result<Store, StoreError>
    where
        I: IntoIterator<Item = Result<JournalRecord, StoreError>>,
        I::IntoIter: Send,
    {
        let lock = disk::take(&config.data_dir)?;
        let marker = config.data_dir.join(RESTORING);
        if marker.exists() {
            return Err(StoreError::damaged("a restore into this directory was cut short; empty it and restore again"));
        }
        let store = Store::open_locked(config.clone(), lock).await?;
        let empty = row(&mut *store.shared.main.reader().await?, "SELECT practice FROM head LIMIT 1", vec![]).await?.is_none();
        if !empty {
            store.close().await;
            return Err(StoreError::AlreadyFounded);
        }
        disk::write_private(&marker, b"")?;
        let done = store.restore_into(practice, records.into_iter(), copies, backup).await;
        store.close().await;
        done?;
        fs::remove_file(&marker).map_err(|e| StoreError::io(format!("removing {}", marker.display()), &e))?;
        // Opened anew: the log key came with the copies.
        let store = Store::open(config).await?;
        let report = store.verify().await?;
        if report.problems.len() > usize::from(report.keys_missing > 0) {
            store.close().await;
            return Err(StoreError::damaged(report.problems.join("; ")));
        }
        if report.keys_missing > 0 {
            tracing::error!(missing = report.keys_missing, "the copies of the key store are older than the journal: some charts do not open");
        }
        Ok(store)
    }

    async fn restore_into(
        &self,
        practice: PracticeId,
        mut records: impl Iterator<Item = Result<JournalRecord, StoreError>> + Send,
        copies: &[KeyCopy],
        backup: &HpkeSecret,
    ) -> Result<(), StoreError> {
        for copy in copies {
            self.restore_keys(practice, copy, backup).await?;
        }
        crash::point("restore-keys-written");
        let mut tx = self.shared.main.begin().await?;
        if !Head::new(practice).insert(&mut tx).await? {
            return Err(StoreError::AlreadyFounded);
        }
        tx.commit().await?;
        self.shared.set_practice(practice);
        loop {
            let step = records.by_ref().take(RESTORE_STEP).collect::<Result<Vec<_>, _>>()?;
            if step.is_empty() {
                break;
            }
            self.replay_journal(&step).await?;
            crash::point("restore-half");
        }
        self.finish_erasures().await?;
        Ok(())
    }

    async fn restore_keys(&self, practice: PracticeId, copy: &KeyCopy, backup: &HpkeSecret) -> Result<(), StoreError> {
        if copy.v != 1 {
            return Err(StoreError::damaged("a key copy of an unknown format"));
        }
        if copy.practice != practice {
            return Err(StoreError::Misuse("a key copy of another practice"));
        }
        let context = CopyContext { practice, from: copy.from, to: copy.to };
        let key: CopyKey = open_key_from(backup, &context, &copy.key, &copy.key_id)?;
        let copied: Vec<CopyRow> = cbor::decode(&open(&key, &context, &copy.sealed)?)?;
        for owner in [practice, INSTALLATION] {
            let of_owner = copied.iter().filter(|r| r.practice == owner);
            let rows = of_owner.map(|r| (r.kind.clone(), r.chart, r.name.0.clone(), r.tag.0.clone(), r.value.0.clone().into())).collect();
            self.shared.keys.put_copied(&owner, rows).await?;
        }
        Ok(())
    }

    /// Adds further records behind the journal's last: a restore goes on, or a standby follows. All or none.
    ///
    /// # Errors
    /// `damaged` when they do not follow without a gap, or contradict what is there.
    pub async fn replay_journal(&self, records: &[JournalRecord]) -> Result<u64, StoreError> {
        let practice = self.founded()?;
        let mut tx = self.shared.main.begin().await?;
        let mut head = Head::lock(&mut tx, &practice).await?.ok_or(StoreError::NotFounded)?;
        for record in records {
            if record.seq != head.journal + 1 {
                return Err(StoreError::damaged(format!("the journal lacks record {}", head.journal + 1)));
            }
            let change = Change::decode(&record.body)?;
            if change.kind() != record.kind {
                return Err(StoreError::damaged(format!("journal record {}: its kind is another", record.seq)));
            }
            let mut projector = Projector { conn: &mut tx, head: &mut head };
            projector.record(record.seq, record.at, record.chart, &record.kind, record.body.0.clone()).await?;
            projector.project(record.seq, record.at, record.chart, &change).await?;
            head.journal = record.seq;
        }
        head.save(&mut tx).await?;
        tx.commit().await?;
        *self.shared.newest.write().await = None;
        Ok(head.journal)
    }
}
