//! `subrosa verify`: check a backup, or a proof of who has looked, without any server and any key.

use std::path::PathBuf;

use serde_json::json;
use subrosa_backup::{BackupSet, Verifier};
use subrosa_protocol::keys::root_fingerprint;

use crate::out::{Failure, Out};

/// Check a backup without any key: every signature, chain, map and checkpoint.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  subrosa verify /mnt/disk/practice")]
pub struct Args {
    /// Folder of the backup.
    backup: PathBuf,
}

pub fn run(args: Args, out: &Out) -> Result<(), Failure> {
    let fail = |e: subrosa_backup::BackupError| Failure::refused(e.code(), e.to_string());
    let set = BackupSet::open(&args.backup).map_err(fail)?;
    let checked = set.check().map_err(fail)?;
    let mut verifier = Verifier::new(set.practice());
    let read = set.records(|r| {
        verifier.take(&r);
        Ok(())
    });
    let mut problems: Vec<String> = checked.missing.clone();
    problems.extend(read.err().map(|e| e.to_string()).filter(|e| !checked.missing.contains(e)));
    problems.extend(verifier.found().iter().map(|f| format!("record {}: {} ({})", f.seq, f.what, f.code)));
    problems.extend(verifier.objects().keys().filter(|h| !matches!(set.object(h), Ok(Some(_)))).map(|h| format!("attachment {h} is missing")));
    let fingerprint = verifier.directory().root().map(root_fingerprint);
    let origin: Option<subrosa_ledger::KeyName> = subrosa_protocol::access::access_origin(&set.practice()).parse().ok();
    let log_key = origin.zip(verifier.directory().log_key()).map(|(name, key)| subrosa_ledger::LogKey::new(name, *key).to_string());
    let object = json!({
        "log_key": log_key,
        "ok": problems.is_empty(), "practice": set.practice(), "records": checked.records, "versions": verifier.entries(), "charts": verifier.charts().len(),
        "ledger": verifier.ledger().size, "root": fingerprint, "problems": problems,
    });
    let root = fingerprint.map_or_else(|| "none".to_owned(), |f| f.to_string());
    if problems.is_empty() {
        let text = format!(
            "Whole: {} records, {} charts, {} versions, a ledger of {} leaves; every signature and chain holds.\nRoot fingerprint, to compare with the practice kit:\n  {root}\nKey line of the ledger, for a witness:\n  {}",
            checked.records,
            verifier.charts().len(),
            verifier.entries(),
            verifier.ledger().size,
            log_key.as_deref().unwrap_or("none")
        );
        out.result(&text, &object);
        return Ok(());
    }
    out.result(&format!("This does not hold:\n  {}", problems.join("\n  ")), &object);
    Err(Failure::refused("does-not-hold", "The backup does not hold as a whole; what is wrong is named above."))
}
