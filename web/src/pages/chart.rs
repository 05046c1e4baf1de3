//! One chart: who it is about, what is in it by date, who treats and who has looked.

use leptos::prelude::*;
use subrosa_client::{DraftInfo, RelationView, Vault};
use subrosa_model::{CareKind, ChartId, Compartment};

use super::person::Person;
use super::timeline::{Filter, Timeline};
use crate::app::{Task, app};
use crate::parts::{Dialog, Empty, Notice, Pick, Working};
use crate::route::Route;
use crate::text::t;
use crate::{dom, say};

/// The page.
#[component]
pub fn Chart(chart: ChartId) -> impl IntoView {
    let app = app();
    let task = Task::new();
    let filter = RwSignal::new(Filter::All);
    let psychotherapy = RwSignal::new(false);
    app.open_chart(task, chart, false);
    let open = move || app.chart.get().filter(|c| c.chart == chart);
    let person = Memo::new(move |_| open().map(|c| Person::of(&c, app.row.get().as_ref())).unwrap_or_default());
    Effect::new(move |_| dom::set_title(&say!("tab-title", page = person.get().name)));
    let pick = move |chosen: Filter| {
        filter.set(chosen);
        // Separate notes are released only when somebody asks to see them.
        if chosen == Filter::Psychotherapy && !psychotherapy.get_untracked() {
            psychotherapy.set(true);
            app.open_chart(task, chart, true);
        }
    };
    let treats = move || app.me.get().is_some_and(|me| me.treats());
    let empty = move || open().is_some_and(|c| c.entries.iter().all(|e| e.compartment == Compartment::Identity)) && filter.get() == Filter::All;
    let write_into = move || if filter.get() == Filter::Psychotherapy { Compartment::Psychotherapy } else { Compartment::Record };
    view! {
        <div class="page">
            <header class="head">
                <div>
                    <h1 tabindex="-1">{move || if open().is_some() { person.get().name } else { t("chart") }}</h1>
                    <p class="person">{move || person.get().facts.into_iter().map(|fact| view! { <span>{fact}</span> }).collect_view()}</p>
                </div>
                <div class="doing">
                    <Show when=move || treats() && open().is_some() && !empty()>
                        <a class="button next" href=move || Route::Write(chart, write_into()).href()>{t("write-note")}</a>
                    </Show>
                </div>
            </header>
            <Working task />
            <div class="chart" hidden=move || open().is_none()>
                <div class="stack">
                    <div class="tabs" role="group" aria-label=t("filter-label")>
                        {Filter::ALL.into_iter().filter(|f| treats() || !f.clinical()).map(|f| view! {
                            <button aria-pressed=move || (filter.get() == f).to_string() on:click=move |_| pick(f)>{t(f.key())}</button>
                        }).collect_view()}
                    </div>
                    <Drafts chart />
                    <Show when=empty>
                        <Empty title=t("chart-empty-title") text=t("chart-empty-text")>
                            <Show when=treats><a class="button next" href=Route::Write(chart, Compartment::Record).href()>{t("write-note")}</a></Show>
                        </Empty>
                    </Show>
                    <Show when=move || filter.get() == Filter::Psychotherapy><Notice><p>{t("psychotherapy-reminder")}</p></Notice></Show>
                    {move || open().map(|c| view! { <Timeline chart=c filter /> })}
                </div>
                <aside class="aside" aria-label=t("chart-aside")>
                    <CareTeam chart />
                    <section>
                        <h2>{t("looked-title")}</h2>
                        <p class="soft small">{t("looked-aside")}</p>
                        <p style:margin-top="0.5rem"><a class="button" href=Route::Looked(chart).href()>{t("looked-see")}</a></p>
                    </section>
                    <p class="soft small">{t("chart-private")}</p>
                </aside>
            </div>
        </div>
    }
}

