//! What is in a chart, newest day first.

use std::sync::Arc;

use leptos::prelude::*;
use subrosa_client::{OpenChart, OpenEntry};
use subrosa_model::{Compartment, EntryId, Timestamp};

use super::version::Opened;
use crate::app::app;
use crate::text::{maybe, t};
use crate::{say, time};

/// Entries drawn at once; more on demand.
const STEP: usize = 80;

/// What part of a chart is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// Everything but psychotherapy notes.
    All,
    /// Notes.
    Notes,
    /// Measures and observations.
    Measures,
    /// Documents.
    Documents,
    /// Appointments, insurance, claims.
    Admin,
    /// The author's separate notes.
    Psychotherapy,
}

impl Filter {
    /// In the order shown.
    pub const ALL: [Filter; 6] = [Filter::All, Filter::Notes, Filter::Measures, Filter::Documents, Filter::Admin, Filter::Psychotherapy];

    /// Its text.
    pub const fn key(self) -> &'static str {
        match self {
            Filter::All => "filter-all",
            Filter::Notes => "filter-notes",
            Filter::Measures => "filter-measures",
            Filter::Documents => "filter-documents",
            Filter::Admin => "filter-admin",
            Filter::Psychotherapy => "filter-psychotherapy",
        }
    }

    /// Whether only those who treat see it.
    pub const fn clinical(self) -> bool {
        matches!(self, Filter::Notes | Filter::Measures | Filter::Psychotherapy)
    }

    fn shows(self, compartment: Compartment, schema: &str) -> bool {
        let kind = schema.rsplit_once('/').map_or(schema, |(_, kind)| kind);
        match self {
            Filter::All => compartment != Compartment::Identity && compartment != Compartment::Psychotherapy,
            Filter::Notes => compartment == Compartment::Record && (schema.starts_with("note/") || matches!(kind, "ClinicalImpression" | "DocumentReference")),
            Filter::Measures => matches!(kind, "Observation" | "QuestionnaireResponse" | "RiskAssessment"),
            Filter::Documents => schema.starts_with("document/") || schema == "ccda" || matches!(kind, "DocumentReference" | "DiagnosticReport" | "Media"),
            Filter::Admin => compartment == Compartment::Admin,
            Filter::Psychotherapy => compartment == Compartment::Psychotherapy,
        }
    }
}

/// What a line of the timeline needs.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    entry: EntryId,
    date: String,
    received: Timestamp,
    title: String,
    kind: String,
    author: String,
    versions: usize,
    compartment: Compartment,
    conflict: bool,
}

/// The kind of an entry in words.
pub fn kind_of(schema: &str) -> String {
    let kind = schema.rsplit_once('/').map_or(schema, |(a, b)| if b == "1" { a } else { b });
    maybe(&format!("kind-{kind}")).unwrap_or_else(|| spaced(kind))
}

/// `MedicationRequest` as `Medication request`.
fn spaced(kind: &str) -> String {
    let mut text = String::new();
    for (n, c) in kind.chars().enumerate() {
        if n > 0 && c.is_uppercase() {
            text.push(' ');
            text.extend(c.to_lowercase());
        } else {
            text.push(c);
        }
    }
    text
}

fn line(entry: &OpenEntry, name_of: &dyn Fn(subrosa_model::MemberId) -> String) -> Option<Line> {
    let head = entry.head()?;
    let date = head.body.occurred.as_deref().and_then(|o| o.get(..10)).map_or_else(|| time::iso_day(head.made), str::to_owned);
    let kind = kind_of(&head.body.schema);
    let title = if head.body.title.trim().is_empty() { kind.clone() } else { head.body.title.clone() };
    Some(Line {
        entry: entry.entry,
        date,
        received: entry.versions.first().map_or(head.received, |v| v.received),
        title,
        kind,
        author: name_of(head.author),
        versions: entry.versions.len(),
        compartment: entry.compartment,
        conflict: entry.conflict(),
    })
}

/// The list.
#[component]
pub fn Timeline(chart: Arc<OpenChart>, filter: RwSignal<Filter>) -> impl IntoView {
    let app = app();
    let limit = RwSignal::new(STEP);
    let unfolded: RwSignal<Option<EntryId>> = RwSignal::new(None);
    let stored = StoredValue::new(chart);
    let lines = Memo::new(move |_| {
        let filter = filter.get();
        limit.set(STEP);
        let name_of = |m| app.name_of(m);
        let mut lines: Vec<Line> = stored.with_value(|c| {
            let shown = c.entries.iter().filter(|e| e.head().is_some_and(|h| filter.shows(e.compartment, &h.body.schema)));
            shown.filter_map(|e| line(e, &name_of)).collect()
        });
        lines.sort_by(|a, b| (&b.date, b.received).cmp(&(&a.date, a.received)));
        lines
    });
    let days = move || {
        let mut days: Vec<(String, Vec<Line>)> = Vec::new();
        lines.with(|all| {
            for line in all.iter().take(limit.get()) {
                match days.last_mut() {
                    Some((date, list)) if *date == line.date => list.push(line.clone()),
                    _ => days.push((line.date.clone(), vec![line.clone()])),
                }
            }
        });
        days
    };
    let rest = move || lines.with(Vec::len).saturating_sub(limit.get());
    let others = stored.with_value(|c| c.others_psychotherapy);
    view! {
        <div class="timeline">
            {move || days().into_iter().map(|(date, list)| view! {
                <section class="day">
                    <h2>{time::day_of_iso(&date)}</h2>
                    <ul>{list.into_iter().map(|line| view! { <Entry line stored unfolded /> }).collect_view()}</ul>
                </section>
            }).collect_view()}
        </div>
        <Show when=move || filter.get() == Filter::Psychotherapy && lines.with(Vec::is_empty)><p class="soft">{t("psychotherapy-none")}</p></Show>
        <Show when=move || !matches!(filter.get(), Filter::Psychotherapy | Filter::All) && lines.with(Vec::is_empty)><p class="soft">{t("filter-none")}</p></Show>
        <Show when=move || filter.get() == Filter::Psychotherapy && others != 0><p class="soft small">{say!("psychotherapy-others", n = others)}</p></Show>
        <Show when=move || rest() != 0>
            <button on:click=move |_| limit.update(|n| *n += 4 * STEP)>{move || say!("timeline-more", n = rest())}</button>
        </Show>
    }
}

#[component]
fn Entry(line: Line, stored: StoredValue<Arc<OpenChart>>, unfolded: RwSignal<Option<EntryId>>) -> impl IntoView {
    let id = line.entry;
    let open = move || unfolded.get() == Some(id);
    let kind = (line.kind != line.title).then_some(line.kind);
    view! {
        <li>
            <button class="entry" aria-expanded=move || open().to_string() on:click=move |_| unfolded.update(|u| *u = if *u == Some(id) { None } else { Some(id) })>
                <b>{line.title}</b>
                {kind.map(|kind| view! { <span class="soft">{kind}</span> })}
                <span class="soft">{line.author}</span>
                {(line.versions > 1).then(|| view! { <span class="tag">{say!("version-count", n = line.versions)}</span> })}
                {(line.compartment == Compartment::Psychotherapy).then(|| view! { <span class="tag">{t("filter-psychotherapy")}</span> })}
                {line.conflict.then(|| view! { <span class="tag amber">{t("conflict-tag")}</span> })}
            </button>
            <Show when=open>
                <Opened chart=stored.get_value() entry=id />
            </Show>
        </li>
    }
}
