//! Writing a note: kept as a sealed draft every 20 seconds, signed when it is done.

use std::rc::Rc;

use leptos::ev::{KeyboardEvent, SubmitEvent};
use leptos::prelude::*;
use subrosa_client::{DraftBody, DraftInfo, NewBody, Vault};
use subrosa_model::{ChartId, Compartment, EntryId};

use super::person::Person;
use crate::app::{App, Task, app};
use crate::parts::{Head, Notice, TextArea, TextField, Working};
use crate::route::Route;
use crate::text::t;
use crate::{dom, say, time};

/// Drafts are kept this often, in milliseconds.
const KEEP_MS: i32 = 20_000;

/// The note being amended: its entry, title, text and day.
pub type Amended = (EntryId, String, String, String);

#[derive(Clone, Copy)]
struct Note {
    app: App,
    chart: ChartId,
    entry: StoredValue<EntryId>,
    compartment: RwSignal<Compartment>,
    title: RwSignal<String>,
    day: RwSignal<String>,
    text: RwSignal<String>,
    /// What was kept last.
    kept: RwSignal<Option<NewBody>>,
    kept_at: RwSignal<Option<subrosa_model::Timestamp>>,
}

impl Note {
    /// The note as it stands.
    fn body(&self) -> Option<NewBody> {
        let mut body = NewBody::note(self.title.try_get_untracked()?.trim(), &self.text.try_get_untracked()?);
        body.occurred = self.day.try_get_untracked().filter(|d| !d.is_empty());
        Some(body)
    }

    /// The draft, if it has changed since it was kept.
    fn unkept(&self) -> Option<DraftBody> {
        let body = self.body()?;
        let changed = self.kept.try_get_untracked()?.as_ref() != Some(&body);
        let empty = self.text.try_get_untracked()?.trim().is_empty();
        (changed && !empty).then_some(DraftBody { entry: self.entry.try_get_value()?, chart: self.chart, compartment: self.compartment.try_get_untracked()?, body })
    }

    fn keep(self) {
        let Some(draft) = self.unkept() else { return };
        leptos::task::spawn_local(async move {
            let body = draft.body.clone();
            if self.app.with(&async |v: &mut Vault| v.save_draft(&draft).await).await.is_ok() {
                self.kept.try_set(Some(body));
                self.kept_at.try_set(Some(dom::now()));
            }
        });
    }
}

