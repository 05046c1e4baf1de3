//! New charts and further wraps of their keys.

use std::collections::{BTreeMap, BTreeSet};

use subrosa_crypto::{Signed, sha256};
use subrosa_model::{ChartId, Compartment, Hash32, Role, Timestamp};
use subrosa_protocol::ProtocolError;
use subrosa_protocol::access::What;
use subrosa_protocol::api::{MoreWraps, NewCharts, Recorded};
use subrosa_protocol::chart::{CareRelation, Target, Wrap, WrapStatement, compartments_for};
use subrosa_protocol::directory::Directory;
use subrosa_protocol::whomay::{Action, Standing, Verdict, may};
use subrosa_store::{Needs, Plan, Write};

use crate::app::{Carried, Who};
use crate::call::{Answer, Call};
use crate::error::Refusal;
use crate::standing::{NEVER, living, standings};
use crate::{idempotency, record};

/// Most charts, or wraps, in one request.
const MAX_AT_ONCE: usize = 5000;
/// Largest sealed compartment key, in bytes.
const MAX_WRAP: usize = 4096;
/// How many ways in a member needs before the first patient.
const WAYS_IN: usize = 2;

/// `POST /v1/charts`.
pub async fn make(call: Call) -> Answer {
    let (app, who, now) = (&call.app, call.who()?.clone(), call.now);
    let ask: NewCharts = call.read()?;
    if ask.charts.is_empty() || ask.charts.len() > MAX_AT_ONCE || ask.charts.iter().map(|c| c.wraps.len()).sum::<usize>() > 4 * MAX_AT_ONCE {
        return Err(Refusal::too_large("From 1 to 5000 charts at a time."));
    }
    if app.store.ways_in(&who.member()).await?.len() < WAYS_IN {
        return Err(Refusal::forbidden(
            "second-way-in-first",
            "Before the first patient, make a second way in (another passkey or the printed member kit), so that a lost device does not lose the charts.",
        ));
    }
    let directory = app.directory()?;
    let mut charts = Vec::new();
    let mut seen = BTreeSet::new();
    for new in &ask.charts {
        if !seen.insert(new.chart) {
            return Err(Refusal::bad("malformed", "The same chart is named twice."));
        }
        let relation = relation_of_maker(&directory, &who, new.chart, &new.relation, now)?;
        if new.canary && who.info(&directory)?.role != Role::Owner {
            return Err(NEVER);
        }
        for wrap in &new.wraps {
            if check_wrap(&directory, &who, wrap)?.context.chart != new.chart {
                return Err(Refusal::bad("hash-mismatch", "A wrapped key belongs to another chart."));
            }
        }
        charts.push((new.clone(), relation));
    }
    let needs = Needs {
        charts: seen.into_iter().collect(),
        member: Some(who.member()),
        idempotency: idempotency::key(&who, "charts", &ask.idempotency)?,
        ..Needs::default()
    };
    let carried = app
        .commit(now, needs, move |view, directory| {
            let role = who.info(directory)?.role;
            if may(role, Action::MakeChart, Standing::Related) != Verdict::Yes {
                return Err(NEVER.into());
            }
            let mut plan = Plan::accept(());
            for (new, relation) in &charts {
                if view.charts.contains_key(&new.chart) {
                    return Err(Refusal::conflict("exists", "This chart is already here.").into());
                }
                current_targets(directory, new.wraps.iter())?;
                plan.writes.push(Write::Chart { chart: new.chart, canary: new.canary, maker: who.member() });
                plan.writes.push(Write::Wraps { wraps: new.wraps.clone() });
                plan.writes.push(Write::Relation { signed: new.relation.clone(), counts_from: Some(now) });
                let event = record::event(directory.practice(), What::ChartMade, &who, now, sha256(&[&new.relation]));
                plan.events.push(record::on_chart(&event, new.chart, &compartments(&new.wraps), relation.member == who.member()));
            }
            Ok(plan)
        })
        .await?;
    call.reply(&recorded(&carried, now))
}

/// What is told of something recorded.
pub fn recorded<V>(carried: &Carried<V>, now: Timestamp) -> Recorded {
    let index = carried.receipt.leaves.last().copied().unwrap_or(0);
    Recorded { index, at: if carried.verdict.is_some() { now } else { carried.receipt.at } }
}

fn compartments(wraps: &[Wrap]) -> Vec<Compartment> {
    let all: BTreeSet<Compartment> = wraps.iter().filter_map(|w| w.peek_unverified().ok()).map(|s| s.context.compartment).collect();
    all.into_iter().collect()
}

/// The relation that comes with a new chart: its maker says who treats the patient, and it counts at once.
fn relation_of_maker(directory: &Directory, who: &Who, chart: ChartId, signed: &[u8], now: Timestamp) -> Result<CareRelation, Refusal> {
    let relation = signed_relation(directory, who, signed)?;
    if relation.chart != chart {
        return Err(Refusal::bad("hash-mismatch", "The care relation belongs to another chart."));
    }
    if relation.from.since(now) > Timestamp::DAY {
        return Err(ProtocolError::BadTime.into());
    }
    Ok(relation)
}

/// A care relation, verified as signed by who hands it in.
///
/// # Errors
/// `wrong-signer`, `wrong-practice`, `unknown`, `bad-time`, or why it does not verify.
pub fn signed_relation(directory: &Directory, who: &Who, signed: &[u8]) -> Result<CareRelation, Refusal> {
    let parsed = Signed::<CareRelation>::from_bytes(signed)?;
    let (member, device, key) = directory.signer(&parsed.signer_id()).ok_or(ProtocolError::WrongSigner)?;
    let relation = parsed.verify(&key, &directory.practice())?;
    if member != who.member() || device != who.device() || relation.maker != member {
        return Err(ProtocolError::WrongSigner.into());
    }
    if relation.practice != directory.practice() {
        return Err(ProtocolError::WrongPractice.into());
    }
    if directory.member(&relation.member).is_none() {
        return Err(ProtocolError::Unknown("member").into());
    }
    if relation.to.is_some_and(|to| to <= relation.from) {
        return Err(ProtocolError::BadTime.into());
    }
    Ok(relation)
}

