//! `drill total-loss`: the key store is silently damaged, then the machine is destroyed; ninety days later the practice is brought back on a blank machine from
//! the printed practice kit and one backup. Is every note readable again, by passkey and by the printed member kit alone?

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection as _};
use subrosa_client::{Connection, HttpTransport, KitUse, NewBody, Vault, kit_use, signin};
use subrosa_crypto::sha256;
use subrosa_model::{ChartId, Compartment, Hash32, Timestamp};

use crate::clock::Ahead;
use crate::drill::{At, DrillError, Options, Outcome, Scratch, copy_folder};
use crate::practice::{Practice, WRITTEN, open};
use crate::secrets::{Secrets, Watched};
use crate::server::{Place, last_line};

/// Versions written between the first backup and the second.
const WRITTEN_LATER: usize = 1;

/// How many files of a backup are damaged in turn at most.
const MOST_DAMAGED: usize = 24;

/// Everything that could be read: by chart and version, the hash of its body and of its files.
type Readable = BTreeMap<(ChartId, Hash32), Vec<Hash32>>;

/// Runs the drill.
///
/// # Errors
/// [`DrillError`] when it could not be carried out.
pub async fn run(options: &Options, say: &dyn Fn(&str)) -> Result<Outcome, DrillError> {
    let scratch = Scratch::open(options)?;
    say("Drill: total loss. A scratch practice; nothing of yours is touched.");
    let place = Place::new(&options.binary, &scratch)?;
    let clock = Ahead::default();
    let running = place.start().await?;
    let token = running.setup_token.clone().ok_or(DrillError::Server("it printed no set-up link".into()))?;
    let conn = Connection::new(Arc::new(HttpTransport::new(&place.base()).at("connecting")?), Arc::new(clock.clone()));
    let secrets = Secrets::default();
    let mut practice = Practice::found(&conn, &place.base(), &token, &secrets).await?;
    practice.fill(options).await?;
    practice.work().await?;
    let backup = scratch.folder("backup")?;
    place.back_up(&backup)?;
    let older = scratch.folder("backup-older")?;
    copy_folder(&backup, &older)?;
    let late = *practice.charts.first().ok_or(DrillError::Missing("no chart".into()))?;
    practice.owner.fresh(&practice.passkey).await.at("fresh passkey")?;
    practice.owner.write(late, Compartment::Record, NewBody::note("late", "written after the first backup")).await.at("writing")?;
    let expected = read_all(&mut practice.owner, &practice.charts, &practice.passkey).await?;
    place.back_up(&backup)?;
    let drafts = practice.owner.drafts().await.at("drafts")?.len();

    say("Silently damaging the key store; the server and its backups go on over it.");
    running.stop().await?;
    let damaged = damage(&place.data).await?;
    let after_damage = match place.start().await {
        Ok(running) => {
            let backed_up = place.back_up(&backup).is_ok();
            running.stop().await?;
            if backed_up { "backed up again" } else { "backup refused" }
        }
        Err(_) => "did not start",
    };
    say("Destroying the machine. Ninety days pass.");
    fs::remove_dir_all(&place.data)?;
    fs::remove_dir_all(&place.temp)?;
    fs::create_dir_all(&place.temp)?;
    clock.by(90 * Timestamp::DAY);

    // A control first: what this comparison says when the keys are in no backup.
    let without = scratch.folder("backup-without-keys")?;
    copy_folder(&backup, &without)?;
    let control = lose_keys_and_restore(&place, &scratch, &without, &practice)?;
    let older = older_backup(&place, &scratch, &older, &practice, &conn, &clock).await?;
    let wrong_kit = restore(&place, &scratch.folder("restored-with-another-kit")?, &backup, &other_words())?;

    say("Damaging the backup, one file after the other: none may be restored with something silently missing.");
    let hurt = damaged_backups(&place, &scratch, &backup, &practice, &conn, &clock, &expected).await?;

    let mut new = place.clone();
    new.data = scratch.folder("new-machine")?;
    let restored = restore(&place, &new.data, &backup, &practice.practice_kit.words)?;
    if !restored.ok {
        return Ok(failed(&restored, &expected, damaged));
    }
    let running = start(&new, &clock).await?;
    let mut by_passkey = open(signin(&conn, &practice.passkey, None).await.at("signing in after the restore")?)?;
    let read_by_passkey = read_all(&mut by_passkey, &practice.charts, &practice.passkey).await?;
    let roster = by_passkey.sync_roster().await.at("the roster after the restore")?.put;
    running.stop().await?;

    // Every passkey is gone too: the member kit and 24 hours lead back in. A second restore, on which nobody has signed in.
    new.data = scratch.folder("new-machine-2")?;
    let again = restore(&place, &new.data, &backup, &practice.practice_kit.words)?;
    let running = start(&new, &clock).await?;
    let member = practice.owner.member();
    let waits = matches!(kit_use(&conn, member, &practice.member_kit.words).await.at("using the member kit")?, KitUse::Wait { .. });
    running.stop().await?;
    clock.by(Timestamp::DAY + Timestamp::HOUR);
    let running = start(&new, &clock).await?;
    let KitUse::Ready(mut inside) = kit_use(&conn, member, &practice.member_kit.words).await.at("using the member kit a day later")? else {
        return Err(DrillError::Missing("the member kit still waits after 25 hours".into()));
    };
    let passkey = Watched::new(&place.base(), &Secrets::default());
    inside.add_passkey(&passkey, "after the loss").await.at("a new passkey")?;
    let mut by_kit = open(signin(&conn, &passkey, None).await.at("signing in with the new passkey")?)?;
    let read_by_kit = read_all(&mut by_kit, &practice.charts, &passkey).await?;
    running.stop().await?;

    let lost = |read: &Readable| missing(&expected, read);
    let told = Told {
        expected: expected.len(),
        charts: practice.charts.len(),
        drafts,
        damaged,
        after_damage,
        lost_by_passkey: lost(&read_by_passkey),
        lost_by_kit: lost(&read_by_kit) + usize::from(!again.ok) * expected.len(),
        roster,
        waits,
        control,
        wrong_kit,
        lost_with_older: missing(&expected, &older),
        hurt,
        restored,
    };
    Ok(report(&told))
}

