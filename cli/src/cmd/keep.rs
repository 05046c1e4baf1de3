//! `subrosa keep` and `subrosa backup`: copies of a practice on another machine or disk.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use subrosa_crypto::base64url;
use subrosa_keeper::{Keeper, KeeperError, KeeperKey, Round, Server};
use subrosa_model::{Hash32, PracticeId, Timestamp};
use subrosa_protocol::api::Hello;

use crate::out::{Failure, Out};

/// Take copies from a server, every minute, until stopped.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  subrosa keep --from https://records.example:7110 --to /mnt/disk/practice --name attic\n\nThe first run prints a line. An owner pastes it under Backup, Add a keeper; from then on the copies flow.")]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// Seconds between two rounds, 5 to 300.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(5..=300))]
    every: u64,
    /// One round, then stop.
    #[arg(long)]
    once: bool,
}

/// Take one copy of the practice on this machine.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  subrosa backup --data-dir data --to /mnt/disk/practice\n\nThe server has to be running; it goes on serving meanwhile.")]
pub struct BackupArgs {
    #[command(flatten)]
    place: Place,
    /// The server's data directory: lets this copy be taken without an owner's word, since all that it gets lies there anyway.
    #[arg(long, value_name = "DIR", default_value = "data")]
    data_dir: PathBuf,
}

#[derive(clap::Args)]
struct Place {
    /// Address of the server.
    #[arg(long, value_name = "URL", default_value = "http://localhost:7110")]
    from: String,
    /// Folder of the copies.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// This keeper's name: letters, digits, - and _.
    #[arg(long, default_value = "keeper")]
    name: String,
    /// Fingerprint of the practice root as printed on the practice kit; refuses any other practice.
    #[arg(long, value_name = "HEX")]
    root: Option<Hash32>,
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn failure(e: &KeeperError) -> Failure {
    match e {
        KeeperError::DoesNotHold { .. } | KeeperError::WrongRoot | KeeperError::Protocol(_) => Failure::refused(e.code(), e.to_string()),
        _ => Failure::failed(e.code(), e.to_string()),
    }
}

async fn practice_of(from: &str) -> Result<PracticeId, Failure> {
    let unreachable = || Failure::failed("unreachable", format!("No Subrosa server answers at {from}. Is it running?"));
    let answer = reqwest::get(format!("{}/v1/hello", from.trim_end_matches('/'))).await.map_err(|_| unreachable())?;
    let text = answer.text().await.map_err(|_| unreachable())?;
    let hello: Hello = serde_json::from_str(&text).map_err(|_| unreachable())?;
    hello.practice.ok_or_else(|| Failure::failed("not-founded", "The practice is not set up yet; there is nothing to copy."))
}

impl Place {
    fn check(&self) -> Result<(), Failure> {
        let fine = (1..=64).contains(&self.name.len()) && self.name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if fine { Ok(()) } else { Err(Failure::usage("name", "A keeper's name has 1 to 64 letters, digits, - and _.")) }
    }

    async fn open(&self, key: KeeperKey) -> Result<(Keeper, Server), Failure> {
        let practice = practice_of(&self.from).await?;
        let server = Server::at(&self.from, &key).map_err(|e| failure(&e))?;
        Ok((Keeper::open(&self.to, practice, key, self.root).map_err(|e| failure(&e))?, server))
    }
}

async fn one_round(keeper: &mut Keeper, server: &Server, out: &Out) -> Result<Round, KeeperError> {
    let bar = if out.is_json() { ProgressBar::hidden() } else { ProgressBar::new(0) };
    bar.set_style(ProgressStyle::with_template("  copying {pos} of {len} records, {per_sec}, {eta} left").unwrap_or_else(|_| ProgressStyle::default_bar()));
    let done = keeper
        .round(server, now(), |p| {
            bar.set_length(p.of);
            bar.set_position(p.kept);
        })
        .await;
    bar.finish_and_clear();
    done
}

fn tell(round: &Round, to: &Path, out: &Out) {
    let witness = round.cosigned.map_or_else(String::new, |size| format!(", ledger of {size} leaves cosigned"));
    let text = format!("{} records kept in {} ({} new){witness}.", round.kept, to.display(), round.new);
    out.result(&text, &json!({ "ok": true, "round": round }));
}

pub fn run(args: Args, out: &Out) -> Result<(), Failure> {
    args.place.check()?;
    super::block_on(async {
        let key = KeeperKey::open_or_make(&args.place.to, &args.place.name).map_err(|e| failure(&e))?;
        out.say(&format!("This keeper is\n  {}\nAn owner adds it under Backup, Add a keeper (once).", key.introduction()));
        let (mut keeper, server) = args.place.open(key).await?;
        loop {
            match one_round(&mut keeper, &server, out).await {
                Ok(round) => tell(&round, &args.place.to, out),
                Err(e @ (KeeperError::Unreachable(_) | KeeperError::Refused { .. })) if !args.once => out.say(&format!("{e}. Trying again in {} s.", args.every)),
                Err(e) => return Err(failure(&e)),
            }
            if args.once {
                return Ok(());
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(args.every)) => {}
                _ = tokio::signal::ctrl_c() => return Ok(()),
            }
        }
    })
}

pub fn run_backup(args: BackupArgs, out: &Out) -> Result<(), Failure> {
    args.place.check()?;
    super::block_on(async {
        let key = KeeperKey::open_or_make(&args.place.to, &args.place.name).map_err(|e| failure(&e))?;
        let keepers = args.data_dir.join("keepers");
        let enter = || {
            std::fs::create_dir_all(&keepers)?;
            std::fs::write(keepers.join(format!("{}.pub", key.name)), base64url(key.public().as_bytes()))
        };
        if !args.data_dir.join("store.key").exists() {
            return Err(Failure::usage("data-dir", format!("{} is not a data directory of Subrosa; say which one with --data-dir.", args.data_dir.display())));
        }
        enter().map_err(|e| Failure::failed("data-dir", format!("The data directory cannot be written: {e}")))?;
        let (mut keeper, server) = args.place.open(key).await?;
        let round = one_round(&mut keeper, &server, out).await.map_err(|e| failure(&e))?;
        tell(&round, &args.place.to, out);
        Ok(())
    })
}
