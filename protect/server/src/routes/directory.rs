//! The directory log: reading it, appending to it, collecting second signatures.

use std::collections::BTreeSet;

use subrosa_crypto::{Endorsed, cbor, sha256};
use subrosa_model::{Bytes, DeviceId, Hash32, MemberId, Role, Timestamp};
use subrosa_protocol::ProtocolError;
use subrosa_protocol::api::{Approvals, DirectoryAppend, DirectoryPage, Epochs};
use subrosa_protocol::directory::{Act, Applied, Authority, Directive, Directory, Recipient};
use subrosa_store::{Needs, Plan, Write};

use crate::app::{App, Who};
use crate::call::{Answer, Call};
use crate::error::Refusal;
use crate::{log, seals};

/// Most statements in one request.
const MAX_STATEMENTS: usize = 1000;
/// How far a statement's own time may be ahead of the server's, in milliseconds.
const AHEAD_MS: i64 = 5 * Timestamp::MINUTE;
/// How old a statement may be: it may have waited for a second signature, in milliseconds.
const OLD_MS: i64 = 31 * Timestamp::DAY;
/// How long somebody alone in a practice waits to review their own pace, in milliseconds.
const SELF_REVIEW_MS: i64 = Timestamp::DAY;

/// `GET /v1/directory?after=N`.
pub async fn get(call: Call) -> Answer {
    let after = call.query("after")?.unwrap_or(0);
    call.reply(&call.app.store.directory(after).await?)
}

/// `GET /v1/epochs`.
pub async fn epochs(call: Call) -> Answer {
    let who = call.who()?;
    let directory = call.app.directory()?;
    let (recipient, teams) = match who.device() {
        None => (
            Recipient::Member(who.member()),
            directory.teams().iter().filter(|(_, t)| t.members.contains(&who.member())).map(|(id, _)| *id).collect(),
        ),
        Some(device) => (Recipient::Device(device), directory.devices().get(&device).map(|d| d.teams.iter().copied().collect()).unwrap_or_default()),
    };
    let teams: Vec<_> = teams;
    call.reply(&Epochs { seals: call.app.store.epoch_seals(&[recipient], &teams).await? })
}

/// `POST /v1/directory`.
pub async fn append(call: Call) -> Answer {
    let (app, who, now) = (&call.app, call.who()?.clone(), call.now);
    let ask: DirectoryAppend = call.read()?;
    if ask.entries.is_empty() || ask.entries.len() > MAX_STATEMENTS {
        return Err(Refusal::too_large("From 1 to 1000 statements at a time."));
    }
    app.refresh().await?;
    let before = app.directory()?;
    let applied = check(app, &who, &before, &ask, now).await?;
    let extra = admissions(app, &applied).await?;
    let closed = outdated(app, before.size() + ask.entries.len() as u64).await?;

    let at_size = before.size();
    let (entries, epoch_seals, bundle) = (ask.entries, ask.seals, ask.bundle);
    let named = seals::check_bundle(&applied, bundle.as_ref())?;
    let by = who.clone();
    app.commit(now, Needs::default(), move |_, directory| {
        by.info(directory)?;
        if directory.size() != at_size {
            return Err(Refusal::from(ProtocolError::OutOfSequence).into());
        }
        let mut plan = Plan::accept(()).write(Write::Directory { at_size, entries: entries.clone(), seals: epoch_seals.clone() });
        if let (Some((member, version)), Some(sealed)) = (named, &bundle) {
            plan.writes.push(Write::Bundle { member, version, sealed: sealed.clone() });
        }
        plan.writes.extend(extra.iter().cloned());
        plan.writes.extend(closed.iter().cloned());
        Ok(plan)
    })
    .await?;
    app.refresh().await?;
    // From the moment of the commit the directory itself refuses them; what follows only tidies up.
    for a in &applied {
        let (member, device) = match &a.directive.act {
            Act::RemoveMember { member } => (*member, None),
            Act::RevokeDevice { device } => match before.devices().get(device) {
                Some(d) => (d.member, Some(*device)),
                None => continue,
            },
            // Somebody turns their own keys because something was lost.
            Act::TurnMember { .. } => {
                crate::routes::ways::end_others(app, &who).await?;
                continue;
            }
            _ => continue,
        };
        let ended = app.store.end_sessions_of(&member, device).await?;
        log::info("sessions ended", &[("member", &member), ("sessions", &ended)]);
    }
    page(&call).await
}

async fn page(call: &Call) -> Answer {
    let size = call.app.directory()?.size();
    call.reply(&DirectoryPage { entries: Vec::new(), size })
}

