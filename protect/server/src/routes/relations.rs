//! Care relations: who has to do with which chart. One made by whoever gains by it counts as none until somebody else confirms it.

use subrosa_crypto::{Signed, sha256};
use subrosa_model::{ChartId, MemberId, Role, Timestamp};
use subrosa_protocol::ProtocolError;
use subrosa_protocol::access::What;
use subrosa_protocol::api::{RelationPut, RelationState, Relations, StoredRelation};
use subrosa_protocol::chart::RelationConfirmation;
use subrosa_protocol::directory::Directory;
use subrosa_protocol::whomay::{Action, Standing, Verdict, may};
use subrosa_store::{Needs, Plan, RelationRow, Write};

use crate::app::{App, Who};
use crate::call::{Answer, Call};
use crate::error::Refusal;
use crate::record;
use crate::routes::charts::signed_relation;
use crate::routes::directory::alone;
use crate::standing::{NEVER, living, standings};

/// How long a practice of one waits, in milliseconds.
const ALONE_MS: i64 = Timestamp::DAY;

/// For how long somebody who was admitted, or whose role changed, vouches for no relation to a chart that they did not make, in milliseconds.
const NEW_HERE_MS: i64 = 7 * Timestamp::DAY;

const NOT_THEIRS: Refusal = Refusal::forbidden(
    "second-person-needed",
    "Somebody who treats this patient, an owner or the privacy officer has to confirm this care relation, and they must have been here for a week.",
);

/// Whether a member was admitted, or given another role, less than a week ago by this server's clock: an accomplice admitted today vouches for nothing. Whoever
/// founded the practice is not new in it.
async fn is_new_here(app: &App, member: &MemberId, now: Timestamp) -> Result<bool, Refusal> {
    let since = app.directory()?.since(member);
    let (since, founded) = (app.store.directory_received(since).await?, app.store.directory_received(0).await?);
    Ok(since.is_none_or(|at| since != founded && now.since(at) < NEW_HERE_MS))
}

fn stored(rows: Vec<RelationRow>) -> Relations {
    Relations { relations: rows.into_iter().map(|r| StoredRelation { signed: r.signed, counts_from: r.counts_from }).collect() }
}

/// `GET /v1/relations?chart=…`, or one's own.
pub async fn list(call: Call) -> Answer {
    let (app, who) = (&call.app, call.who()?);
    let Some(chart) = call.query::<ChartId>("chart")? else {
        return call.reply(&stored(app.store.relations_of_member(&who.member()).await?));
    };
    let rows = app.store.relations_of_chart(&chart).await?;
    let directory = app.directory()?;
    let role = who.info(&directory)?.role;
    let own = rows.iter().any(|r| r.relation.member == who.member() && crate::standing::stands(r, call.now));
    // Whoever may confirm relations has to see them; others see those of their own charts.
    let may_see = own || may(role, Action::ConfirmRelation, Standing::Foreign) == Verdict::Yes;
    if !may_see {
        return Err(NEVER);
    }
    call.reply(&stored(rows))
}

/// From when a relation counts that `who` states now. One about somebody else counts at once if whoever states it `vouches` for the chart.
fn counts_from(directory: &Directory, who: &Who, about_self: bool, vouches: bool, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    if !about_self {
        return Ok(vouches.then_some(now));
    }
    if !alone(directory) {
        return Ok(None);
    }
    if who.fresh(now) { Ok(Some(now.plus(ALONE_MS))) } else { Err(Refusal::passkey_first()) }
}

/// `POST /v1/relations`.
pub async fn state(call: Call) -> Answer {
    let (app, who, now) = (&call.app, call.who()?.clone(), call.now);
    let ask: RelationPut = call.read()?;
    if who.device().is_some() {
        return Err(Refusal::forbidden("wrong-signer", "A linked device does not state care relations; a signed-in person does."));
    }
    let relation = signed_relation(&*app.directory()?, &who, &ask.signed)?;
    let (id, chart, about_self) = (relation.relation, relation.chart, relation.member == who.member());
    if app.store.relation(&id).await?.is_some() {
        return Err(Refusal::conflict("exists", "This care relation is already here."));
    }
    let new_here = is_new_here(app, &who.member(), now).await?;
    let needs = Needs { charts: vec![chart], member: Some(who.member()), ..Needs::default() };
    let signed = ask.signed;
    let carried = app
        .commit(now, needs, move |view, directory| {
            let role = who.info(directory)?.role;
            let made_it = living(view, &chart)?.maker == who.member();
            let action = if about_self { Action::RelateSelf } else { Action::RelateOther };
            if may(role, action, Standing::Foreign) != Verdict::Yes {
                return Err(NEVER.into());
            }
            let related = standings(view, &who.member(), now).get(&chart) == Some(&Standing::Related);
            let from = counts_from(directory, &who, about_self, made_it || (related && !new_here), now)?;
            let event = record::event(directory.practice(), What::Related, &who, now, sha256(&[&signed]));
            Ok(Plan::accept(from)
                .write(Write::Relation { signed: signed.clone(), counts_from: from })
                .event(record::on_chart(&event, chart, &[], related)))
        })
        .await?;
    call.reply(&RelationState { relation: id, counts_from: carried.verdict.flatten() })
}

/// `POST /v1/relations/confirm`.
pub async fn confirm(call: Call) -> Answer {
    let (app, who, now) = (&call.app, call.who()?.clone(), call.now);
    let ask: RelationPut = call.read()?;
    let directory = app.directory()?;
    let parsed = Signed::<RelationConfirmation>::from_bytes(&ask.signed)?;
    let (member, device, key) = directory.signer(&parsed.signer_id()).ok_or(ProtocolError::WrongSigner)?;
    let confirmation = parsed.verify(&key, &directory.practice())?;
    if member != who.member() || device.is_some() || who.device().is_some() || confirmation.by != member {
        return Err(ProtocolError::WrongSigner.into());
    }
    if confirmation.practice != directory.practice() {
        return Err(ProtocolError::WrongPractice.into());
    }
    let row = app
        .store
        .relation_to_confirm(&confirmation.relation, now)
        .await?
        .ok_or(Refusal::missing("No such care relation is waiting to be confirmed."))?;
    if row.relation.member == member || row.relation.maker == member {
        return Err(Refusal::forbidden("second-person-needed", "Somebody else has to confirm this care relation."));
    }
    let (id, chart) = (row.relation.relation, row.relation.chart);
    let needs = Needs { charts: vec![chart], member: Some(member), ..Needs::default() };
    let signed = ask.signed;
    let new_here = is_new_here(app, &member, now).await?;
    app.commit(now, needs, move |view, directory| {
        let role = who.info(directory)?.role;
        let made_it = living(view, &chart)?.maker == member;
        if may(role, Action::ConfirmRelation, Standing::Foreign) != Verdict::Yes {
            return Err(NEVER.into());
        }
        let related = standings(view, &who.member(), now).get(&chart) == Some(&Standing::Related);
        let guards = matches!(role, Role::Owner | Role::PrivacyOfficer);
        if !made_it && (new_here || !(related || guards)) {
            return Err(NOT_THEIRS.into());
        }
        let event = record::event(directory.practice(), What::Related, &who, now, sha256(&[&signed]));
        Ok(Plan::accept(())
            .write(Write::RelationCounts { relation: id, confirmation: Some(signed.clone()), counts_from: now })
            .event(record::on_chart(&event, chart, &[], related)))
    })
    .await?;
    call.reply(&RelationState { relation: id, counts_from: Some(now) })
}
