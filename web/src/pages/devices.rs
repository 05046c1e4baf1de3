//! What can come in as the signed-in member: passkeys, the kit, linked devices, sessions.

use std::collections::BTreeSet;

use leptos::prelude::*;
use subrosa_client::{Vault, Waiting};
use subrosa_model::{DeviceId, InvitationId, TeamId, Timestamp};
use subrosa_protocol::api::{IntroductionPurpose, SessionInfo};

use crate::app::{Task, app};
use crate::parts::{CopyField, Dialog, Empty, Head, Notice, Qr, SixWords, Working};
use crate::route::Route;
use crate::text::t;
use crate::{dom, say, time};

/// How long a linked device may come in.
const LINK_DAYS: i64 = 90;

/// The page.
#[component]
pub fn Devices() -> impl IntoView {
    let app = app();
    let ways = move || app.me.get().map_or(0, |me| me.ways_in);
    let one_way = move || app.me.get().is_some_and(|me| me.one_way_in());
    view! {
        <div class="page reading">
            <Head title=t("nav-devices") line=t("devices-line") />
            <div class="stack loose">
                <section class="stack">
                    <h2>{t("ways-title")}</h2>
                    {move || if one_way() {
                        view! {
                            <Notice kind="amber" title=t("one-way-title")>
                                <p>{t("one-way-text")}</p>
                                <div class="row"><a class="button next" href=Route::SecondWay.href()>{t("second-title")}</a></div>
                            </Notice>
                        }.into_any()
                    } else {
                        view! {
                            <p>{say!("ways-count", n = ways())}</p>
                            <p><a class="button" href=Route::SecondWay.href()>{t("ways-add")}</a></p>
                        }.into_any()
                    }}
                </section>
                <Linked />
                <SessionList />
            </div>
        </div>
    }
}