/// Notes that were begun and not signed.
#[component]
fn Drafts(chart: ChartId) -> impl IntoView {
    let app = app();
    let task = Task::new();
    let drafts: RwSignal<Vec<DraftInfo>> = RwSignal::new(Vec::new());
    let load = move || {
        app.run(task, "drafts-loading", async move |v: &mut Vault| v.drafts().await, move |all: Vec<DraftInfo>| {
            drafts.set(all.into_iter().filter(|d| d.chart == chart).collect());
        });
    };
    load();
    move || {
        drafts.get().into_iter().map(|info| {
            let DraftInfo { entry, compartment, .. } = info;
            let known = app.chart.get().is_some_and(|c| c.entries.iter().any(|e| e.entry == entry));
            let route = if known { Route::Amend(chart, entry) } else { Route::Write(chart, compartment) };
            view! {
                <Notice kind="amber">
                    <p>{t(&format!("draft-in-{compartment}"))}</p>
                    <div class="row">
                        <a class="button" href=route.href()>{t("draft-continue")}</a>
                        <button on:click=move |_| app.run(task, "draft-discarding", async move |v: &mut Vault| v.discard_draft(&info).await, move |()| {
                            drafts.update(|d| d.retain(|d| d.entry != entry));
                        })>{t("draft-discard")}</button>
                    </div>
                </Notice>
            }
        }).collect_view()
    }
}

/// Who treats, covers or supervises; colleagues are added and relations confirmed here.
#[component]
fn CareTeam(chart: ChartId) -> impl IntoView {
    let app = app();
    let task = Task::new();
    let relations: RwSignal<Vec<RelationView>> = RwSignal::new(Vec::new());
    let adding = RwSignal::new(false);
    let colleague = RwSignal::new(String::new());
    let kind = RwSignal::new(CareKind::Covers.word().to_owned());
    let load = move || app.run(task, "relations-loading", async move |v: &mut Vault| v.relations(Some(chart)).await, move |all| relations.set(all));
    load();
    let others = move || {
        let me = app.me.get().map(|me| me.member);
        let directory = app.directory.get();
        let all = directory.iter().flat_map(|d| d.members().iter().filter(|(id, m)| m.active && Some(**id) != me).map(|(id, m)| (id.to_string(), m.name.clone())));
        all.collect::<Vec<_>>()
    };
    let add = move |_| {
        let first = others().first().map(|(id, _)| id.clone()).unwrap_or_default();
        let chosen = Some(colleague.get_untracked()).filter(|c| !c.is_empty()).unwrap_or(first);
        let (Ok(member), Some(kind)) = (chosen.parse(), CareKind::ALL.iter().copied().find(|k| k.word() == kind.get_untracked())) else { return };
        app.run(task, "relation-adding", async move |v: &mut Vault| v.relate(chart, member, kind, dom::now(), None).await, move |_| {
            adding.set(false);
            load();
        });
    };
    view! {
        <section>
            <h2>{t("care-team")}</h2>
            <ul>
                {move || relations.get().into_iter().map(|r| {
                    let waits = r.counts_from.is_none();
                    let mine = app.me.get().is_some_and(|me| me.member == r.relation.member || me.member == r.relation.maker);
                    let stated = r.clone();
                    view! {
                        <li>
                            {app.name_of(r.relation.member)}" "<span class="soft small">{t(&format!("care-{}", r.relation.kind))}</span>
                            {waits.then(|| view! { " "<span class="tag amber">{t("relation-waits")}</span> })}
                            {(waits && !mine).then(|| view! {
                                <button class="plain small" on:click=move |_| {
                                    let stated = stated.clone();
                                    app.run(task, "relation-confirming", async move |v: &mut Vault| v.confirm_relation(&stated).await, move |_| load());
                                }>{t("relation-confirm")}</button>
                            })}
                        </li>
                    }
                }).collect_view()}
            </ul>
            <Working task />
            <Show when=move || !others().is_empty()>
                <button class="plain small" on:click=move |_| adding.set(true)>{t("relation-add")}</button>
            </Show>
            <Dialog open=adding label=t("relation-add")>
                <p>{t("relation-add-text")}</p>
                <Pick id="colleague" label=t("relation-who") value=colleague options=others() />
                <Pick id="kind" label=t("relation-kind") value=kind options=CareKind::ALL.iter().map(|k| (k.word().to_owned(), t(&format!("care-{k}")))).collect() />
                <div class="foot">
                    <button on:click=move |_| adding.set(false)>{t("cancel")}</button>
                    <button class="next" on:click=add>{t("relation-add-do")}</button>
                </div>
            </Dialog>
        </section>
    }
}
