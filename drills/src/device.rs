//! `drill device`: a laptop is stolen. Locked, how much on its disk can be read? Unlocked, how much can be read before the gate stops it, and what does
//! revoking it leave to the thief? On a one-machine install the laptop is the server too.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use subrosa_client::{
    ClientError, Connection, DeviceSecrets, DraftBody, HttpTransport, IdentityDraft, ImportState, NewBody, Vault, device_signin, offer_device, open_offline,
    signin,
};
use subrosa_crypto::random;
use subrosa_model::{ChartId, Compartment, DeviceId, EntryId, Timestamp};
use subrosa_protocol::pace::LIMITS;

use crate::clock::Ahead;
use crate::drill::{At, DrillError, Options, Outcome, Scratch, copy_folder};
use crate::practice::{Practice, open};
use crate::search::{Findings, Needles};
use crate::secrets::{Secrets, Watched};
use crate::server::{Place, Running};

const RECORD: &[Compartment] = &[Compartment::Record];

/// What lies on the laptop, and what the thief would need.
struct Laptop {
    linked: Vault,
    secrets: DeviceSecrets,
    device: DeviceId,
}

/// Runs the drill.
///
/// # Errors
/// [`DrillError`] when it could not be carried out.
pub async fn run(options: &Options, say: &dyn Fn(&str)) -> Result<Outcome, DrillError> {
    let scratch = Scratch::open(options)?;
    say("Drill: a stolen laptop, locked and unlocked. A scratch practice; nothing of yours is touched.");
    let place = Place::new(&options.binary, &scratch)?;
    let clock = Ahead::default();
    let mut running = place.start().await?;
    let token = running.setup_token.clone().ok_or(DrillError::Server("it printed no set-up link".into()))?;
    let conn = Connection::new(Arc::new(HttpTransport::new(&place.base()).at("connecting")?), Arc::new(clock.clone()));
    let secrets = Secrets::default();
    let mut practice = Practice::found(&conn, &place.base(), &token, &secrets).await?;
    let charts = LIMITS.foreign as usize + 3;
    for i in 0..charts {
        if i < 3 {
            practice.marked_chart().await?;
        } else {
            plain_chart(&mut practice).await?;
        }
    }
    practice.invite().await?;
    say(&format!("{charts} charts. Leaving on the laptop what the client keeps there."));
    let disk = scratch.folder("laptop")?;
    let laptop = leave_on_disk(&mut practice, &disk).await?;

    let locked = locked(&practice, &place, &scratch, &disk, &laptop).await?;
    say("Unlocked: somebody goes on with an open session, without the passkey.");
    // The passkey was shown a while ago.
    clock.by(LIMITS.own_window_ms + LIMITS.fresh_ms);
    running = restart(running, &place, &clock).await?;
    let own = until_stopped(&mut practice.owner, &practice.charts).await;
    let (mut colleague, colleague_passkey) = practice.colleague.take().ok_or(DrillError::Missing("no colleague".into()))?;
    let all_at_once = colleague.open_charts(&practice.charts, RECORD).await.err();
    let foreign = until_stopped(&mut colleague, &practice.charts).await;
    // The list that an unlocked device keeps was released when it was fetched; a thief reads all of it without asking anybody.
    practice.owner.sync_roster().await.at("roster")?;
    let names = practice.owner.roster().len();

    // The control: with the passkey the same sessions are not stopped, so it is the gate that stopped them.
    practice.owner.fresh(&practice.passkey).await.at("fresh passkey")?;
    let with_passkey = until_stopped(&mut practice.owner, &practice.charts).await;
    colleague.fresh(&colleague_passkey).await.at("fresh passkey")?;
    let foreign_with_passkey = until_stopped(&mut colleague, practice.charts.get(LIMITS.foreign as usize..).unwrap_or_default()).await;

    let revoked = revoke(&mut practice, laptop, &conn).await?;
    running.stop().await?;
    Ok(report(&Told { charts, locked, own, foreign, all_at_once, names, with_passkey, foreign_with_passkey, revoked }))
}

async fn plain_chart(practice: &mut Practice) -> Result<(), DrillError> {
    practice.owner.fresh(&practice.passkey).await.at("fresh passkey")?;
    let draft = IdentityDraft::new("Plain", &practice.secrets.word("family name"), "1990-01-01", Vec::new());
    let chart = practice.owner.make_chart(&draft).await.at("making a chart")?;
    practice.owner.write(chart, Compartment::Record, NewBody::note("note", "short")).await.at("writing")?;
    practice.charts.push(chart);
    Ok(())
}