/// How many of the expected versions cannot be read, or read otherwise.
fn missing(expected: &Readable, read: &Readable) -> usize {
    expected.iter().filter(|(at, what)| read.get(at) != Some(*what)).count()
}

/// The control of the comparison: from the older backup exactly what was written after it is lost.
async fn older_backup(place: &Place, scratch: &Scratch, older: &Path, practice: &Practice, conn: &Connection, clock: &Ahead) -> Result<Readable, DrillError> {
    let mut place = place.clone();
    place.data = scratch.folder("restored-from-older")?;
    let done = restore(&place, &place.data, older, &practice.practice_kit.words)?;
    if !done.ok {
        return Err(DrillError::Control(format!("the older backup could not be restored: {}", done.said)));
    }
    let running = start(&place, clock).await?;
    let mut owner = open(signin(conn, &practice.passkey, None).await.at("signing in after restoring the older backup")?)?;
    let read = read_all(&mut owner, &practice.charts, &practice.passkey).await?;
    running.stop().await?;
    Ok(read)
}

/// What became of backups with one damaged file.
#[derive(Debug, Clone, Copy, Default)]
struct Hurt {
    files: usize,
    refused: usize,
    /// Restored whole all the same: the file was not needed.
    whole: usize,
    /// Restored as if whole, with something missing.
    silently: usize,
}

