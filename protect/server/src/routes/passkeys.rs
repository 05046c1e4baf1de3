//! Signing in, showing the passkey again, adding a passkey.

use subrosa_crypto::{random, sha256};
use subrosa_model::{DeviceId, Hash32, MemberId, Timestamp};
use subrosa_protocol::access::What;
use subrosa_protocol::api::{CeremonyFinish, CeremonyStart, DeviceFinish, DeviceStart, PasskeyFinish};
use subrosa_protocol::session::device_challenge;
use subrosa_store::{Needs, Plan, SessionRow, Write};

use crate::app::{NO_ACCESS, Who};
use crate::call::{Answer, Call};
use crate::error::Refusal;
use crate::passkey::Kind;
use crate::record;
use crate::signin::{self, NO_CEREMONY, Used};

const NOT_MEMBER: MemberId = MemberId([0; 16]);
const UNKNOWN_PASSKEY: Refusal = Refusal::unsigned(
    "passkey",
    "This passkey is not known here. If you were invited, an owner still has to confirm you; else use the passkey that you made for this practice.",
);
const NO_DEVICE: Refusal = Refusal::forbidden("no-access", "This device is not linked, or no longer. Link it from a signed-in browser.");

/// `POST /v1/signin/start`.
pub async fn signin_start(call: Call) -> Answer {
    let app = &call.app;
    app.directory()?;
    let ask: CeremonyStart = call.read()?;
    let nonce = Hash32(random::make_bytes());
    let (options, state) = app.passkeys.begin_any(&nonce, &ask.session_key)?;
    let pending = signin::pending(Kind::SignIn, NOT_MEMBER, ask.session_key, nonce, state);
    call.reply(&signin::keep(app, call.now, &pending, options).await?)
}

/// `POST /v1/signin/finish`.
pub async fn signin_finish(call: Call) -> Answer {
    let (app, now) = (&call.app, call.now);
    let ask: CeremonyFinish = call.read()?;
    // What is certainly wrong is refused before the ceremony is used up.
    let credential = app.passkeys.named(&ask.credential)?;
    let pending = signin::take(app, now, &ask.ceremony).await?;
    if pending.kind != Kind::SignIn {
        return Err(NO_CEREMONY);
    }
    let row = app.store.credential(&credential).await?.filter(|r| r.active).ok_or(UNKNOWN_PASSKEY)?;
    let moved = app.passkeys.finish_any(&pending.state, &ask.credential, row.member, &row.json)?;
    let session = signin::usual_session(row.member, None, pending.session_key, now);
    begin(&call, session, moved.map(|json| Write::Credential { credential, member: row.member, json, active: true }), Used::Credential(credential)).await
}

/// Records that a session begins, then begins it.
async fn begin(call: &Call, session: SessionRow, write: Option<Write>, used: Used) -> Answer {
    let (app, now) = (&call.app, call.now);
    if app.shared {
        app.refresh().await?;
    }
    let who = Who { session: session.clone() };
    let needs = Needs { member: Some(session.member), ..Needs::default() };
    let request = sha256(&[b"subrosa/1/session", session.key.as_bytes()]);
    app.commit(now, needs, move |_, directory| {
        who.info(directory)?;
        if let Some(device) = who.device()
            && !device_stands(directory, &device, now)
        {
            return Err(NO_DEVICE.into());
        }
        let mut plan = Plan::accept(()).event(record::event(directory.practice(), What::SignedIn, &who, now, request));
        plan.writes.extend(write.clone());
        Ok(plan)
    })
    .await?;
    app.store.put_session(&session).await?;
    call.reply(&signin::signed_in(app, &session, used).await?)
}

fn device_stands(directory: &subrosa_protocol::directory::Directory, device: &DeviceId, now: Timestamp) -> bool {
    directory.devices().get(device).is_some_and(|d| d.active && d.until >= now && directory.member(&d.member).is_some())
}

/// `POST /v1/device/start`. It answers the same for devices that do not exist.
pub async fn device_start(call: Call) -> Answer {
    call.app.directory()?;
    let ask: DeviceStart = call.read()?;
    let nonce = Hash32(random::make_bytes());
    let pending = signin::pending(Kind::Device { device: ask.device }, NOT_MEMBER, ask.session_key, nonce, String::new());
    call.reply(&signin::keep(&call.app, call.now, &pending, String::new()).await?)
}

/// `POST /v1/device/finish`.
pub async fn device_finish(call: Call) -> Answer {
    let (app, now) = (&call.app, call.now);
    let ask: DeviceFinish = call.read()?;
    let pending = signin::take(app, now, &ask.ceremony).await?;
    let Kind::Device { device } = pending.kind else { return Err(NO_CEREMONY) };
    app.refresh().await?;
    let directory = app.directory()?;
    let info = directory.devices().get(&device).filter(|_| device_stands(&directory, &device, now)).ok_or(NO_DEVICE)?;
    let signature = ask.signature.as_slice().try_into().map_err(|_| NO_DEVICE)?;
    info.sign.verify_raw(&device_challenge(pending.nonce.as_bytes(), &pending.session_key), signature).map_err(|_| NO_DEVICE)?;
    let session = signin::usual_session(info.member, Some(device), pending.session_key, now);
    begin(&call, session, None, Used::Device).await
}

