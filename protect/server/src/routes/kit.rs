//! The member kit: half of a key on paper, half here, and a day's wait with notices between them.

use subrosa_crypto::sha256;
use subrosa_model::{MemberId, Role, Timestamp};
use subrosa_protocol::api::{KitAnswer, KitPut, KitState, KitUse, KitUses, KitWaiting};
use subrosa_protocol::keys::WayIn;
use subrosa_store::{KitUseRow, KitUseState, Needs, Plan, Write};

use crate::app::{App, Who};
use crate::call::{Answer, Call, Reply};
use crate::error::Refusal;
use crate::log;
use crate::signin::{self, Used};
use crate::standing::NEVER;

/// How long the use of a kit waits, in milliseconds.
pub const WAIT_MS: i64 = Timestamp::DAY;
/// For how long after it a kit's answer can be fetched, in milliseconds.
const FETCH_MS: i64 = 3 * Timestamp::DAY;
/// How long the session lasts in which a new passkey is made, in milliseconds.
const SESSION_MS: i64 = Timestamp::HOUR;

const NO_KIT: Refusal = Refusal::forbidden("kit", "This kit is not valid. Check the words, or use the newest kit: an older one stops working when a new one is printed.");

/// `POST /v1/kit`.
pub async fn put(call: Call) -> Answer {
    let (app, who, now) = (&call.app, call.who()?.clone(), call.now);
    let ask: KitPut = call.read()?;
    signin::check_way_size(&ask.way_in)?;
    let WayIn::Kit { number } = ask.way_in.way else {
        return Err(Refusal::bad("malformed", "This is not a member kit's way in."));
    };
    if ask.share.len() != 32 || who.device().is_some() {
        return Err(Refusal::bad("malformed", "A kit's share has 32 bytes and comes from a signed-in person."));
    }
    if !who.recent(now) {
        return Err(Refusal::passkey_first());
    }
    let older = app.store.kit(&who.member()).await?;
    if older.as_ref().is_some_and(|k| k.number >= number) {
        return Err(Refusal::conflict("exists", "A newer kit was printed meanwhile. Print a new one."));
    }
    let ways = app.store.ways_in(&who.member()).await?;
    app.commit(now, Needs::default(), move |_, directory| {
        who.info(directory)?;
        let member = who.member();
        let mut plan = Plan::accept(());
        for way in ways.iter().filter(|w| matches!(w.way, WayIn::Kit { .. }) && w.way != ask.way_in.way) {
            plan.writes.push(Write::WayIn { member, wrapped: way.clone(), active: false });
        }
        Ok(plan
            .write(Write::Kit { member, number, proof: ask.proof, share: ask.share.clone() })
            .write(Write::WayIn { member, wrapped: ask.way_in.clone(), active: true }))
    })
    .await?;
    Ok(Reply::nothing())
}

/// `POST /v1/kit/use`.
pub async fn use_kit(call: Call) -> Answer {
    let (app, now) = (&call.app, call.now);
    let ask: KitUse = call.read()?;
    let directory = app.directory()?;
    let kit = app.store.kit(&ask.member).await?.filter(|k| sha256(&[b"subrosa/1/kit-proof", &ask.proof]) == k.proof);
    let (Some(kit), Some(_)) = (kit, directory.member(&ask.member)) else { return Err(NO_KIT) };
    if !app.store.ways_in(&ask.member).await?.iter().any(|w| w.way == (WayIn::Kit { number: kit.number })) {
        return Err(NO_KIT);
    }
    let begun = kit.used.filter(|u| u.session_key == ask.session_key && now.since(u.ready_at) <= FETCH_MS);
    match begun {
        Some(used) if used.state == KitUseState::Cancelled => {
            Err(Refusal::forbidden("kit-stopped", "This use of the kit was stopped by its owner or by the practice. If that was a mistake, ask an owner."))
        }
        Some(used) if used.state == KitUseState::Approved || now >= used.ready_at => hand_over(&call, &ask, kit.number, &used).await,
        Some(used) => call.reply(&KitState { ready_at: used.ready_at, share: None, signed_in: None }),
        None => {
            let ready_at = now.plus(WAIT_MS);
            set_use(app, now, ask.member, kit.number, &KitUseRow { started: now, ready_at, session_key: ask.session_key, state: KitUseState::Waiting }).await?;
            log::warn("a member kit is being used", &[("member", &ask.member)]);
            call.reply(&KitState { ready_at, share: None, signed_in: None })
        }
    }
}

async fn set_use(app: &App, now: Timestamp, member: MemberId, number: u32, row: &KitUseRow) -> Result<(), Refusal> {
    let write = Write::KitUse { member, number, started: row.started, ready_at: row.ready_at, session_key: row.session_key, state: row.state };
    app.commit(now, Needs::default(), move |_, _| Ok(Plan::accept(()).write(write.clone()))).await?;
    Ok(())
}

/// The wait is over: share, bundle, and a session that can only make a passkey.
async fn hand_over(call: &Call, ask: &KitUse, number: u32, used: &KitUseRow) -> Answer {
    let (app, now) = (&call.app, call.now);
    let share = app.store.kit_share(&ask.member, number).await?.ok_or(NO_KIT)?;
    if used.state != KitUseState::Used {
        set_use(app, now, ask.member, number, &KitUseRow { state: KitUseState::Used, ..used.clone() }).await?;
    }
    let session = signin::session(ask.member, None, ask.session_key, now, SESSION_MS, true);
    app.store.put_session(&session).await?;
    log::warn("a member came in with a kit", &[("member", &ask.member)]);
    let signed_in = signin::signed_in(app, &session, Used::Kit(number)).await?;
    call.reply(&KitState { ready_at: used.ready_at, share: Some(share.to_vec().into()), signed_in: Some(signed_in) })
}

fn guards(app: &App, who: &Who) -> Result<bool, Refusal> {
    Ok(matches!(who.info(&*app.directory()?)?.role, Role::Owner | Role::PrivacyOfficer))
}

/// `GET /v1/kit/uses`.
pub async fn uses(call: Call) -> Answer {
    let (app, who) = (&call.app, call.who()?);
    let members: Vec<MemberId> = if guards(app, who)? { app.directory()?.members().keys().copied().collect() } else { vec![who.member()] };
    let mut waiting = Vec::new();
    for member in members {
        if let Some(used) = app.store.kit(&member).await?.and_then(|k| k.used)
            && used.state == KitUseState::Waiting
        {
            waiting.push(KitWaiting { member, started: used.started, ready_at: used.ready_at });
        }
    }
    call.reply(&KitUses { waiting })
}

/// `POST /v1/kit/answer`.
pub async fn answer(call: Call) -> Answer {
    let (app, who, now) = (&call.app, call.who()?, call.now);
    let ask: KitAnswer = call.read()?;
    let guard = guards(app, who)? && who.device().is_none();
    let allowed = if ask.go_on { guard && ask.member != who.member() } else { guard || ask.member == who.member() };
    if !allowed {
        return Err(NEVER);
    }
    if ask.go_on && !who.fresh(now) {
        return Err(Refusal::passkey_first());
    }
    let kit = app.store.kit(&ask.member).await?.ok_or(NO_KIT)?;
    let used = kit.used.filter(|u| u.state == KitUseState::Waiting).ok_or(Refusal::missing("No use of this kit is waiting."))?;
    let state = if ask.go_on { KitUseState::Approved } else { KitUseState::Cancelled };
    set_use(app, now, ask.member, kit.number, &KitUseRow { state, ..used }).await?;
    Ok(Reply::nothing())
}
