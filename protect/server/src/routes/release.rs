//! The gate: opening charts, and seeing who has looked. The ledger is written before anything is answered.

use std::collections::BTreeSet;

use subrosa_crypto::{Signed, sha256};
use subrosa_model::{ChartId, Compartment, Hash32, Role, TeamKind, Timestamp};
use subrosa_protocol::ProtocolError;
use subrosa_protocol::access::{AccessEvent, MAX_CHARTS, Purpose, ReleaseRequest, What};
use subrosa_protocol::api::{Ask, Released};
use subrosa_protocol::chart::compartments_for;
use subrosa_protocol::directory::Directory;
use subrosa_protocol::pace::{Asked, Count, Gate, LIMITS, decide};
use subrosa_protocol::session::MAX_SKEW_MS;
use subrosa_protocol::whomay::{Action, Standing, Verdict, may};
use subrosa_store::{Needs, PaceMark, Plan, Snapshot, Targets, View};

use crate::app::{App, Carried, Denied, Who};
use crate::call::{Answer, Call};
use crate::error::Refusal;
use crate::record;
use crate::standing::{NEVER, counted, living, standings};

/// A refusal of at most so many charts is recorded on each of them; a larger one once, without naming charts.
const NAMED_REFUSALS: usize = 32;

/// A request for release that was verified: who asks, for what, why.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What was signed.
    pub request: ReleaseRequest,
    /// SHA-256 of it as signed.
    pub hash: Hash32,
}

/// Verifies a signed request against the session that hands it in.
///
/// # Errors
/// `wrong-signer`, `wrong-practice`, `bad-time`, `malformed`, `too-large`, or why it does not verify.
pub fn wanted(directory: &Directory, who: &Who, signed: &[u8], now: Timestamp) -> Result<Wanted, Refusal> {
    let parsed = Signed::<ReleaseRequest>::from_bytes(signed)?;
    let (member, device, key) = directory.signer(&parsed.signer_id()).ok_or(ProtocolError::WrongSigner)?;
    let request = parsed.verify(&key, &directory.practice())?;
    let theirs = request.member == who.member() && request.device == who.device() && request.session == who.session.session;
    if member != who.member() || device != who.device() || !theirs {
        return Err(ProtocolError::WrongSigner.into());
    }
    if request.practice != directory.practice() {
        return Err(ProtocolError::WrongPractice.into());
    }
    if now.since(request.at).abs() > MAX_SKEW_MS {
        return Err(ProtocolError::BadTime.into());
    }
    if request.charts.len() > MAX_CHARTS || request.compartments.len() > Compartment::ALL.len() {
        return Err(Refusal::too_large("Too many charts at once."));
    }
    let charts: BTreeSet<&ChartId> = request.charts.iter().collect();
    let compartments: BTreeSet<&Compartment> = request.compartments.iter().collect();
    if charts.len() != request.charts.len() || compartments.len() != request.compartments.len() || request.nonce.len() != 16 {
        return Err(Refusal::bad("malformed", "A request names each chart and compartment once and has a nonce of 16 bytes."));
    }
    Ok(Wanted { request, hash: sha256(&[signed]) })
}

impl Wanted {
    /// Under which name it is remembered: a request is served once.
    pub fn once(&self) -> Hash32 {
        sha256(&[b"subrosa/1/release-nonce", self.request.session.as_bytes(), &self.request.nonce])
    }
}

/// Told when the gate does not open.
pub fn gate_refusal(gate: Gate) -> Refusal {
    match gate {
        Gate::Stop => Refusal::forbidden(
            "gate-stop",
            "You have opened as many charts outside your care as is allowed before somebody looks at it. Ask an owner or the privacy officer to review it; your own patients stay open.",
        ),
        Gate::Passkey | Gate::Open => Refusal::passkey_first(),
    }
}

/// Told when a signed request comes a second time.
pub const REPLAYED: Refusal = Refusal::conflict("replayed", "This request was already served once. If you did not send it twice, somebody copied it; nothing was opened.");

const DEVICE_WAITS: Refusal = Refusal::new(
    axum::http::StatusCode::TOO_MANY_REQUESTS,
    "gate-wait",
    "This device has opened as many charts as it may in ten minutes. Wait a little, or use a signed-in browser, where your passkey lets you go on.",
)
.after(600);

