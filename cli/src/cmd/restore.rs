//! `subrosa restore`: a blank machine, the practice kit and one backup.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use subrosa_backup::{BackupError, BackupSet, Repository, Verifier};
use subrosa_crypto::{base64url, cbor, words};
use subrosa_protocol::keys::{PracticeRoot, root_fingerprint};
use subrosa_store::{Config, JournalRecord, KeyCopy, Store, StoreError};

use crate::out::{Failure, Out};

/// Bring a practice back on a blank machine, from the practice kit and one backup.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  subrosa restore --from /mnt/disk/practice --to data\n\nAsks for the 24 words of the practice kit. Everything is verified before the practice opens; what is missing is named.\nWithout a terminal the words are read from standard input.")]
pub struct Args {
    /// Folder of the backup.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// New, empty data directory.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Read the backup out of its restic repository even if the plain copy beside it is whole.
    #[arg(long)]
    from_repository: bool,
}

fn backup_failure(e: &BackupError) -> Failure {
    match e {
        BackupError::Io { .. } | BackupError::Full => Failure::failed(e.code(), e.to_string()),
        _ => Failure::refused(e.code(), e.to_string()),
    }
}

fn store_failure(e: &StoreError) -> Failure {
    match e.code() {
        "disk-full" | "unavailable" | "locked" | "already-founded" | "network-filesystem" => Failure::failed(e.code(), format!("The practice was not restored: {e}")),
        _ => Failure::refused(e.code(), format!("The practice was not restored: {e}")),
    }
}

fn kit_words() -> Result<PracticeRoot, Failure> {
    if std::io::stdin().is_terminal() {
        eprint!("The 24 words of the practice kit: ");
        let _ = std::io::stderr().flush();
    }
    let mut line = subrosa_crypto::Zeroizing::new(String::new());
    std::io::stdin().lock().read_line(&mut line).map_err(|e| Failure::failed("stdin", format!("The words could not be read: {e}")))?;
    let code = words::words_to_code(line.trim()).map_err(|e| Failure::usage(e.code(), format!("These are not the words of a kit: {e}")))?;
    Ok(PracticeRoot::derive(&code))
}

/// A set that can be read whole: the plain copy, else the newest snapshot of the repository that can.
fn readable(args: &Args, root: &PracticeRoot, scratch: &Path, out: &Out) -> Result<BackupSet, Failure> {
    if !args.from_repository {
        match BackupSet::open(&args.from).and_then(|set| set.check().map(|checked| (set, checked))) {
            Ok((set, checked)) if checked.is_whole() => return Ok(set),
            Ok((_, checked)) => out.say(&format!("The plain copy is not whole ({}). Reading the repository beside it.", checked.missing.join("; "))),
            Err(e) => out.say(&format!("The plain copy cannot be read ({e}). Reading the repository beside it.")),
        }
    }
    let fail = |e: BackupError| backup_failure(&e);
    let repository = Repository::open_or_make(&args.from.join("restic"), &base64url(root.repository.expose())).map_err(fail)?;
    let mut why = None;
    for snapshot in repository.snapshots().map_err(fail)?.iter().rev() {
        let place = scratch.join(&snapshot.id);
        let whole = repository.restore(&snapshot.id, &place.join("work")).and_then(|()| BackupSet::open(&place)).and_then(|set| {
            let checked = set.check()?;
            if checked.is_whole() { Ok(set) } else { Err(BackupError::Damaged(checked.missing.join("; "))) }
        });
        match whole {
            Ok(set) => {
                out.say(&format!("Using the snapshot {} of {}.", snapshot.id, snapshot.time));
                return Ok(set);
            }
            Err(e) => {
                out.say(&format!("Snapshot {} is not whole: {e}", snapshot.id));
                why = Some(e);
            }
        }
    }
    Err(why.map_or_else(|| Failure::refused("empty", "There is no snapshot in this backup."), |e| backup_failure(&e)))
}