/// Everything that our clients hand out to be stored: browser and linked native client.
async fn leave_on_disk(practice: &mut Practice, disk: &Path) -> Result<Laptop, DrillError> {
    let s = practice.secrets.clone();
    let first: Vec<ChartId> = practice.charts.iter().take(3).copied().collect();
    practice.owner.fresh(&practice.passkey).await.at("fresh passkey")?;
    let mut owner = open(signin(&practice.conn, &practice.passkey, None).await.at("signing in")?)?;
    owner.sync_roster().await.at("roster")?;
    let chart = *first.first().ok_or(DrillError::Missing("no chart".into()))?;
    let draft = DraftBody { entry: EntryId(random::make_bytes()), chart, compartment: Compartment::Record, body: NewBody::note("draft", &s.mark("draft kept offline")) };
    fs::write(disk.join("crisis.sealed"), owner.crisis_sheet(&first).await.at("crisis sheet")?)?;
    fs::write(disk.join("roster.sealed"), owner.seal_roster())?;
    fs::write(disk.join("door"), owner.offline_door().await.at("offline door")?)?;
    fs::write(disk.join("draft.sealed"), owner.seal_local_draft(&draft))?;
    fs::write(disk.join("import.sealed"), owner.seal_import(&ImportState::default()))?;
    fs::write(disk.join("pins.sealed"), owner.seal_local())?;
    s.vault("owner", &owner);

    let link = practice.owner.begin_link().await.at("linking")?;
    let offered = offer_device(&practice.conn, &link.fragment, "Stolen laptop").await.at("offering a device")?;
    practice.owner.fresh(&practice.passkey).await.at("fresh passkey")?;
    let teams: BTreeSet<_> = practice.owner.directory().teams().keys().copied().collect();
    let device = practice.owner.finish_link(link.id, teams, practice.conn.now().plus(30 * Timestamp::DAY)).await.at("linking")?;
    let passphrase = s.mark("passphrase");
    let file = offered.secrets.seal(&passphrase).at("sealing the device file")?;
    fs::write(disk.join("device.sealed"), &file)?;
    let secrets = DeviceSecrets::open(&file, &passphrase).at("opening the device file")?;
    let mut linked = device_signin(&practice.conn, &secrets, None).await.at("the device's sign-in")?;
    linked.sync_roster().await.at("the device's roster")?;
    fs::write(disk.join("device-roster.sealed"), linked.seal_roster())?;
    fs::write(disk.join("device-pins.sealed"), linked.seal_local())?;
    s.vault("device", &linked);
    Ok(Laptop { linked, secrets, device })
}

struct Locked {
    readable: usize,
    searched: u64,
    found: Vec<String>,
    wrong_ways: usize,
    opened_wrongly: usize,
    planted: usize,
    planted_found: usize,
}

