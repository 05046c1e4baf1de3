//! Acts that wait for a second person.

use std::rc::Rc;

use leptos::prelude::*;
use subrosa_client::{Proposal, Vault};
use subrosa_model::Timestamp;
use subrosa_protocol::directory::{Act, OrderKind};

use crate::app::{App, Task, app};
use crate::parts::{Notice, Working};
use crate::text::t;
use crate::{say, time};

/// What an act does, in words. None for one that has no complete description: nobody signs what they were not told.
fn what(app: App, act: &Act) -> Option<String> {
    Some(match act {
        Act::RemoveMember { member } => say!("act-remove", name = app.name_of(*member)),
        Act::SetRole { member, role } => say!("act-role", name = app.name_of(*member), role = t(&format!("role-{role}"))),
        Act::AdmitMember { name, role, .. } => say!("act-admit", name = name.clone(), role = t(&format!("role-{role}"))),
        Act::Order { kind: OrderKind::EraseChart { chart }, .. } => say!("act-erase", chart = chart.to_string()),
        Act::LiftHold { chart } => say!("act-lift-hold", chart = chart.to_string()),
        Act::SetPolicy { policy } => {
            let days = policy.solo_delay_ms / Timestamp::DAY;
            say!(if policy.two_person { "act-policy-two" } else { "act-policy-one" }, days = days, zone = policy.time_zone.clone())
        }
        Act::ReviewPace { member } => say!("act-pace", name = app.name_of(*member)),
        Act::SetWitness { name, .. } => say!("act-keeper", name = name.clone()),
        _ => return None,
    })
}

/// The list; nothing where nothing waits.
#[component]
pub fn ApprovalList() -> impl IntoView {
    let app = app();
    let task = Task::new();
    let quiet = Task::new();
    let waiting: RwSignal<Vec<Rc<Proposal>>, LocalStorage> = RwSignal::new_local(Vec::new());
    let load = move || {
        app.run(quiet, "approvals-loading", async |v: &mut Vault| v.approvals().await, move |all: Vec<Proposal>| {
            waiting.set(all.into_iter().map(Rc::new).collect());
        });
    };
    load();
    let shown = move || {
        let me = app.me.get().map(|me| me.member);
        waiting.with(|w| {
            let line = |(n, p): (usize, &Rc<Proposal>)| {
                let signers = p.signers.iter().map(|s| app.name_of(*s)).collect::<Vec<_>>().join(", ");
                let words = what(app, &p.directive.act);
                let can = words.is_some() && !me.is_some_and(|me| p.signers.contains(&me));
                (n, words.unwrap_or_else(|| t("act-other")), signers, time::moment(p.directive.at), can)
            };
            w.iter().enumerate().map(line).collect::<Vec<_>>()
        })
    };
    let approve = move |n: usize| {
        let Some(proposal) = waiting.with_untracked(|w| w.get(n).cloned()) else { return };
        app.run(task, "approving", async move |v: &mut Vault| v.approve(&proposal).await, move |()| load());
    };
    view! {
        {move || shown().into_iter().map(|(n, act, signers, when, can)| view! {
            <Notice kind="amber" title=act>
                <p>{say!("approval-text", who = signers, when = when)}</p>
                {can.then(|| view! { <div class="row"><button disabled=move || task.busy() on:click=move |_| approve(n)>{t("approve")}</button></div> })}
            </Notice>
        }).collect_view()}
        <Working task />
    }
}