#[component]
fn Linked() -> impl IntoView {
    let app = app();
    let task = Task::new();
    let link: RwSignal<Option<String>> = RwSignal::new(None);
    let arrived: RwSignal<Vec<Waiting>> = RwSignal::new(Vec::new());
    let lost: RwSignal<Option<(DeviceId, String)>> = RwSignal::new(None);
    let asking = RwSignal::new(false);
    let mine = move || {
        let me = app.me.get().map(|me| me.member);
        let directory = app.directory.get();
        let all = directory.iter().flat_map(|d| d.devices().iter().filter(|(_, i)| i.active && Some(i.member) == me).map(|(id, i)| (*id, i.name.clone(), i.until)));
        all.collect::<Vec<_>>()
    };
    let load = move || {
        let quiet = Task::new();
        app.run(quiet, "invitations-loading", async |v: &mut Vault| v.invitations().await, move |all: Vec<Waiting>| {
            arrived.set(all.into_iter().filter(|w| w.purpose == IntroductionPurpose::Device && w.accepted.is_some()).collect());
        });
    };
    load();
    let timer = set_interval_with_handle(load, core::time::Duration::from_secs(10)).ok();
    on_cleanup(move || {
        if let Some(timer) = timer {
            timer.clear();
        }
    });
    let begin = move |_| {
        app.run(task, "link-making", async |v: &mut Vault| v.begin_link().await, move |made| {
            link.set(Some(made.fragment.to_string()));
        });
    };
    let finish = move |id: InvitationId| {
        let me = app.me.get_untracked().map(|me| me.member);
        let teams: BTreeSet<TeamId> = app.directory.with_untracked(|d| {
            d.iter().flat_map(|d| d.teams().iter().filter(|(_, team)| me.is_some_and(|m| team.members.contains(&m))).map(|(id, _)| *id)).collect()
        });
        let until = dom::now().plus(LINK_DAYS * Timestamp::DAY);
        app.run(task, "link-finishing", async move |v: &mut Vault| v.finish_link(id, teams.clone(), until).await, move |_| {
            link.set(None);
            arrived.update(|a| a.retain(|w| w.id != id));
            app.tell(t("link-done"));
        });
    };
    let revoke = move |_| {
        let Some((device, _)) = lost.get_untracked() else { return };
        app.run(task, "device-revoking", async move |v: &mut Vault| v.revoke_device(device).await, move |_| asking.set(false));
    };
    let lost_name = move || lost.get().map(|(_, name)| name).unwrap_or_default();
    view! {
        <section class="stack">
            <h2>{t("linked-title")}</h2>
            {move || arrived.get().into_iter().filter_map(|w| w.accepted.map(|a| (w.id, a))).map(|(id, accepted)| view! {
                <div class="sheet stack">
                    <h3>{say!("link-arrived", name = accepted.name.clone())}</h3>
                    <p>{t("link-compare")}</p>
                    <SixWords words=accepted.six_words />
                    <button class="next" disabled=move || task.busy() on:click=move |_| finish(id)>{say!("link-confirm", name = accepted.name, days = LINK_DAYS)}</button>
                </div>
            }).collect_view()}
            {move || if mine().is_empty() && link.get().is_none() {
                view! { <Empty title=t("linked-empty-title") text=t("linked-empty-text")><button on:click=begin>{t("link-begin")}</button></Empty> }.into_any()
            } else {
                view! {
                    <ul class="list">{mine().into_iter().map(|(id, name, until)| {
                        let asked = name.clone();
                        view! {
                            <li class="item">
                                <span class="grow">{name}</span><span class="soft">{say!("until", when = time::day(until))}</span>
                                <button class="danger" on:click=move |_| { lost.set(Some((id, asked.clone()))); asking.set(true); }>{t("revoke")}</button>
                            </li>
                        }
                    }).collect_view()}</ul>
                    {link.get().is_none().then(|| view! { <button on:click=begin>{t("link-begin")}</button> })}
                }.into_any()
            }}
            {move || link.get().map(|code| view! {
                <div class="sheet stack">
                    <h3>{t("link-title")}</h3>
                    <p>{t("link-text")}</p>
                    <CopyField id="link-code" label=t("link-code") text=code.clone() />
                    <Qr text=code label=t("link-qr") />
                    <p class="soft small">{t("link-wait")}</p>
                </div>
            })}
            <Working task />
            <Dialog open=asking label=t("revoke-title")>
                <p>{move || say!("revoke-text", name = lost_name())}</p>
                <div class="foot">
                    <button on:click=move |_| asking.set(false)>{t("keep")}</button>
                    <button class="danger" on:click=revoke>{move || say!("revoke-do", name = lost_name())}</button>
                </div>
            </Dialog>
        </section>
    }
}

#[component]
fn SessionList() -> impl IntoView {
    let app = app();
    let task = Task::new();
    let sessions: RwSignal<Vec<SessionInfo>> = RwSignal::new(Vec::new());
    let load = move || app.run(task, "sessions-loading", async |v: &mut Vault| v.sessions().await, move |all| sessions.set(all));
    load();
    view! {
        <section class="stack">
            <h2>{t("sessions-title")}</h2>
            <ul class="list">
                {move || sessions.get().into_iter().map(|s| {
                    let id = s.session;
                    view! {
                        <li class="item">
                            <span class="grow">{if s.device.is_some() { t("session-device") } else { t("session-browser") }}
                                {s.this.then(|| view! { " "<span class="tag">{t("session-this")}</span> })}</span>
                            <span class="soft">{say!("session-line", since = time::moment(s.since), seen = time::ago(s.seen))}</span>
                            {(!s.this).then(|| view! {
                                <button on:click=move |_| app.run(task, "session-ending", async move |v: &mut Vault| v.end_session(id).await, move |_| load())>{t("session-end")}</button>
                            })}
                        </li>
                    }
                }).collect_view()}
            </ul>
            <Working task />
        </section>
    }
}
