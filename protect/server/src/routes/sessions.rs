//! What is signed in.

use subrosa_model::SessionId;
use subrosa_protocol::api::{SessionInfo, Sessions};

use crate::call::{Answer, Call, Reply};
use crate::error::Refusal;

/// `GET /v1/sessions`.
pub async fn list(call: Call) -> Answer {
    let who = call.who()?;
    let rows = call.app.store.sessions(&who.member()).await?;
    let sessions = rows
        .into_iter()
        .filter(|s| s.until >= call.now)
        .map(|s| SessionInfo { session: s.session, device: s.device, since: s.since, seen: s.seen, this: s.session == who.session.session })
        .collect();
    call.reply(&Sessions { sessions })
}

/// `DELETE /v1/sessions/{id}`.
pub async fn end(call: Call) -> Answer {
    let (app, who) = (&call.app, call.who()?);
    let id: SessionId = call.param(0)?;
    let row = app.store.session(&id).await?.filter(|s| s.member == who.member()).ok_or(Refusal::missing("There is no such session of yours."))?;
    if who.session.restricted && id != who.session.session {
        return Err(Refusal::forbidden("passkey-needed", "Add a passkey first, then sign in with it."));
    }
    app.store.end_session(&row.session).await?;
    Ok(Reply::nothing())
}