/// A wrap, verified as made by who hands it in, for somebody who may have it.
fn check_wrap(directory: &Directory, who: &Who, wrap: &Wrap) -> Result<WrapStatement, Refusal> {
    if wrap.sealed.len() > MAX_WRAP || wrap.signed.len() > MAX_WRAP {
        return Err(Refusal::too_large("A wrapped key is larger than any wrapped key is."));
    }
    let (member, device, key) = directory.signer(&wrap.signer_id()?).ok_or(ProtocolError::WrongSigner)?;
    let statement = wrap.verify(&directory.practice(), &key)?;
    if member != who.member() || device != who.device() || statement.maker != member {
        return Err(ProtocolError::WrongSigner.into());
    }
    let compartment = statement.context.compartment;
    // A key is taken from those only who may write under it: else a front desk could plant the key under which a clinician writes the next note.
    let maker = directory.member(&member).ok_or(ProtocolError::WrongSigner)?;
    if may(maker.role, Action::write(compartment), Standing::Related) == Verdict::Never {
        return Err(NEVER);
    }
    let certified = device.map(|d| directory.devices().get(&d).map(|i| i.teams.clone()).unwrap_or_default());
    match statement.context.target {
        Target::Team { team, .. } => {
            let info = directory.teams().get(&team).ok_or(ProtocolError::Unknown("team"))?;
            let of_theirs = certified.as_ref().is_none_or(|teams| teams.contains(&team));
            if !compartments_for(info.kind).contains(&compartment) || !of_theirs {
                return Err(NEVER);
            }
        }
        // To one person: psychotherapy by its author to themself, the rest to whoever may read it; never by a linked device.
        Target::Member { member: to } => {
            let info = directory.member(&to).ok_or(ProtocolError::Unknown("member"))?;
            let own_only = compartment == Compartment::Psychotherapy && to != member;
            if device.is_some() || own_only || may(info.role, Action::read(compartment), Standing::Related) == Verdict::Never {
                return Err(NEVER);
            }
        }
    }
    if statement.context.version == 0 {
        return Err(ProtocolError::NotAllowed("key versions count from 1").into());
    }
    Ok(statement)
}

/// Nothing new is wrapped under an epoch that somebody who has left still knows.
fn current_targets<'a>(directory: &Directory, wraps: impl Iterator<Item = &'a Wrap>) -> Result<(), Refusal> {
    for wrap in wraps {
        let statement = wrap.peek_unverified()?;
        if let Target::Team { team, epoch } = statement.context.target {
            let info = directory.teams().get(&team).ok_or(ProtocolError::Unknown("team"))?;
            if epoch != info.epoch() || info.must_turn() {
                return Err(Refusal::conflict("epoch-turned", "The team has changed. Its key has to be turned first; the app does that and sends this again."));
            }
        }
    }
    Ok(())
}

/// `POST /v1/wraps`.
pub async fn wraps(call: Call) -> Answer {
    let (app, who, now) = (&call.app, call.who()?.clone(), call.now);
    let ask: MoreWraps = call.read()?;
    if ask.wraps.is_empty() || ask.wraps.len() > MAX_AT_ONCE {
        return Err(Refusal::too_large("From 1 to 5000 wraps at a time."));
    }
    let directory = app.directory()?;
    let mut by_chart: BTreeMap<ChartId, Vec<Wrap>> = BTreeMap::new();
    for wrap in ask.wraps {
        let chart = check_wrap(&directory, &who, &wrap)?.context.chart;
        by_chart.entry(chart).or_default().push(wrap);
    }
    let needs = Needs {
        charts: by_chart.keys().copied().collect(),
        member: Some(who.member()),
        review: directory.reviewed(&who.member()),
        ..Needs::default()
    };
    let carried = app
        .commit(now, needs, move |view, directory| {
            who.info(directory)?;
            let standing = standings(view, &who.member(), now);
            let mut plan = Plan::accept(());
            for (chart, wraps) in &by_chart {
                let state = living(view, chart)?;
                let related = standing.get(chart) == Some(&Standing::Related);
                // Whoever never had the keys has nothing to wrap.
                if !related && !view.foreign.contains(chart) && state.maker != who.member() {
                    return Err(NEVER.into());
                }
                current_targets(directory, wraps.iter())?;
                plan.writes.push(Write::Wraps { wraps: wraps.clone() });
                let signed: Vec<&[u8]> = wraps.iter().map(|w| w.signed.as_slice()).collect();
                let event = record::event(directory.practice(), What::Written, &who, now, many(&signed));
                plan.events.push(record::on_chart(&event, *chart, &compartments(wraps), related));
            }
            Ok(plan)
        })
        .await?;
    call.reply(&recorded(&carried, now))
}

/// One hash for several signed statements: that of the one, or of all their hashes in order.
pub fn many(signed: &[&[u8]]) -> Hash32 {
    match signed {
        [one] => sha256(&[one]),
        all => {
            let hashes: Vec<Hash32> = all.iter().map(|s| sha256(&[s])).collect();
            let parts: Vec<&[u8]> = hashes.iter().map(|h| h.as_bytes().as_slice()).collect();
            sha256(&parts)
        }
    }
}