/// Everything that has to hold before statements are appended.
async fn check(app: &App, who: &Who, before: &Directory, ask: &DirectoryAppend, now: Timestamp) -> Result<Vec<Applied>, Refusal> {
    let mut next = before.clone();
    let mut applied = Vec::new();
    for entry in &ask.entries {
        let a = next.apply(entry)?;
        let by_device = who.device().is_some();
        // What the root alone signed (from the practice kit) may be handed in by any member, with a fresh passkey.
        let by_root = a.signers.is_empty();
        if !by_root && !a.signers.contains(&who.member()) {
            return Err(Refusal::forbidden("wrong-signer", "A statement is handed in by somebody who signed it."));
        }
        if by_root && !who.fresh(now) {
            return Err(Refusal::passkey_first());
        }
        if a.directive.at.since(now) > AHEAD_MS || now.since(a.directive.at) > OLD_MS {
            return Err(ProtocolError::BadTime.into());
        }
        if by_device && !matches!(a.directive.act, Act::TurnEpoch { .. }) {
            return Err(Refusal::forbidden("wrong-signer", "A linked device may turn epochs; everything else in the directory is decided by a signed-in person."));
        }
        match weight(&a.directive.act) {
            Weight::Light => {}
            Weight::Recent if who.recent(now) => {}
            Weight::Fresh if who.fresh(now) => {}
            Weight::Recent | Weight::Fresh => return Err(Refusal::passkey_first()),
        }
        if let Act::AdmitMember { .. } | Act::LinkDevice { .. } = &a.directive.act {
            app.demo.admits()?;
        }
        // Under a key that this server does not hold no checkpoint would ever verify again.
        if let Act::SetLogKey { log_key } = &a.directive.act
            && *log_key != app.store.log_key()
        {
            return Err(Refusal::bad("not-allowed", "This is not the server's key; with it nothing could be opened any more."));
        }
        if let Act::ReviewPace { member } = &a.directive.act
            && a.signers.iter().all(|s| s == member)
        {
            self_review(app, &next, entry, *member, now).await?;
        }
        applied.push(a);
    }
    seals::check_seals(&applied, &ask.seals)?;
    Ok(applied)
}

enum Weight {
    Light,
    Recent,
    Fresh,
}

/// How recently the passkey has to have been shown for an act.
fn weight(act: &Act) -> Weight {
    match act {
        Act::LinkDevice { .. } | Act::TurnMember { .. } | Act::ReviewPace { .. } | Act::Order { .. } | Act::LiftHold { .. } | Act::SetPolicy { .. } | Act::SetLogKey { .. } | Act::SetRoot { .. } => {
            Weight::Fresh
        }
        // What locks somebody out, or gives a team's charts to others, is not for a session that was left open.
        Act::SetBundle { .. } | Act::RemoveMember { .. } | Act::ChangeTeam { .. } => Weight::Fresh,
        Act::AdmitMember { .. } | Act::SetRole { .. } | Act::SetWitness { .. } | Act::RaiseSuite { .. } => Weight::Recent,
        _ => Weight::Light,
    }
}

/// A stop of the gate is reviewed by somebody else. Somebody alone in a practice reviews it themself, a day after they first asked.
async fn self_review(app: &App, directory: &Directory, entry: &[u8], member: MemberId, now: Timestamp) -> Result<(), Refusal> {
    if !alone(directory) {
        return Err(Refusal::forbidden("second-person-needed", "Somebody else has to review this. Ask an owner or the privacy officer."));
    }
    let slot = sha256(&[b"subrosa/1/self-review", member.as_bytes(), &directory.reviewed(&member).to_be_bytes(), &sha256(&[entry]).0]);
    let first = match app.store.take_ceremony(&slot, now).await? {
        Some(body) => cbor::decode::<Timestamp>(&body).map_err(|_| Refusal::internal("delay"))?,
        None => now,
    };
    let waited = now.since(first);
    if waited >= SELF_REVIEW_MS {
        return Ok(());
    }
    app.store.put_ceremony(&slot, now.plus(OLD_MS), &cbor::encode(&first)).await?;
    let left = u64::try_from((SELF_REVIEW_MS - waited) / 1000 + 1).unwrap_or(1);
    Err(Refusal::forbidden("wait", "You are alone in this practice, so your own review takes effect a day after you first asked. Hand in the same statement again then.").after(left))
}

/// A practice of one: no two-person policy and a single active member.
pub fn alone(directory: &Directory) -> bool {
    directory.policy().is_some_and(|p| !p.two_person) && directory.members().values().filter(|m| m.active).count() == 1
}