/// Changes one bit of each file of the plain copy (the repository beside it is taken away, or it would step in), and restores from that.
async fn damaged_backups(
    place: &Place,
    scratch: &Scratch,
    backup: &Path,
    practice: &Practice,
    conn: &Connection,
    clock: &Ahead,
    expected: &Readable,
) -> Result<Hurt, DrillError> {
    let copy = scratch.folder("backup-damaged")?;
    copy_folder(backup, &copy)?;
    let _ = fs::remove_dir_all(copy.join("restic"));
    let mut hurt = Hurt::default();
    for file in crate::search::files::files_under(&copy)?.into_iter().take(MOST_DAMAGED) {
        let sound = fs::read(&file)?;
        let mut bytes = sound.clone();
        let middle = bytes.len() / 2;
        let Some(byte) = bytes.get_mut(middle) else { continue };
        *byte ^= 4;
        fs::write(&file, &bytes)?;
        let mut place = place.clone();
        place.data = scratch.folder("restored-from-damaged")?;
        let done = restore(&place, &place.data, &copy, &practice.practice_kit.words)?;
        hurt.files += 1;
        if done.ok {
            // What cannot be started, entered or read then counts as missing.
            let read = async {
                let running = start(&place, clock).await?;
                let mut owner = open(signin(conn, &practice.passkey, None).await.at("signing in after restoring a damaged backup")?)?;
                let read = read_all(&mut owner, &practice.charts, &practice.passkey).await?;
                running.stop().await?;
                Ok::<_, DrillError>(read)
            };
            let read = read.await.unwrap_or_default();
            if missing(expected, &read) == 0 { hurt.whole += 1 } else { hurt.silently += 1 }
        } else {
            hurt.refused += 1;
        }
        fs::write(&file, &sound)?;
    }
    Ok(hurt)
}

async fn start(place: &Place, clock: &Ahead) -> Result<crate::server::Running, DrillError> {
    let (name, value) = clock.variable();
    place.start_with(&[(name, &value)]).await
}

/// Reads everything: every version and every file of every chart.
async fn read_all(vault: &mut Vault, charts: &[ChartId], passkey: &Watched) -> Result<Readable, DrillError> {
    let mut all = Readable::new();
    for chart in charts {
        vault.fresh(passkey).await.at("fresh passkey")?;
        let compartments = [WRITTEN[0], WRITTEN[1], WRITTEN[2], Compartment::Admin, Compartment::Messages];
        let opened = vault.open_chart(*chart, &compartments).await.at("reading everything")?;
        for entry in &opened.entries {
            for version in &entry.versions {
                let mut hashes = vec![sha256(&[version.body.title.as_bytes(), &version.body.body])];
                for number in 0..version.files.len() {
                    let file = vault.open_file(*chart, entry.compartment, entry.entry, version, number).await.at("reading a file")?;
                    hashes.push(sha256(&[&file]));
                }
                all.insert((*chart, version.hash), hashes);
            }
        }
    }
    Ok(all)
}

/// Overwrites half of the rows of every key table with noise of the same length, as a dying disk or a bad controller does. Gives how many rows.
async fn damage(data: &Path) -> Result<u64, DrillError> {
    let wrong = |e: sqlx::Error| DrillError::Control(format!("the key store could not be damaged: {e}"));
    let mut db = SqliteConnectOptions::new().filename(data.join("keys.db")).connect().await.map_err(wrong)?;
    let done = sqlx::raw_sql("UPDATE key_row SET value = randomblob(length(value)) WHERE seq % 2 = 0").execute(&mut db).await.map_err(wrong)?;
    db.close().await.map_err(wrong)?;
    Ok(done.rows_affected())
}

/// What `subrosa restore` said.
#[derive(Debug, Clone)]
struct Restored {
    ok: bool,
    exit: Option<i32>,
    said: Value,
}

fn restore(place: &Place, to: &Path, from: &Path, words: &str) -> Result<Restored, DrillError> {
    // The command wants a folder that is new.
    let _ = fs::remove_dir_all(to);
    let mut command = place.command();
    command.args(["--json", "restore", "--from"]).arg(from).arg("--to").arg(to).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut input) = child.stdin.take() {
        writeln!(input, "{words}")?;
    }
    let done = child.wait_with_output()?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    // A restore with gaps prints its report and then why it is refused: the report is what counts.
    let said = text.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok()).next();
    let said = said.unwrap_or_else(|| Value::from(last_line(&done.stderr)));
    Ok(Restored { ok: done.status.success(), exit: done.status.code(), said })
}