/// `POST /v1/fresh/start`.
pub async fn fresh_start(call: Call) -> Answer {
    let (app, who) = (&call.app, call.who()?);
    let ask: CeremonyStart = call.read()?;
    if ask.session_key != who.session.key {
        return Err(Refusal::bad("session-key", "The passkey has to be shown for this session. Reload the app and try again."));
    }
    let stored: Vec<String> = app.store.credentials(&who.member()).await?.into_iter().filter(|c| c.active).map(|c| c.json).collect();
    if stored.is_empty() {
        return Err(UNKNOWN_PASSKEY);
    }
    let nonce = Hash32(random::make_bytes());
    let (options, state) = app.passkeys.begin_one_of(&stored, &nonce, &ask.session_key)?;
    let pending = signin::pending(Kind::Fresh { session: who.session.session }, who.member(), ask.session_key, nonce, state);
    call.reply(&signin::keep(app, call.now, &pending, options).await?)
}

/// `POST /v1/fresh/finish`.
pub async fn fresh_finish(call: Call) -> Answer {
    let (app, who, now) = (&call.app, call.who()?, call.now);
    let ask: CeremonyFinish = call.read()?;
    let credential = app.passkeys.named(&ask.credential)?;
    let pending = signin::take(app, now, &ask.ceremony).await?;
    if pending.kind != (Kind::Fresh { session: who.session.session }) {
        return Err(NO_CEREMONY);
    }
    let row = app.store.credential(&credential).await?.filter(|r| r.active && r.member == who.member()).ok_or(UNKNOWN_PASSKEY)?;
    if let Some(json) = app.passkeys.finish_one_of(&pending.state, &ask.credential, &row.json)? {
        let write = Write::Credential { credential, member: row.member, json, active: true };
        app.commit(now, Needs::default(), move |_, _| Ok(Plan::accept(()).write(write.clone()))).await?;
    }
    app.store.fresh_session(&who.session.session, now).await?;
    call.reply(&signin::signed_in(app, &who.session, Used::Credential(credential)).await?)
}

/// `POST /v1/passkey/start`.
pub async fn further_start(call: Call) -> Answer {
    let (app, who) = (&call.app, call.who()?);
    let ask: CeremonyStart = call.read()?;
    if ask.session_key != who.session.key {
        return Err(Refusal::bad("session-key", "The passkey has to be made for this session. Reload the app and try again."));
    }
    if who.device().is_some() {
        return Err(Refusal::forbidden("passkey-needed", "A linked device cannot add a passkey. Sign in with a passkey to add another."));
    }
    if !who.session.restricted && !who.recent(call.now) {
        return Err(Refusal::passkey_first());
    }
    let stored: Vec<String> = app.store.credentials(&who.member()).await?.into_iter().filter(|c| c.active).map(|c| c.json).collect();
    let nonce = Hash32(random::make_bytes());
    let (options, state) = app.passkeys.begin_making(who.member(), &ask.label, &stored, &nonce, &ask.session_key)?;
    let pending = signin::pending(Kind::Further, who.member(), ask.session_key, nonce, state);
    call.reply(&signin::keep(app, call.now, &pending, options).await?)
}

/// `POST /v1/passkey/finish`.
pub async fn further_finish(call: Call) -> Answer {
    let (app, who, now) = (&call.app, call.who()?.clone(), call.now);
    let ask: PasskeyFinish = call.read()?;
    let pending = signin::take(app, now, &ask.finish.ceremony).await?;
    if pending.kind != Kind::Further || pending.member != who.member() {
        return Err(NO_CEREMONY);
    }
    let made = app.passkeys.finish_making(&pending.state, &ask.finish.credential)?;
    signin::check_way(&ask.way_in, &made.credential)?;
    if app.store.credential(&made.credential).await?.is_some() {
        return Err(Refusal::conflict("exists", "This passkey is already in use here."));
    }
    let (member, credential) = (who.member(), made.credential);
    let by = who.clone();
    app.commit(now, Needs::default(), move |_, directory| {
        by.info(directory)?;
        Ok(Plan::accept(())
            .write(Write::Credential { credential, member, json: made.json.clone(), active: true })
            .write(Write::WayIn { member, wrapped: ask.way_in.clone(), active: true }))
    })
    .await
    .map_err(|r| if r.code == "no-access" { NO_ACCESS } else { r })?;
    call.reply(&signin::signed_in(app, &who.session, Used::Credential(credential)).await?)
}
