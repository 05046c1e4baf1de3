//! `subrosa witness`: cosign other people's ledgers, without seeing a record.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use subrosa_keeper::{KeeperKey, Witness};
use subrosa_ledger::LogKey;
use subrosa_model::Timestamp;

use crate::out::{Failure, Out};

/// Cosign the checkpoints of ledgers (C2SP tlog-witness), so that none of them can show two histories.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  subrosa witness --dir /var/lib/witness --name attic --log 'subrosa.invalid/0f…/access+1a2b3c4d+ATGc…'\n\nThe log's key line is the one that `subrosa verify` prints for a backup of the practice.")]
pub struct Args {
    /// Folder of the witness's key and of what it remembers.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Its name: letters, digits, - and _.
    #[arg(long, default_value = "witness")]
    name: String,
    /// Key line of a ledger to watch (origin+id+key). May be given several times.
    #[arg(long = "log", value_name = "KEY", required = true)]
    logs: Vec<String>,
    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7112")]
    listen: String,
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

pub fn run(args: Args, out: &Out) -> Result<(), Failure> {
    let logs: Result<Vec<LogKey>, _> = args.logs.iter().map(|l| l.parse()).collect();
    let logs = logs.map_err(|_| Failure::usage("log", "A ledger's key line has the form origin+id+key."))?;
    let key = KeeperKey::open_or_make(&args.dir, &args.name).map_err(|e| Failure::failed(e.code(), e.to_string()))?;
    let witness = Witness::open(&args.dir, &key, logs, now).map_err(|e| Failure::failed(e.code(), e.to_string()))?;
    super::block_on(async {
        let fail = |e: std::io::Error| Failure::failed("listen", format!("The witness could not start: {e}"));
        let listener = tokio::net::TcpListener::bind(&args.listen).await.map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        let text = format!("The witness {} listens on {address}. Its key, for an owner to add under Backup:\n  {}\n  {}", args.name, key.introduction(), witness.vkey());
        out.result(&text, &json!({ "ok": true, "address": address.to_string(), "key": witness.vkey(), "introduction": key.introduction() }));
        let stop = async {
            let _ = tokio::signal::ctrl_c().await;
        };
        axum::serve(listener, witness.router()).with_graceful_shutdown(stop).await.map_err(fail)
    })
}