/// What an admitted member deposited when they followed their invitation becomes theirs.
async fn admissions(app: &App, applied: &[Applied]) -> Result<Vec<Write>, Refusal> {
    let mut writes = Vec::new();
    for a in applied {
        let (who, key): (Recipient, _) = match &a.directive.act {
            Act::AdmitMember { member, sign, .. } => (Recipient::Member(*member), sign),
            Act::LinkDevice { device, sign, .. } => (Recipient::Device(*device), sign),
            _ => continue,
        };
        for signer in &a.signers {
            for row in app.store.invitations(signer).await? {
                let fits = row.state.accepted.as_ref().is_some_and(|(keys, _)| keys.who == who && keys.sign == *key);
                if row.closed || !fits {
                    continue;
                }
                if let (Recipient::Member(member), Some((credential, json)), Some(bundle)) = (who, &row.credential, &row.bundle) {
                    writes.push(Write::Credential { credential: *credential, member, json: json.clone(), active: true });
                    writes.push(Write::Bundle { member, version: bundle.version, sealed: bundle.sealed.clone() });
                    writes.push(Write::WayIn { member, wrapped: bundle.way_in.clone(), active: true });
                }
                writes.push(Write::InvitationClosed { invitation: row.state.invitation });
            }
        }
    }
    Ok(writes)
}

/// Proposals whose place in the log is taken.
async fn outdated(app: &App, size: u64) -> Result<Vec<Write>, Refusal> {
    let mut writes = Vec::new();
    for statement in app.store.approvals().await? {
        if let Ok(endorsed) = Endorsed::<Directive>::from_bytes(&statement)
            && endorsed.peek_unverified().is_ok_and(|d| d.seq < size)
        {
            writes.push(Write::Approval { hash: endorsed.payload_hash(), statement, open: false });
        }
    }
    Ok(writes)
}

/// `GET /v1/approvals`.
pub async fn approvals(call: Call) -> Answer {
    let waiting = call.app.store.approvals().await?;
    call.reply(&Approvals { waiting })
}

/// `POST /v1/approvals`.
pub async fn propose(call: Call) -> Answer {
    let (app, who) = (&call.app, call.who()?.clone());
    let ask: Approvals = call.read()?;
    if ask.waiting.is_empty() || ask.waiting.len() > 16 || who.device().is_some() {
        return Err(Refusal::bad("malformed", "From 1 to 16 proposals of a signed-in person."));
    }
    app.refresh().await?;
    let directory = app.directory()?;
    let held = app.store.approvals().await?;
    let mut writes = Vec::new();
    for statement in &ask.waiting {
        let (hash, signers) = proposal(&directory, statement, &who)?;
        // Signatures are only added: a proposal that has fewer of them than the one held, or others, does not replace it.
        let earlier = held.iter().filter_map(|h| Endorsed::<Directive>::from_bytes(h).ok()).find(|e| e.payload_hash() == hash);
        if earlier.is_some_and(|e| !e.signers().iter().all(|kid| signers.contains(kid))) {
            return Err(Refusal::conflict("exists", "Somebody has signed this meanwhile. Fetch the proposal again and add your signature to it."));
        }
        writes.push(Write::Approval { hash, statement: statement.clone(), open: true });
    }
    if held.len() + writes.len() > 100 {
        return Err(Refusal::too_large("Too many proposals wait already. Finish or withdraw some first."));
    }
    app.commit(call.now, Needs::default(), move |_, directory| {
        who.info(directory)?;
        let mut plan = Plan::accept(());
        plan.writes.clone_from(&writes);
        Ok(plan)
    })
    .await?;
    let waiting = app.store.approvals().await?;
    call.reply(&Approvals { waiting })
}

fn proposal(directory: &Directory, statement: &Bytes, who: &Who) -> Result<(Hash32, BTreeSet<subrosa_model::KeyId>), Refusal> {
    let endorsed = Endorsed::<Directive>::from_bytes(statement)?;
    let find = |kid: &subrosa_model::KeyId| directory.signer(kid).filter(|(_, device, _): &(MemberId, Option<DeviceId>, _)| device.is_none()).map(|(_, _, key)| key);
    let (directive, kids) = endorsed.verify(find, &directory.practice())?;
    if directive.practice != directory.practice() {
        return Err(ProtocolError::WrongPractice.into());
    }
    if directive.seq != directory.size() || directive.prev != directory.head() {
        return Err(ProtocolError::OutOfSequence.into());
    }
    // Only what needs two people is proposed, and only by those who may be one of them: a second signature must never be all that was missing.
    if directory.needed(&directive.act) != Authority::TwoOwnersOrOfficers {
        return Err(Refusal::bad("not-allowed", "This is not something that two people decide. Do it yourself, or not at all."));
    }
    if !matches!(who.info(directory)?.role, Role::Owner | Role::PrivacyOfficer) {
        return Err(crate::standing::NEVER);
    }
    let signed = kids.iter().any(|kid| directory.signer(kid).is_some_and(|(member, _, _)| member == who.member()));
    if !signed {
        return Err(ProtocolError::WrongSigner.into());
    }
    Ok((endorsed.payload_hash(), kids.into_iter().collect()))
}