/// `POST /v1/release`.
pub async fn release(call: Call) -> Answer {
    let (app, who, now) = (&call.app, call.who()?.clone(), call.now);
    let ask: Ask = call.read()?;
    let directory = app.directory()?;
    let wanted = wanted(&directory, &who, &ask.request, now)?;
    let (on_call, what) = match wanted.request.purpose {
        Purpose::Open => (false, What::Released),
        Purpose::OnCall { .. } => (true, What::OnCall),
        _ => return Err(Refusal::bad("not-asked", "This address opens charts; other purposes have addresses of their own.")),
    };
    if wanted.request.charts.is_empty() || wanted.request.compartments.is_empty() {
        return Err(Refusal::bad("malformed", "At least one chart and one compartment have to be named."));
    }
    let carried = open_gate(app, &who, &wanted, on_call, what, now).await?;
    let snapshot = served_now(&carried)?;
    let (charts, compartments) = (&wanted.request.charts, &wanted.request.compartments);
    let targets = targets(&*app.directory()?, &who, on_call);
    let mut released = app.store.release(charts, &targets, compartments).await?;
    for chart in &mut released {
        own_psychotherapy_only(&mut chart.entries, &who);
    }
    let extension = app.store.extension(snapshot, ask.pin).await?;
    let heads = app.store.head_proofs(snapshot, charts).await?;
    call.reply(&Released { extension, heads, charts: released })
}

/// Records the release of everything asked for, or refuses all of it.
///
/// # Errors
/// `never`, `gate-passkey`, `gate-stop`, `unknown-chart`, `erased`; what was refused is recorded too.
pub async fn open_gate(app: &App, who: &Who, wanted: &Wanted, on_call: bool, what: What, now: Timestamp) -> Result<Carried<()>, Refusal> {
    let needs = Needs {
        charts: wanted.request.charts.clone(),
        member: Some(who.member()),
        own_since: now.plus(-LIMITS.own_window_ms),
        review: app.directory()?.reviewed(&who.member()),
        idempotency: Some(wanted.once()),
    };
    let (who, wanted) = (who.clone(), wanted.clone());
    app.commit(now, needs, move |view, directory| {
        let event = record::event(directory.practice(), what, &who, now, wanted.hash);
        gate(view, directory, &who, &wanted.request, on_call, &event, now).map_err(|refusal| {
            let events = refusals(view, &event, &wanted.request);
            Denied { refusal, events }
        })
    })
    .await
}

/// What the ledger keeps of a refusal.
fn refusals(view: &View, event: &AccessEvent, request: &ReleaseRequest) -> Vec<AccessEvent> {
    let refused = AccessEvent { what: What::Refused, compartments: request.compartments.clone(), ..event.clone() };
    let known: Vec<&ChartId> = request.charts.iter().filter(|c| view.charts.contains_key(c)).collect();
    if known.is_empty() || known.len() > NAMED_REFUSALS {
        return vec![refused];
    }
    known.into_iter().map(|c| record::on_chart(&refused, *c, &request.compartments, false)).collect()
}

/// The decision, from what was read under the lock.
fn gate(view: &View, directory: &Directory, who: &Who, request: &ReleaseRequest, on_call: bool, event: &AccessEvent, now: Timestamp) -> Result<Plan<()>, Refusal> {
    let role = who.info(directory)?.role;
    if on_call {
        may_on_call(directory, who, role, request)?;
    }
    if !request.compartments.iter().all(|c| within_device(directory, who, *c)) {
        return Err(NEVER);
    }
    let standing = standings(view, &who.member(), now);
    let mut plan = Plan::accept(());
    let mut asked = Asked { foreign: 0, own: 0 };
    for chart in &request.charts {
        living(view, chart)?;
        let stands = standing.get(chart).copied().unwrap_or(Standing::Foreign);
        let is_counted = counted(role, request.compartments.iter().map(|c| Action::read(*c)), stands)? || on_call;
        if is_counted {
            asked.foreign += u32::from(!view.foreign.contains(chart));
        } else {
            asked.own += u32::from(!view.own.contains(chart));
        }
        plan.pace.push(PaceMark { chart: *chart, foreign: is_counted });
        plan.events.push(record::on_chart(event, *chart, &request.compartments, stands == Standing::Related));
    }
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let count = Count { foreign: number(view.foreign.len()), own_recent: number(view.own.len()), passkey_at: who.session.passkey_at };
    match decide(role, count, asked, now, &LIMITS) {
        Gate::Open => Ok(plan),
        // A linked device has no passkey to show.
        Gate::Passkey if who.device().is_some() => Err(DEVICE_WAITS),
        gate => Err(gate_refusal(gate)),
    }
}