fn bar(out: &Out, what: &'static str, length: u64) -> ProgressBar {
    let bar = if out.is_json() { ProgressBar::hidden() } else { ProgressBar::new(length) };
    let template = format!("  {what} {{pos}} of {{len}}, {{per_sec}}, {{eta}} left");
    bar.set_style(ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

pub fn run(args: Args, out: &Out) -> Result<(), Failure> {
    let root = kit_words()?;
    let scratch = args.to.with_extension("restoring");
    let done = super::block_on(restore(&args, &root, &scratch, out));
    let _ = std::fs::remove_dir_all(&scratch);
    done
}

async fn restore(args: &Args, root: &PracticeRoot, scratch: &Path, out: &Out) -> Result<(), Failure> {
    let set = readable(args, root, scratch, out)?;
    let practice = set.practice();

    // Verified before anything is written: signatures, chains, maps, checkpoints.
    let progress = bar(out, "verifying record", set.last());
    let mut verifier = Verifier::new(practice);
    for record in set.iter().map_err(|e| backup_failure(&e))? {
        verifier.take(&record.map_err(|e| backup_failure(&e))?);
        progress.inc(1);
    }
    progress.finish_and_clear();
    if let Some(found) = verifier.found().first() {
        return Err(Failure::refused(found.code, format!("Record {} of the backup does not hold: {}. Nothing was restored.", found.seq, found.what)));
    }
    let expected = root_fingerprint(&root.sign.public());
    if verifier.directory().root().map(root_fingerprint) != Some(expected) {
        return Err(Failure::refused("wrong-kit", "This kit is not the one of the practice in this backup. Nothing was restored."));
    }

    let mut copies = Vec::new();
    for file in set.keys().map_err(|e| backup_failure(&e))? {
        copies.push(cbor::decode::<KeyCopy>(&file.bytes).map_err(|e| Failure::refused(e.code(), "A copy of the key store is damaged. Nothing was restored."))?);
    }
    let progress = bar(out, "restoring record", set.last());
    let counted = progress.clone();
    let records = set.iter().map_err(|e| backup_failure(&e))?.map(move |record| {
        counted.inc(1);
        let r = record.map_err(|e| StoreError::damaged(e.to_string()))?;
        Ok(JournalRecord { seq: r.seq, kind: r.kind, at: r.at, chart: r.chart, body: r.body })
    });
    let store = Store::restore_from(Config::sqlite(&args.to), practice, records, &copies, &root.backup).await.map_err(|e| store_failure(&e))?;
    progress.finish_and_clear();

    let mut missing = Vec::new();
    for hash in verifier.objects().keys() {
        match set.object(hash) {
            Ok(Some(bytes)) => store.put_object(hash, bytes).await.map_err(|e| store_failure(&e))?,
            Ok(None) => missing.push(format!("attachment {hash}")),
            Err(e) => missing.push(e.to_string()),
        }
    }
    let report = store.verify().await.map_err(|e| store_failure(&e))?;
    missing.extend(report.problems.clone());
    store.close().await;

    let object = json!({
        "ok": missing.is_empty(), "practice": practice, "records": set.last(), "charts": verifier.charts().len(), "versions": verifier.entries(),
        "ledger": verifier.ledger().size, "erased": verifier.erased().len(), "attachments": verifier.objects().len(), "missing": missing,
    });
    if missing.is_empty() {
        let text = format!(
            "Everything is back: {} charts, {} versions, {} attachments, a ledger of {} leaves, all verified.\nStart it with  subrosa serve --data-dir {}  under the same host name as before.",
            verifier.charts().len(),
            verifier.entries(),
            verifier.objects().len(),
            verifier.ledger().size,
            args.to.display()
        );
        out.result(&text, &object);
        return Ok(());
    }
    out.result(&format!("Restored, but this is missing:\n  {}", missing.join("\n  ")), &object);
    Err(Failure::refused("incomplete", "The practice is restored with gaps, named above. It can be started; keep the backup."))
}
