//! Invitations of people and pairings of devices: used once, for 72 hours.

use subrosa_crypto::{random, sha256};
use subrosa_model::{Hash32, InvitationId, Timestamp};
use subrosa_protocol::api::{CeremonyStart, IntroductionPurpose, InvitationAccept, InvitationPut, Invitations};
use subrosa_protocol::directory::Recipient;
use subrosa_protocol::whomay::{Action, Standing, Verdict, may};
use subrosa_store::{InvitationRow, Needs, Plan, Write};

use crate::app::App;
use crate::call::{Answer, Call, Reply};
use crate::error::Refusal;
use crate::passkey::Kind;
use crate::seals::MAX_BUNDLE;
use crate::signin::{self, NO_CEREMONY};
use crate::standing::NEVER;

/// How long an invitation can be followed, in milliseconds.
const INVITATION_MS: i64 = 72 * Timestamp::HOUR;
/// How long a pairing can be followed, in milliseconds.
const PAIRING_MS: i64 = Timestamp::HOUR;
/// Most open invitations of one member.
const MAX_OPEN: usize = 50;

const GONE: Refusal = Refusal::new(axum::http::StatusCode::GONE, "invitation", "This invitation is not valid, no longer valid, or was already used. Ask for a new one.");

/// `GET /v1/invitations`.
pub async fn list(call: Call) -> Answer {
    let rows = call.app.store.invitations(&call.who()?.member()).await?;
    let invitations = rows.into_iter().filter(|r| !r.closed).map(|r| r.state).collect();
    call.reply(&Invitations { invitations })
}

/// `POST /v1/invitations`.
pub async fn put(call: Call) -> Answer {
    let (app, who, now) = (&call.app, call.who()?.clone(), call.now);
    let ask: InvitationPut = call.read()?;
    app.demo.admits()?;
    if ask.sealed_secret.len() > 4096 {
        return Err(Refusal::too_large("The sealed secret is larger than any is."));
    }
    if who.device().is_some() {
        return Err(Refusal::forbidden("wrong-signer", "A linked device does not invite; a signed-in person does."));
    }
    if !who.recent(now) {
        return Err(Refusal::passkey_first());
    }
    if app.store.invitation(&ask.invitation).await?.is_some() {
        return Err(Refusal::conflict("exists", "This invitation is already here."));
    }
    let open = app.store.invitations(&who.member()).await?.into_iter().filter(|r| !r.closed && r.state.until >= now).count();
    if open >= MAX_OPEN {
        return Err(Refusal::too_large("Too many invitations are open. Withdraw some first."));
    }
    let life = if ask.purpose == IntroductionPurpose::Member { INVITATION_MS } else { PAIRING_MS };
    app.commit(now, Needs::default(), move |_, directory| {
        let role = who.info(directory)?.role;
        if ask.purpose == IntroductionPurpose::Member && may(role, Action::Invite, Standing::Foreign) != Verdict::Yes {
            return Err(NEVER.into());
        }
        Ok(Plan::accept(()).write(Write::Invitation { by: who.member(), put: ask.clone(), until: now.plus(life) }))
    })
    .await?;
    Ok(Reply::nothing())
}

/// `DELETE /v1/invitations/{id}`.
pub async fn withdraw(call: Call) -> Answer {
    let (app, who) = (&call.app, call.who()?.clone());
    let id: InvitationId = call.param(0)?;
    app.store.invitation(&id).await?.filter(|r| r.by == who.member() && !r.closed).ok_or(GONE)?;
    app.commit(call.now, Needs::default(), move |_, directory| {
        who.info(directory)?;
        Ok(Plan::accept(()).write(Write::InvitationClosed { invitation: id }))
    })
    .await?;
    Ok(Reply::nothing())
}

/// An invitation that can still be followed.
async fn open(app: &App, id: &InvitationId, now: Timestamp) -> Result<InvitationRow, Refusal> {
    let row = app.store.invitation(id).await?.ok_or(GONE)?;
    let inviter_stands = app.directory()?.member(&row.by).is_some();
    if row.closed || row.state.accepted.is_some() || row.state.until < now || !inviter_stands { Err(GONE) } else { Ok(row) }
}