/// Searches the disk, tries to open what lies there without what it takes, and shows as control that with it everything opens and is found.
async fn locked(practice: &Practice, place: &Place, scratch: &Scratch, disk: &Path, laptop: &Laptop) -> Result<Locked, DrillError> {
    let mut needles = Needles::new();
    practice.secrets.add_to(&mut needles)?;
    let searcher = needles.build()?;
    let mut taken = Findings::default();
    searcher.search_folder("laptop", disk, &mut taken)?;
    // One machine for everything: whoever takes it has the server's disk too, store key included.
    let server = scratch.folder("one-machine")?;
    copy_folder(&place.data, &server)?;
    searcher.search_folder("one-machine", &server, &mut taken)?;
    searcher.search_folder("one-machine-logs", &place.logs, &mut taken)?;

    let read = |name: &str| fs::read(disk.join(name));
    let (door, file) = (read("door")?, read("device.sealed")?);
    let stranger = Watched::new(&place.base(), &Secrets::default());
    let mut opened_wrongly = usize::from(open_offline(&stranger, None, &door).await.is_ok());
    let guesses = ["password1234", "correct horse battery staple", "subrosa-subrosa", ""];
    for guess in guesses {
        opened_wrongly += usize::from(DeviceSecrets::open(&file, guess).is_ok());
        opened_wrongly += usize::from(open_offline(&stranger, Some(guess), &door).await.is_ok());
    }

    // The control: with the passkey the copies open, and what comes out is found by the same search.
    let plain = scratch.folder("laptop-opened")?;
    let offline = open_offline(&practice.passkey, None, &door).await.at("opening offline with the passkey")?;
    let sheet = offline.crisis_sheet(&read("crisis.sealed")?).at("crisis sheet")?;
    fs::write(plain.join("crisis"), serde_json::to_vec(&sheet).map_err(|e| DrillError::Control(e.to_string()))?)?;
    let roster = offline.roster(&read("roster.sealed")?).at("roster")?;
    let rows = |roster: &subrosa_client::Roster| roster.rows().map(|f| format!("{} {} {:?}\n", f.row.given, f.row.family, f.row.more)).collect::<String>();
    fs::write(plain.join("roster"), rows(&roster))?;
    let draft = offline.open_draft(&read("draft.sealed")?).at("draft")?;
    fs::write(plain.join("draft"), &draft.body.body)?;
    fs::write(plain.join("device-roster"), rows(laptop.linked.roster()))?;
    let keys: Vec<u8> = laptop.linked.drill_secrets().iter().flat_map(|(_, key)| key.to_vec()).collect();
    fs::write(plain.join("device"), keys)?;
    let mut opened = Findings::default();
    searcher.search_folder("opened", &plain, &mut opened)?;
    let copies = ["crisis", "roster", "draft", "device-roster", "device"];
    let planted_found = copies.iter().filter(|name| opened.hits.keys().any(|(_, at)| *at == format!("opened/{name}"))).count();
    let found = taken.hits.keys().map(|(id, at)| format!("{} in {at}", searcher.name(*id))).collect();
    Ok(Locked {
        readable: taken.hits.len(),
        searched: taken.searched_bytes,
        found,
        wrong_ways: 1 + 2 * guesses.len(),
        opened_wrongly,
        planted: copies.len(),
        planted_found,
    })
}

/// Opens one chart after the other until it is refused. Gives how many were opened, and by what it was stopped.
async fn until_stopped(vault: &mut Vault, charts: &[ChartId]) -> (usize, Option<ClientError>) {
    for (opened, chart) in charts.iter().enumerate() {
        if let Err(e) = vault.open_chart(*chart, RECORD).await {
            return (opened, Some(e));
        }
    }
    (charts.len(), None)
}

async fn restart(running: Running, place: &Place, clock: &Ahead) -> Result<Running, DrillError> {
    running.stop().await?;
    let (name, value) = clock.variable();
    place.start_with(&[(name, &value)]).await
}

struct Revoked {
    /// What the thief's open sessions and files still got after the revocation.
    opened: usize,
    tries: usize,
    codes: Vec<String>,
    /// What the linked device could do before: the control.
    before: usize,
}

/// Revokes the laptop, ends its sessions, and lets the thief go on trying.
async fn revoke(practice: &mut Practice, mut laptop: Laptop, conn: &Connection) -> Result<Revoked, DrillError> {
    let chart = *practice.charts.first().ok_or(DrillError::Missing("no chart".into()))?;
    let mut thief = open(signin(conn, &practice.passkey, None).await.at("signing in")?)?;
    let mut before = usize::from(laptop.linked.open_chart(chart, RECORD).await.is_ok());
    before += usize::from(thief.open_chart(chart, RECORD).await.is_ok());
    before += usize::from(device_signin(conn, &laptop.secrets, None).await.is_ok());
    practice.owner.fresh(&practice.passkey).await.at("fresh passkey")?;
    practice.owner.revoke_device(laptop.device).await.at("revoking")?;
    practice.owner.end_session(thief.session()).await.at("ending the session")?;
    let written = practice.owner.write(chart, Compartment::Record, NewBody::note("after", "written after the theft")).await.at("writing")?;
    let mut outcomes = vec![laptop.linked.open_chart(chart, RECORD).await.err(), laptop.linked.sync_roster().await.err()];
    outcomes.push(device_signin(conn, &laptop.secrets, None).await.err());
    outcomes.push(thief.open_chart(chart, RECORD).await.err());
    outcomes.push(thief.sync().await.err());
    // Even the whole server and the laptop's keys do not open what was written since: its team's key has turned.
    let epochs = |vault: &Vault| vault.drill_secrets().into_iter().filter(|(what, _)| *what == "epoch key").map(|(_, k)| k.to_vec()).collect::<BTreeSet<_>>();
    let turned = epochs(&practice.owner).difference(&epochs(&laptop.linked)).count() > 0 && written.version == 1;
    outcomes.push(turned.then_some(ClientError::NoKey));
    let opened = outcomes.iter().filter(|o| o.is_none()).count();
    let codes = outcomes.iter().flatten().map(code).collect();
    Ok(Revoked { opened, tries: outcomes.len(), codes, before })
}

