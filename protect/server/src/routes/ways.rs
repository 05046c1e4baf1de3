//! Ways in: which there are, and ending one that was lost.

use subrosa_protocol::api::{WayInRemove, WaysIn};
use subrosa_protocol::keys::WayIn;
use subrosa_store::{Needs, Plan, Write};

use crate::app::{App, Who};
use crate::call::{Answer, Call};
use crate::error::Refusal;
use crate::log;

async fn own(app: &App, who: &Who) -> Result<WaysIn, Refusal> {
    let ways = app.store.ways_in(&who.member()).await?;
    Ok(WaysIn { ways: ways.into_iter().map(|w| w.way).collect() })
}

/// `GET /v1/ways`.
pub async fn list(call: Call) -> Answer {
    call.reply(&own(&call.app, call.who()?).await?)
}

/// `POST /v1/ways/remove`.
pub async fn remove(call: Call) -> Answer {
    let (app, who, now) = (&call.app, call.who()?.clone(), call.now);
    let ask: WayInRemove = call.read()?;
    if !who.fresh(now) {
        return Err(Refusal::passkey_first());
    }
    let ways = app.store.ways_in(&who.member()).await?;
    let way = ways.iter().find(|w| w.way == ask.way).cloned().ok_or(Refusal::missing("There is no such way in."))?;
    let opens = |w: &WayIn| !matches!(w, WayIn::Kit { .. });
    if !ways.iter().any(|w| w.way != ask.way && opens(&w.way)) {
        return Err(Refusal::conflict("last-way-in", "This is your last passkey. Add another first, so that you are not locked out."));
    }
    let credential = match &ask.way {
        WayIn::Passkey { credential } | WayIn::Words { credential } => app.store.credential(credential).await?.filter(|c| c.member == who.member()),
        WayIn::Kit { .. } => None,
    };
    let by = who.clone();
    app.commit(now, Needs::default(), move |_, directory| {
        by.info(directory)?;
        let mut plan = Plan::accept(()).write(Write::WayIn { member: by.member(), wrapped: way.clone(), active: false });
        if let Some(row) = &credential {
            plan.writes.push(Write::Credential { credential: row.credential, member: row.member, json: row.json.clone(), active: false });
        }
        Ok(plan)
    })
    .await?;
    end_others(app, &who).await?;
    call.reply(&own(app, &who).await?)
}

/// Ends every session of the member but this one.
///
/// # Errors
/// Those of the store.
pub async fn end_others(app: &App, who: &Who) -> Result<(), Refusal> {
    let mut ended = 0u64;
    for session in app.store.sessions(&who.member()).await? {
        if session.session != who.session.session && app.store.end_session(&session.session).await? {
            ended += 1;
        }
    }
    log::info("other sessions ended", &[("member", &who.member()), ("sessions", &ended)]);
    Ok(())
}
