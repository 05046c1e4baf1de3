//! The caseload: which charts, and what opens their rows. Every chart named in an answer has it in its chain.

use std::collections::BTreeSet;

use subrosa_model::{ChartId, Compartment};
use subrosa_protocol::access::{AccessEvent, Purpose, What};
use subrosa_protocol::api::{Ask, RosterPage};
use subrosa_protocol::whomay::{Action, Standing, Verdict, may};
use subrosa_store::{Needs, Plan};

use crate::app::Denied;
use crate::call::{Answer, Call};
use crate::error::Refusal;
use crate::record;
use crate::routes::release::{served_now, targets, wanted};
use crate::standing::{NEVER, standings, stands};

/// Most rows in one page.
const PAGE: u32 = 2500;

/// `POST /v1/roster`.
pub async fn sync(call: Call) -> Answer {
    let (app, who, now) = (&call.app, call.who()?.clone(), call.now);
    let ask: Ask = call.read()?;
    let directory = app.directory()?;
    let wanted = wanted(&directory, &who, &ask.request, now)?;
    if wanted.request.purpose != Purpose::Roster || !wanted.request.charts.is_empty() {
        return Err(Refusal::bad("not-asked", "This address lists the caseload; the server names its charts."));
    }
    let relations = app.store.relations_of_member(&who.member()).await?;
    let caseload: BTreeSet<ChartId> = relations.iter().filter(|r| stands(r, now)).map(|r| r.relation.chart).collect();
    let charts: Vec<ChartId> = caseload.into_iter().collect();
    let rows = app.store.roster(Some(&who.member()), &charts, &targets(&directory, &who, false), ask.after, PAGE).await?;
    let named: Vec<ChartId> = rows.rows.iter().filter(|r| r.row.is_some()).map(|r| r.chart).collect();

    let needs = Needs { charts: named.clone(), member: Some(who.member()), idempotency: Some(wanted.once()), ..Needs::default() };
    let by = who.clone();
    let carried = app
        .commit(now, needs, move |view, directory| {
            let event = record::event(directory.practice(), What::Listed, &by, now, wanted.hash);
            let role = by.info(directory)?.role;
            let standing = standings(view, &by.member(), now);
            let still = named.iter().all(|c| standing.get(c) == Some(&Standing::Related) && view.charts.get(c).is_some_and(|s| s.erased.is_none()));
            if may(role, Action::ReadIdentity, Standing::Related) == Verdict::Never {
                return Err(Denied { refusal: NEVER, events: vec![record_refused(&event)] });
            }
            if !still {
                return Err(Refusal::conflict("roster-changed", "The caseload changed this moment. Ask again.").after(0).into());
            }
            let mut plan = Plan::accept(());
            plan.events.extend(named.iter().map(|c| record::on_chart(&event, *c, &[Compartment::Identity], true)));
            plan.events.push(AccessEvent { compartments: wanted.request.compartments.clone(), ..event });
            Ok(plan)
        })
        .await?;
    let snapshot = served_now(&carried)?;
    let index = carried.receipt.leaves.last().copied().ok_or(Refusal::internal("no-leaf"))?;
    call.reply(&RosterPage {
        extension: app.store.extension(snapshot, ask.pin).await?,
        leaf: app.store.proven_leaf(snapshot, index).await?,
        rows: rows.rows,
        cursor: rows.cursor,
        more: rows.more,
    })
}

fn record_refused(event: &AccessEvent) -> AccessEvent {
    AccessEvent { what: What::Refused, ..event.clone() }
}
