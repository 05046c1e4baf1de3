//! Filling a demonstration: through the same client that members use, over this machine's own network.

use std::collections::BTreeSet;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use subrosa_client::{ClientError, Connection, HttpTransport, SetupOptions, SoftPasskey, SystemClock, Vault, demo_signin, offer_device, setup};
use subrosa_model::Timestamp;
use subrosa_server::{DEMO_PASSPHRASE, Running};
use subrosa_synthetic::{FillProgress, people};

use super::link::failure;
use crate::out::{Failure, Out};

/// How many invented people.
const PEOPLE: usize = 24;
/// Whence they are drawn: the same in every demonstration, so that a guide can name them.
const SEED: u64 = 7;
/// For how long the demonstration's device is linked: nearly as long as the directory allows.
const DAYS: i64 = 399;

/// Founds the demonstration and fills it, or goes on where an earlier start broke off. Does nothing where all are there.
pub async fn fill(running: &Running, out: &Out) -> Result<(), Failure> {
    let wrong = |e: ClientError| failure(&e);
    let transport = HttpTransport::new(&format!("http://{}", running.address())).map_err(wrong)?;
    let conn = Connection::new(Arc::new(transport), Arc::new(SystemClock));
    let mut vault = match running.setup_token() {
        Some(token) => found(running, &conn, token, out).await?,
        None if running.has_demo_entry() => {
            let mut vault = demo_signin(&conn, None).await.map_err(|e| expired(&e))?;
            vault.sync_roster().await.map_err(wrong)?;
            vault
        }
        None => return Err(again("This demonstration was interrupted before anybody could enter it.")),
    };
    let bar = if out.is_json() { ProgressBar::hidden() } else { ProgressBar::new(0) };
    bar.set_style(ProgressStyle::with_template("  writing {pos} of {len} invented people {wide_bar} {eta} left").unwrap_or_else(|_| ProgressStyle::default_bar()));
    let written = subrosa_synthetic::fill(&mut vault, &people(SEED, PEOPLE), |FillProgress { done, of }| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    })
    .await;
    bar.finish_and_clear();
    if written.map_err(wrong)? > 0 {
        out.say(&format!("The demonstration has {PEOPLE} invented people."));
    }
    // A session that nobody uses any more ends.
    let _ = vault.sign_out().await;
    Ok(())
}

fn again(why: &str) -> Failure {
    Failure::failed("demo-again", format!("{why} Delete its folder and start again: it holds nothing but invented people."))
}

fn expired(e: &ClientError) -> Failure {
    if e.server_code() == Some("no-access") { again("This demonstration is more than a year old and its way in has ended.") } else { failure(e) }
}

/// Set-up with a passkey in software, a member kit as second way in, and a linked device that everybody can sign in with.
async fn found(running: &Running, conn: &Connection, token: &str, out: &Out) -> Result<Vault, Failure> {
    let wrong = |e: ClientError| failure(&e);
    out.say("Making a demonstration practice.");
    let passkey = SoftPasskey::new(&running.origin().origin().ascii_serialization());
    let options = SetupOptions { token: token.to_owned(), owner_name: subrosa_synthetic::OWNER.to_owned(), time_zone: "Europe/Stockholm".to_owned() };
    let mut vault = setup(conn, &passkey, &options).await.map_err(wrong)?.vault;
    vault.put_kit().await.map_err(wrong)?;
    running.fill_demo(true);
    let device = link(conn, &mut vault).await;
    running.fill_demo(false);
    let sealed = device.map_err(wrong)?;
    running.keep_demo_entry(&sealed).map_err(|e| Failure::failed("file", format!("The demonstration's folder could not be written: {e}")))?;
    Ok(vault)
}

/// Links a device for every team of the owner's. Gives its keys, sealed under the passphrase that everybody knows.
async fn link(conn: &Connection, vault: &mut Vault) -> Result<Vec<u8>, ClientError> {
    let pairing = vault.begin_link().await?;
    let offered = offer_device(conn, &pairing.fragment, "Everybody who opens the demonstration").await?;
    let teams: BTreeSet<_> = vault.directory().teams().keys().copied().collect();
    vault.finish_link(pairing.id, teams, conn.now().plus(DAYS * Timestamp::DAY)).await?;
    offered.secrets.seal(DEMO_PASSPHRASE)
}
