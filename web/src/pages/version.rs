//! One entry, opened: its newest version, the earlier ones, and what can be done with it.

use std::sync::Arc;

use leptos::prelude::*;
use subrosa_client::{OpenChart, OpenVersion};
use subrosa_model::{Compartment, EntryId};

use crate::app::app;
use crate::parts::Notice;
use crate::route::Route;
use crate::text::{maybe, t};
use crate::{dom, say, time};

/// The panel under a line of the timeline.
#[component]
pub fn Opened(chart: Arc<OpenChart>, entry: EntryId) -> impl IntoView {
    let app = app();
    let id = chart.chart;
    let Some(found) = chart.entries.iter().find(|e| e.entry == entry) else { return ().into_any() };
    let head = found.head().map(|h| h.hash);
    let shown = RwSignal::new(found.versions.iter().position(|v| Some(v.hash) == head).unwrap_or_default());
    let is_note = found.head().is_some_and(|h| h.body.schema.starts_with("note/"));
    let mine = found.head().is_some_and(|h| app.me.get_untracked().is_some_and(|me| me.member == h.author));
    let may_amend = is_note && (mine || found.compartment != Compartment::Psychotherapy);
    let conflict = found.conflict();
    let lines: Vec<String> = found.versions.iter().map(|v| say!("version-line", n = v.version, who = app.name_of(v.author), when = time::moment(v.received))).collect();
    let many = lines.len() > 1;
    view! {
        <div class="opened">
            {conflict.then(|| view! { <Notice kind="amber"><p>{t("conflict-text")}</p></Notice> })}
            {move || {
                let version = chart.entries.iter().find(|e| e.entry == entry).and_then(|e| e.versions.get(shown.get()));
                version.map(show)
            }}
            <div class="row doing">
                {may_amend.then(|| view! { <a class="button" href=Route::Amend(id, entry).href()>{t("amend")}</a> })}
                <button on:click=move |_| dom::print()>{t("print")}</button>
            </div>
            {many.then(|| view! {
                <section class="stack tight doing">
                    <h3>{t("versions")}</h3>
                    <ol class="stack tight">
                        {lines.into_iter().enumerate().rev().map(|(n, text)| view! {
                            <li>
                                <button class="plain small" aria-pressed=move || (shown.get() == n).to_string() on:click=move |_| shown.set(n)>{text}</button>
                                {move || (shown.get() == n).then(|| view! { " "<span class="tag">{t("version-shown")}</span> })}
                            </li>
                        }).collect_view()}
                    </ol>
                </section>
            })}
        </div>
    }
    .into_any()
}

/// One version's content.
fn show(version: &OpenVersion) -> impl IntoView + use<> {
    let app = app();
    let body = &version.body;
    let (facts, text) = if body.schema.starts_with("note/") {
        (Vec::new(), String::from_utf8(body.body.0.clone()).ok())
    } else {
        (subrosa_records::summary_of(&body.schema, &body.body), subrosa_records::plain_text(&body.schema, &body.content_type, &body.body))
    };
    let signed = if body.schema.starts_with("note/") { "signed-by" } else { "brought-in-by" };
    let nothing = facts.is_empty() && text.is_none();
    let (name, kind, bytes) = (body.title.clone(), body.content_type.clone(), StoredValue::new(body.body.0.clone()));
    view! {
        <h3>{body.title.clone()}</h3>
        {(!facts.is_empty()).then(|| view! {
            <dl class="facts">{facts.into_iter().map(|(label, value)| view! {
                <dt>{maybe(&format!("label-{}", label.to_lowercase().replace(' ', "-"))).unwrap_or_else(|| label.to_owned())}</dt><dd>{value}</dd>
            }).collect_view()}</dl>
        })}
        {text.map(|text| view! { <div class="note">{text}</div> })}
        {nothing.then(|| view! {
            <p><button on:click=move |_| { let _ = bytes.with_value(|b| dom::download(&name, &kind, b)); }>{t("save-file")}</button></p>
        })}
        <p class="soft small">{say!(signed, who = app.name_of(version.author), when = time::moment(version.received))}</p>
    }
}
