//! What a keeper takes and reports. It gets ciphertext and sealed copies only, and its word deletes nothing here.

use subrosa_crypto::cbor;
use subrosa_ledger::{KeyName, LogKey, SignedCheckpoint, WitnessKey};
use subrosa_model::Hash32;
use subrosa_protocol::access::{access_origin, directory_origin};
use subrosa_protocol::api::{JournalPage, JournalRow, KeeperReport, KeyCopyPage};
use subrosa_store::{Done, Log, Needs, Plan, Write};

use crate::call::{Answer, Call, Reply};
use crate::error::Refusal;

/// Most records in a page.
const MAX_RECORDS: u32 = 1000;
/// A page ends after about this many bytes of bodies.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// `GET /v1/keeper/journal`.
pub async fn journal(call: Call) -> Answer {
    let after = call.query::<u64>("after")?.unwrap_or(0);
    let limit = call.query::<u32>("limit")?.unwrap_or(MAX_RECORDS).clamp(1, MAX_RECORDS);
    let newest = call.app.store.backup_state().await?.newest;
    let mut bytes = 0;
    let records = call.app.store.export_since(after, limit).await?;
    let records = records
        .into_iter()
        .take_while(|r| {
            let first = bytes == 0;
            bytes += r.body.len();
            first || bytes <= PAGE_BYTES
        })
        .map(|r| JournalRow { seq: r.seq, kind: r.kind, at: r.at, chart: r.chart, body: r.body })
        .collect();
    call.reply(&JournalPage { records, newest })
}

/// `GET /v1/keeper/keys`.
pub async fn keys(call: Call) -> Answer {
    let after = call.query::<u64>("after")?.unwrap_or(0);
    let directory = call.app.directory()?;
    let backup = directory.backup_key().ok_or_else(|| Refusal::missing("The practice is not set up yet."))?;
    let copy = call.app.store.copy_since(after, backup).await?;
    let repository = call.app.store.repository().await?.map(|r| r.to_vec()).unwrap_or_default();
    call.reply(&KeyCopyPage { from: copy.from, to: copy.to, more: copy.more, copy: cbor::encode(&copy).into(), repository: repository.into() })
}

/// `GET /v1/keeper/object/{hash}`.
pub async fn object(call: Call) -> Answer {
    let hash: Hash32 = call.param(0)?;
    let bytes = call.app.store.get_object(&hash).await?;
    bytes.map(Reply::bytes).ok_or_else(|| Refusal::missing("There is no such attachment."))
}

/// `POST /v1/keeper/report`.
pub async fn report(call: Call) -> Answer {
    let report: KeeperReport = call.read()?;
    let app = &call.app;
    let directory = app.directory()?;
    let state = app.store.backup_state().await?;
    if report.kept > state.newest {
        return Err(Refusal::bad("malformed", "A keeper cannot hold more than there is."));
    }
    let bad = || Refusal::bad("cosignature", "The cosigned checkpoint does not verify.");
    let mut writes = Vec::new();
    for (log, note, origin) in [(Log::Access, &report.access, access_origin(&directory.practice())), (Log::Directory, &report.directory, directory_origin(&directory.practice()))] {
        if note.is_empty() {
            continue;
        }
        let name: KeyName = origin.parse().map_err(|_| bad())?;
        let key = directory.log_key().ok_or_else(bad)?;
        let signed = SignedCheckpoint::open(note, &[LogKey::new(name, *key)]).map_err(|_| bad())?;
        // Only witnesses that an owner has named in the directory count.
        for (witness, key) in directory.witnesses() {
            let Ok(name) = witness.parse::<KeyName>() else { continue };
            let found = signed.cosignatures(&[WitnessKey::new(name, *key)]).map_err(|_| bad())?;
            if let Some(cosignature) = found.first() {
                let size = signed.checkpoint().size;
                writes.push(Write::Cosignature { log, size, witness: witness.clone(), at: cosignature.at, note: note.clone() });
            }
        }
    }
    app.store.set_kept(report.kept, call.now).await?;
    // A cosignature is a journal record itself: one that says nothing new would make the keeper and the journal chase each other for ever.
    let news = writes.iter().any(|w| matches!(w, Write::Cosignature { log: Log::Access, size, .. } if state.cosigned.as_ref().is_none_or(|(known, ..)| size > known)));
    if news {
        let done = app.store.commit(call.now, Needs::default(), move |_| writes.iter().fold(Plan::accept(()), |plan, w| plan.write(w.clone()))).await?;
        let (Done::New { .. } | Done::Repeated { .. }) = done;
    }
    Ok(Reply::nothing())
}