/// `POST /v1/invitations/{id}/start`.
pub async fn start(call: Call) -> Answer {
    let (app, now) = (&call.app, call.now);
    app.demo.admits()?;
    let id: InvitationId = call.param(0)?;
    let ask: CeremonyStart = call.read()?;
    let row = open(app, &id, now).await?;
    if row.state.purpose != IntroductionPurpose::Member {
        return Err(GONE);
    }
    if app.directory()?.members().contains_key(&ask.member) {
        return Err(Refusal::conflict("exists", "This member is already here. Follow the invitation anew."));
    }
    let nonce = Hash32(random::make_bytes());
    let (options, state) = app.passkeys.begin_making(ask.member, &ask.label, &[], &nonce, &ask.session_key)?;
    let pending = signin::pending(Kind::Invitation { invitation: id }, ask.member, ask.session_key, nonce, state);
    call.reply(&signin::keep(app, now, &pending, options).await?)
}

/// `POST /v1/invitations/{id}/accept`.
pub async fn accept(call: Call) -> Answer {
    let (app, now) = (&call.app, call.now);
    app.demo.admits()?;
    let id: InvitationId = call.param(0)?;
    let ask: InvitationAccept = call.read()?;
    let row = open(app, &id, now).await?;
    if ask.mac.len() != 32 || ask.keys.name.len() > 200 || ask.keys.name.trim().is_empty() {
        return Err(Refusal::bad("malformed", "The answer to the invitation is not complete."));
    }
    let directory = app.directory()?;
    if directory.past_signer(&ask.keys.sign.id()).is_some() {
        return Err(Refusal::conflict("exists", "These keys are already in use. Follow the invitation anew."));
    }
    let credential = match (row.state.purpose, ask.keys.who) {
        (IntroductionPurpose::Member, Recipient::Member(member)) => {
            let (Some(finish), Some(bundle)) = (&ask.finish, &ask.bundle) else {
                return Err(Refusal::bad("malformed", "A new member needs a passkey and a bundle."));
            };
            let pending = signin::take(app, now, &finish.ceremony).await?;
            if pending.kind != (Kind::Invitation { invitation: id }) || pending.member != member {
                return Err(NO_CEREMONY);
            }
            let made = app.passkeys.finish_making(&pending.state, &finish.credential)?;
            signin::check_way(&bundle.way_in, &made.credential)?;
            if bundle.version != 1 || bundle.sealed.len() > MAX_BUNDLE {
                return Err(Refusal::bad("malformed", "A new member's bundle is version 1 and of a bundle's size."));
            }
            if app.store.credential(&made.credential).await?.is_some() || directory.members().contains_key(&member) {
                return Err(Refusal::conflict("exists", "This member is already here. Follow the invitation anew."));
            }
            Some((made.credential, made.json))
        }
        (IntroductionPurpose::Device, Recipient::Device(device)) => {
            if ask.finish.is_some() || ask.bundle.is_some() || directory.devices().contains_key(&device) {
                return Err(Refusal::bad("malformed", "A linked device brings keys of its own and nothing else."));
            }
            None
        }
        _ => return Err(Refusal::bad("malformed", "The answer does not fit the invitation.")),
    };
    // The store takes an answer once: of two at the same time, one is told that it came too late.
    let needs = Needs { idempotency: Some(sha256(&[b"subrosa/1/accept", id.as_bytes()])), ..Needs::default() };
    let carried = app
        .commit(now, needs, move |_, _| {
            Ok(Plan::accept(()).write(Write::InvitationAccepted {
                invitation: id,
                keys: ask.keys.clone(),
                mac: ask.mac.clone(),
                credential: credential.clone(),
                bundle: ask.bundle.clone(),
            }))
        })
        .await?;
    if carried.verdict.is_none() {
        return Err(GONE);
    }
    Ok(Reply::nothing())
}
