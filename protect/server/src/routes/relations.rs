//! Care relations: who has to do with which chart. One made by whoever gains by it counts as none until somebody else confirms it.

use subrosa_crypto::{Signed, sha256};
use subrosa_model::{ChartId, Timestamp};
use subrosa_protocol::ProtocolError;
use subrosa_protocol::access::What;
use subrosa_protocol::api::{RelationPut, RelationState, Relations, StoredRelation};
use subrosa_protocol::chart::RelationConfirmation;
use subrosa_protocol::directory::Directory;
use subrosa_protocol::whomay::{Action, Standing, Verdict, may};
use subrosa_store::{Needs, Plan, RelationRow, Write};

use crate::app::Who;
use crate::call::{Answer, Call};
use crate::error::Refusal;
use crate::record;
use crate::routes::charts::signed_relation;
use crate::routes::directory::alone;
use crate::standing::{NEVER, living, standings};

/// How long a practice of one waits, in milliseconds.
const ALONE_MS: i64 = Timestamp::DAY;

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

/// From when a relation counts that `who` states now.
fn counts_from(directory: &Directory, who: &Who, about_self: bool, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    if !about_self {
        return Ok(Some(now));
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
    let needs = Needs { charts: vec![chart], member: Some(who.member()), ..Needs::default() };
    let signed = ask.signed;
    let carried = app
        .commit(now, needs, move |view, directory| {
            let role = who.info(directory)?.role;
            living(view, &chart)?;
            let action = if about_self { Action::RelateSelf } else { Action::RelateOther };
            if may(role, action, Standing::Foreign) != Verdict::Yes {
                return Err(NEVER.into());
            }
            let from = counts_from(directory, &who, about_self, now)?;
            let related = standings(view, &who.member(), now).get(&chart) == Some(&Standing::Related);
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
    app.commit(now, needs, move |view, directory| {
        let role = who.info(directory)?.role;
        living(view, &chart)?;
        if may(role, Action::ConfirmRelation, Standing::Foreign) != Verdict::Yes {
            return Err(NEVER.into());
        }
        let related = standings(view, &who.member(), now).get(&chart) == Some(&Standing::Related);
        let event = record::event(directory.practice(), What::Related, &who, now, sha256(&[&signed]));
        Ok(Plan::accept(())
            .write(Write::RelationCounts { relation: id, confirmation: Some(signed.clone()), counts_from: now })
            .event(record::on_chart(&event, chart, &[], related)))
    })
    .await?;
    call.reply(&RelationState { relation: id, counts_from: Some(now) })
}