/// The page: a new note, or a new version of `entry`.
#[component]
pub fn Writer(chart: ChartId, compartment: Compartment, entry: Option<Amended>) -> impl IntoView {
    let app = app();
    let task = Task::new();
    let opening = Task::new();
    let (amends, title, text, day) = match entry {
        Some((id, title, text, day)) => (Some(id), title, text, day),
        None => (None, t("note-title-default"), String::new(), time::iso_day(dom::now())),
    };
    let fresh = EntryId(subrosa_crypto::random::make_bytes());
    let note = Note {
        app,
        chart,
        entry: StoredValue::new(amends.unwrap_or(fresh)),
        compartment: RwSignal::new(compartment),
        title: RwSignal::new(title),
        day: RwSignal::new(day),
        text: RwSignal::new(text),
        kept: RwSignal::new(None),
        kept_at: RwSignal::new(None),
    };
    note.kept.set(note.body());
    if app.chart.with_untracked(|c| c.as_ref().is_none_or(|c| c.chart != chart)) {
        app.open_chart(opening, chart, compartment == Compartment::Psychotherapy);
    }
    restore(note, amends);
    app.keep.set_value(Some(Rc::new(move || note.unkept())));
    on_cleanup(move || {
        // Leaving the page keeps what was written.
        note.keep();
        app.keep.set_value(None);
    });
    let timer = set_interval_with_handle(move || note.keep(), core::time::Duration::from_millis(KEEP_MS as u64)).ok();
    on_cleanup(move || {
        if let Some(timer) = timer {
            timer.clear();
        }
    });
    let wrong = RwSignal::new(None);
    let sign = move || {
        let text = note.text.get_untracked();
        wrong.set(text.trim().is_empty().then(|| t("note-empty")));
        if text.trim().is_empty() {
            return dom::focus("#note");
        }
        let Some(body) = note.body() else { return };
        let (place, draft) = (note.compartment.get_untracked(), note.entry.get_value());
        let work = async move |v: &mut Vault| {
            let written = match amends {
                Some(id) => v.amend(chart, place, id, body.clone()).await?,
                None => v.write_as(chart, place, draft, body.clone()).await?,
            };
            // The note is signed; a draft left behind is only untidy.
            let _ = v.discard_draft(&DraftInfo { entry: draft, chart, compartment: place }).await;
            Ok(written)
        };
        app.run(task, "note-signing", work, move |_| {
            note.kept.try_set(note.body());
            app.tell(t("note-signed"));
            Route::Chart(chart).go();
        });
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        sign();
    };
    let on_key = move |event: KeyboardEvent| {
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
            event.prevent_default();
            sign();
        }
    };
    let who = move || app.chart.get().filter(|c| c.chart == chart).map(|c| Person::of(&c, app.row.get().as_ref()).name).unwrap_or_default();
    let heading = if amends.is_some() { t("amend-title") } else { t("write-note") };
    let tab = move |place: Compartment, key: &'static str| {
        view! { <button type="button" aria-pressed=move || (note.compartment.get() == place).to_string() on:click=move |_| note.compartment.set(place)>{t(key)}</button> }
    };
    view! {
        <div class="page reading writer">
            <Head title=heading />
            <p class="lead">{who}</p>
            <Working task=opening />
            <form class="stack" on:submit=submit on:keydown=on_key novalidate=true>
                {amends.is_none().then(|| view! {
                    <div class="tabs" role="group" aria-label=t("note-place")>
                        {tab(Compartment::Record, "place-record")}
                        {tab(Compartment::Psychotherapy, "place-psychotherapy")}
                    </div>
                })}
                <Notice><p>{move || t(&format!("belongs-{}", note.compartment.get()))}</p></Notice>
                <div class="two">
                    <TextField id="title" label=t("note-title") value=note.title spellcheck=true />
                    <TextField id="day" label=t("note-day") kind="date" value=note.day />
                </div>
                <TextArea id="note" label=t("note-text") value=note.text wrong=wrong rows=16 />
                <p class="kept" role="status">{move || match note.kept_at.get() {
                    Some(at) => say!("draft-kept", when = time::clock(at)),
                    None => t("draft-will-be-kept"),
                }}</p>
                {amends.is_some().then(|| view! { <p class="soft small">{t("amend-keeps")}</p> })}
                <Working task />
                <div class="row">
                    <button class="next" disabled=move || task.busy()>{t("note-sign")}</button>
                    <a class="button" href=Route::Chart(chart).href()>{t("note-later")}</a>
                </div>
            </form>
        </div>
    }
}

/// Puts back what was kept before, if anything.
fn restore(note: Note, amends: Option<EntryId>) {
    let place = note.compartment.get_untracked();
    leptos::task::spawn_local(async move {
        let Ok(drafts) = note.app.with(&async |v: &mut Vault| v.drafts().await).await else { return };
        // A draft that belongs to a note which exists is an amendment, and is not offered for a new one.
        let known = note.app.chart.get_untracked();
        let amendment = |d: &DraftInfo| known.as_ref().is_some_and(|c| c.entries.iter().any(|e| e.entry == d.entry));
        let fits = |d: &&DraftInfo| match amends {
            Some(id) => d.entry == id,
            None => d.chart == note.chart && d.compartment == place && !amendment(d),
        };
        let Some(info) = drafts.iter().find(fits).copied() else { return };
        let Ok(draft) = note.app.with(&async |v: &mut Vault| v.open_draft(&info).await).await else { return };
        let untouched = note.text.try_get_untracked().is_some_and(|t| amends.is_some() || t.is_empty());
        if let (true, Ok(text)) = (untouched, String::from_utf8(draft.body.body.clone())) {
            note.entry.set_value(draft.entry);
            note.title.try_set(draft.body.title.clone());
            note.day.try_set(draft.body.occurred.clone().unwrap_or_default());
            note.text.try_set(text);
            note.kept.try_set(Some(draft.body));
            note.app.tell(t("draft-restored"));
        }
    });
}
