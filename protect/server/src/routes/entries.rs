//! New versions of entries, and the roster rows drawn from them.

use std::collections::{BTreeMap, BTreeSet};

use subrosa_model::{ChartId, Compartment};
use subrosa_protocol::ProtocolError;
use subrosa_protocol::access::What;
use subrosa_protocol::api::{EntriesAnswer, EntryOutcome, NewEntries};
use subrosa_protocol::chart::{RosterBlob, RosterContext};
use subrosa_protocol::directory::Directory;
use subrosa_protocol::entry::{EntryBlob, EntryHeader, MAX_BODY};
use subrosa_protocol::pace::{Asked, Count, Gate, LIMITS, decide};
use subrosa_protocol::whomay::{Action, Standing};
use subrosa_store::{Needs, PaceMark, Plan, Write};

use crate::app::{App, Who};
use crate::call::{Answer, Call};
use crate::error::Refusal;
use crate::routes::charts::many;
use crate::routes::release::gate_refusal;
use crate::standing::{counted, living, standings};
use crate::{idempotency, record};

/// Most versions in one request.
const MAX_AT_ONCE: usize = 5000;
/// Largest sealed version, in bytes: the largest body, padded, with its frame.
const MAX_SEALED: usize = MAX_BODY + MAX_BODY / 4;
/// Largest sealed roster row, in bytes.
const MAX_ROW: usize = 16 * 1024;
/// Most attachments of one version.
const MAX_ATTACHMENTS: usize = 64;

/// What is written in one chart.
#[derive(Default)]
struct Part {
    compartments: BTreeSet<Compartment>,
    signed: Vec<Vec<u8>>,
}

/// `POST /v1/entries`.
pub async fn write(call: Call) -> Answer {
    let (app, who, now) = (&call.app, call.who()?.clone(), call.now);
    let ask: NewEntries = call.read()?;
    if ask.entries.is_empty() && ask.rows.is_empty() || ask.entries.len() > MAX_AT_ONCE || ask.rows.len() > MAX_AT_ONCE {
        return Err(Refusal::too_large("From 1 to 5000 versions at a time."));
    }
    let directory = app.directory()?;
    let mut parts: BTreeMap<ChartId, Part> = BTreeMap::new();
    for blob in &ask.entries {
        let header = check_entry(&directory, &who, blob)?;
        has_attachments(app, &header).await?;
        let part = parts.entry(header.context.chart).or_default();
        part.compartments.insert(header.context.compartment);
        part.signed.push(blob.signed.0.clone());
    }
    for row in &ask.rows {
        let part = parts.entry(check_row(&directory, &who, row)?.chart).or_default();
        part.compartments.insert(Compartment::Identity);
        part.signed.push(row.signed.0.clone());
    }
    let needs = Needs {
        charts: parts.keys().copied().collect(),
        member: Some(who.member()),
        review: directory.reviewed(&who.member()),
        own_since: now.plus(-LIMITS.own_window_ms),
        idempotency: idempotency::key(&who, "entries", &ask.idempotency)?,
    };
    let (entries, rows) = (ask.entries, ask.rows);
    let carried = app
        .commit(now, needs, move |view, directory| {
            let role = who.info(directory)?.role;
            let standing = standings(view, &who.member(), now);
            let mut plan = Plan::accept(());
            let mut foreign = 0;
            for (chart, part) in &parts {
                living(view, chart)?;
                let stands = standing.get(chart).copied().unwrap_or(Standing::Foreign);
                if counted(role, part.compartments.iter().map(|c| Action::write(*c)), stands)? {
                    foreign += u32::from(!view.foreign.contains(chart));
                    plan.pace.push(PaceMark { chart: *chart, foreign: true });
                }
                let signed: Vec<&[u8]> = part.signed.iter().map(Vec::as_slice).collect();
                let event = record::event(directory.practice(), What::Written, &who, now, many(&signed));
                let compartments: Vec<Compartment> = part.compartments.iter().copied().collect();
                plan.events.push(record::on_chart(&event, *chart, &compartments, stands == Standing::Related));
            }
            let count = Count { foreign: u32::try_from(view.foreign.len()).unwrap_or(u32::MAX), own_recent: 0, passkey_at: who.session.passkey_at };
            match decide(role, count, Asked { foreign, own: 0 }, now, &LIMITS) {
                Gate::Open => {}
                gate => return Err(gate_refusal(gate).into()),
            }
            plan.writes.extend(entries.iter().map(|blob| Write::Entry { blob: blob.clone() }));
            plan.writes.extend(rows.iter().map(|blob| Write::RosterRow { blob: blob.clone() }));
            Ok(plan)
        })
        .await?;
    let outcomes: Vec<EntryOutcome> = carried.receipt.outcomes;
    call.reply(&EntriesAnswer { outcomes, at: carried.receipt.at })
}

/// A version, verified as written by who hands it in.
fn check_entry(directory: &Directory, who: &Who, blob: &EntryBlob) -> Result<EntryHeader, Refusal> {
    if blob.sealed.len() > MAX_SEALED || blob.signed.len() > 64 * 1024 {
        return Err(Refusal::too_large("An entry is larger than allowed; larger things are attachments."));
    }
    let (_, kid) = blob.peek_unverified()?;
    let (member, device, key) = directory.signer(&kid).ok_or(ProtocolError::WrongSigner)?;
    let header = blob.verify(&directory.practice(), &key)?;
    if member != who.member() || device != who.device() || header.context.author != member || header.context.device != device {
        return Err(ProtocolError::WrongSigner.into());
    }
    Ok(header)
}

async fn has_attachments(app: &App, header: &EntryHeader) -> Result<(), Refusal> {
    if header.attachments.len() > MAX_ATTACHMENTS {
        return Err(Refusal::too_large("An entry has at most 64 attachments."));
    }
    for attachment in &header.attachments {
        if app.store.has_object(&attachment.ciphertext).await? != Some(attachment.length) {
            return Err(Refusal::bad("attachment-missing", "An attachment has not arrived in full. Send it again, then the entry."));
        }
    }
    Ok(())
}

fn check_row(directory: &Directory, who: &Who, row: &RosterBlob) -> Result<RosterContext, Refusal> {
    if row.sealed.len() > MAX_ROW || row.signed.len() > MAX_ROW {
        return Err(Refusal::too_large("A roster row is larger than allowed."));
    }
    let (member, device, key) = directory.signer(&row.signer_id()?).ok_or(ProtocolError::WrongSigner)?;
    if member != who.member() || device != who.device() {
        return Err(ProtocolError::WrongSigner.into());
    }
    Ok(row.verify(&directory.practice(), &key)?)
}