fn code(e: &ClientError) -> String {
    e.server_code().unwrap_or(e.code()).to_owned()
}

struct Told {
    charts: usize,
    locked: Locked,
    own: (usize, Option<ClientError>),
    foreign: (usize, Option<ClientError>),
    all_at_once: Option<ClientError>,
    names: usize,
    with_passkey: (usize, Option<ClientError>),
    foreign_with_passkey: (usize, Option<ClientError>),
    revoked: Revoked,
}

fn report(t: &Told) -> Outcome {
    let by = |e: &Option<ClientError>| e.as_ref().map_or_else(|| "NOTHING".to_owned(), code);
    let (own_bound, foreign_bound) = (LIMITS.own_burst as usize, LIMITS.foreign as usize);
    let mut lines = vec![
        format!("Locked: {} bytes of what lies on the laptop (and on a one-machine install's whole server) searched, {} readable.", t.locked.searched, t.locked.readable),
        format!("  {} wrong ways tried into its sealed files, {} opened.", t.locked.wrong_ways, t.locked.opened_wrongly),
        "  On a one-machine install the server's share and store key lie beside the data: there the member's passkey alone protects.".to_owned(),
        format!("Unlocked: {} of {} own charts read, then stopped by {} (bound: {own_bound} in 10 minutes without the passkey).", t.own.0, t.charts, by(&t.own.1)),
        format!("  {} charts of colleagues read, then stopped by {} (bound: {foreign_bound} until somebody reviews). All at once: {}.", t.foreign.0, by(&t.foreign.1), by(&t.all_at_once)),
        format!("  The list of names on an unlocked device is readable: {} lines of that member's caseload.", t.names),
        format!("Revoked: {} of {} further attempts got something ({}).", t.revoked.opened, t.revoked.tries, t.revoked.codes.join(", ")),
        format!("Control: {} of {} sealed copies opened with the passkey and were found by the same search;", t.locked.planted_found, t.locked.planted),
        format!("  with the passkey the same session read {} own charts; {} of 3 things worked before the revocation;", t.with_passkey.0, t.revoked.before),
        format!("  for charts of colleagues the passkey changes nothing, a review does: {} read, {}.", t.foreign_with_passkey.0, by(&t.foreign_with_passkey.1)),
    ];
    lines.extend(t.locked.found.iter().map(|f| format!("  FOUND {f}")));
    let gate = t.own.0 <= own_bound && matches!(t.own.1, Some(ClientError::GatePasskey)) && t.foreign.0 <= foreign_bound && matches!(t.foreign.1, Some(ClientError::GateStop));
    let all_at_once = matches!(t.all_at_once, Some(ClientError::GateStop | ClientError::GatePasskey));
    let control = t.locked.planted_found == t.locked.planted && t.with_passkey.0 == t.charts && t.revoked.before == 3 && t.own.0 > 0 && t.foreign.0 > 0;
    let passed = t.locked.readable == 0 && t.locked.opened_wrongly == 0 && gate && all_at_once && t.revoked.opened == 0 && control;
    let fields = json!({
        "readable": t.locked.readable, "searched_bytes": t.locked.searched, "wrong_ways": t.locked.wrong_ways, "opened_wrongly": t.locked.opened_wrongly,
        "charts": t.charts, "own_read": t.own.0, "own_bound": own_bound, "own_stopped_by": by(&t.own.1),
        "foreign_read": t.foreign.0, "foreign_bound": foreign_bound, "foreign_stopped_by": by(&t.foreign.1), "all_at_once": by(&t.all_at_once), "names_read": t.names,
        "after_revocation": t.revoked.opened, "revocation_tries": t.revoked.tries, "revocation_codes": t.revoked.codes,
        "control_planted": t.locked.planted, "control_found": t.locked.planted_found, "control_read_with_passkey": t.with_passkey.0, "control_before_revocation": t.revoked.before,
        "control": "with the passkey the sealed copies open and are found, and the same session reads every chart; before the revocation the laptop worked",
        "one_machine": "the server's disk was searched as part of the laptop; there the passkey alone protects",
    });
    Outcome::new("device", passed, lines, fields)
}