/// A linked device gets what its certified teams hold, and never psychotherapy.
pub fn within_device(directory: &Directory, who: &Who, compartment: Compartment) -> bool {
    let Some(device) = who.device().and_then(|d| directory.devices().get(&d)) else { return who.device().is_none() };
    device.teams.iter().filter_map(|t| directory.teams().get(t)).any(|t| compartments_for(t.kind).contains(&compartment))
}

/// Emergency access: one chart at a time, `identity` and `record`, by somebody of an on-call team.
fn may_on_call(directory: &Directory, who: &Who, role: Role, request: &ReleaseRequest) -> Result<(), Refusal> {
    let in_team = directory.teams().values().any(|t| t.kind == TeamKind::OnCall && t.members.contains(&who.member()));
    let within = request.compartments.iter().all(|c| matches!(c, Compartment::Identity | Compartment::Record));
    if request.charts.len() != 1 {
        return Err(Refusal::bad("not-allowed", "Emergency access opens one chart at a time."));
    }
    if may(role, Action::OnCall, Standing::Foreign) == Verdict::Never || !in_team || !within {
        return Err(NEVER);
    }
    Ok(())
}

/// Whose wraps are handed out: the asker's teams and the asker. The on-call team's wraps are for emergency access only.
pub fn targets(directory: &Directory, who: &Who, on_call: bool) -> Targets {
    let certified = who.device().map(|d| directory.devices().get(&d).map(|i| i.teams.clone()).unwrap_or_default());
    let teams = directory
        .teams()
        .iter()
        .filter(|(id, t)| t.members.contains(&who.member()) && (t.kind == TeamKind::OnCall) == on_call && certified.as_ref().is_none_or(|c| c.contains(id)))
        .map(|(id, _)| *id)
        .collect();
    Targets { teams, member: if on_call || who.device().is_some() { None } else { Some(who.member()) } }
}

/// Psychotherapy notes are sealed to their author; nobody else gets even the ciphertext.
fn own_psychotherapy_only(entries: &mut Vec<subrosa_protocol::api::StoredEntry>, who: &Who) {
    entries.retain(|e| match e.blob.peek_unverified() {
        Ok((header, _)) => header.context.compartment != Compartment::Psychotherapy || header.context.author == who.member(),
        Err(_) => false,
    });
}

/// The checkpoint that covers what was recorded for this request; a repeated request gets nothing.
///
/// # Errors
/// `replayed`.
pub fn served_now<V>(carried: &Carried<V>) -> Result<&Snapshot, Refusal> {
    if carried.verdict.is_none() {
        return Err(REPLAYED);
    }
    carried.receipt.snapshot.as_ref().ok_or(Refusal::internal("no-checkpoint"))
}

/// `POST /v1/looked`.
pub async fn looked(call: Call) -> Answer {
    let (app, who, now) = (&call.app, call.who()?.clone(), call.now);
    let ask: Ask = call.read()?;
    let directory = app.directory()?;
    let wanted = wanted(&directory, &who, &ask.request, now)?;
    let [chart] = wanted.request.charts.as_slice() else {
        return Err(Refusal::bad("malformed", "One chart at a time."));
    };
    if wanted.request.purpose != Purpose::Audit {
        return Err(Refusal::bad("not-asked", "This address shows who has looked; other purposes have addresses of their own."));
    }
    let chart = *chart;
    let needs = Needs { charts: vec![chart], member: Some(who.member()), idempotency: Some(wanted.once()), ..Needs::default() };
    let carried = app
        .commit(now, needs, move |view, directory| {
            let event = record::event(directory.practice(), What::Audited, &who, now, wanted.hash);
            let role = who.info(directory)?.role;
            view.charts.get(&chart).ok_or(crate::standing::NO_CHART)?;
            let stands = standings(view, &who.member(), now).get(&chart).copied().unwrap_or(Standing::Foreign);
            if may(role, Action::SeeAccesses, stands) == Verdict::Never {
                return Err(Denied { refusal: NEVER, events: refusals(view, &event, &wanted.request) });
            }
            Ok(Plan::accept(()).event(record::on_chart(&event, chart, &wanted.request.compartments, stands == Standing::Related)))
        })
        .await?;
    let snapshot = served_now(&carried)?;
    call.reply(&app.store.history(snapshot, &chart, ask.pin).await?)
}