fn other_words() -> String {
    subrosa_crypto::words::code_to_words(&[7; 32]).to_string()
}

/// The control: from a backup whose key copies are gone nothing may count as restored.
fn lose_keys_and_restore(place: &Place, scratch: &Scratch, backup: &Path, practice: &Practice) -> Result<Restored, DrillError> {
    let keys: Vec<PathBuf> = crate::search::files::files_under(backup)?.into_iter().filter(|f| f.components().any(|c| c.as_os_str() == "keys")).collect();
    if keys.is_empty() {
        return Err(DrillError::Control("the backup has no key copies to take away".into()));
    }
    keys.iter().try_for_each(fs::remove_file)?;
    // The repository holds them too.
    let _ = fs::remove_dir_all(backup.join("restic"));
    restore(place, &scratch.folder("restored-without-keys")?, backup, &practice.practice_kit.words)
}

struct Told {
    expected: usize,
    charts: usize,
    drafts: usize,
    damaged: u64,
    after_damage: &'static str,
    lost_by_passkey: usize,
    lost_by_kit: usize,
    roster: usize,
    waits: bool,
    control: Restored,
    wrong_kit: Restored,
    lost_with_older: usize,
    hurt: Hurt,
    restored: Restored,
}

fn failed(restored: &Restored, expected: &Readable, damaged: u64) -> Outcome {
    let lines = vec![format!("The restore was refused: {}", restored.said)];
    Outcome::new("total-loss", false, lines, json!({ "lost": expected.len(), "expected": expected.len(), "damaged_rows": damaged, "restore": restored.said }))
}

fn report(t: &Told) -> Outcome {
    let lost = t.lost_by_passkey.max(t.lost_by_kit);
    let control = !t.control.ok && !t.wrong_kit.ok && t.lost_with_older == WRITTEN_LATER;
    let lines = vec![
        format!("{} versions in {} charts, with their files, before the loss. {} rows of the key store were damaged silently; then the server: {}.", t.expected, t.charts, t.damaged, t.after_damage),
        format!("Restored from practice kit and backup: {}", t.restored.said),
        format!("By passkey, 90 days later: {} lost; {} lines of the roster came.", t.lost_by_passkey, t.roster),
        format!("By the printed member kit alone{}: {} lost.", if t.waits { ", after 24 hours" } else { " (IT DID NOT WAIT)" }, t.lost_by_kit),
        format!("A bit changed in each of {} files of the backup: {} restores refused, {} whole all the same, {} with something silently missing.", t.hurt.files, t.hurt.refused, t.hurt.whole, t.hurt.silently),
        format!("Drafts are no part of a backup: {} were on the destroyed machine.", t.drafts),
        format!("Control: from the older backup {} lost, and {WRITTEN_LATER} was written after it; a backup without its key copies is refused or named incomplete (exit {:?}); another kit is refused (exit {:?}).", t.lost_with_older, t.control.exit, t.wrong_kit.exit),
    ];
    let passed = lost == 0 && t.hurt.silently == 0 && t.hurt.refused > 0 && t.expected > 0 && t.waits && control && t.damaged > 0;
    let fields = json!({
        "lost": lost, "lost_by_passkey": t.lost_by_passkey, "lost_by_member_kit": t.lost_by_kit, "expected": t.expected, "charts": t.charts, "days": 90,
        "damaged_rows": t.damaged, "after_damage": t.after_damage, "member_kit_waited": t.waits, "damaged_backups": t.hurt.files, "damaged_refused": t.hurt.refused, "damaged_whole": t.hurt.whole, "damaged_silently": t.hurt.silently, "drafts_not_in_backup": t.drafts, "restore": t.restored.said,
        "control_passed": control, "control_lost_with_older_backup": t.lost_with_older, "control_written_after_it": WRITTEN_LATER, "control_without_keys": t.control.said, "control_other_kit": t.wrong_kit.said,
        "control": "from an older backup exactly what was written after it must count as lost; a backup without its key copies and a wrong kit must be refused",
    });
    Outcome::new("total-loss", passed, lines, fields)
}
