//! A new version of a note. The earlier ones stay.

use leptos::prelude::*;
use subrosa_model::{ChartId, Compartment, EntryId};

use super::writer::{Amended, Writer};
use crate::app::{Task, app};
use crate::parts::{Head, Working};
use crate::route::Route;
use crate::text::t;
use crate::time;

/// The page.
#[component]
pub fn Amend(chart: ChartId, entry: EntryId) -> impl IntoView {
    let app = app();
    let task = Task::new();
    if app.chart.with_untracked(|c| c.as_ref().is_none_or(|c| c.chart != chart || !c.entries.iter().any(|e| e.entry == entry))) {
        app.open_chart(task, chart, true);
    }
    let found = Memo::new(move |_| -> Option<(Compartment, Amended)> {
        let open = app.chart.get().filter(|c| c.chart == chart)?;
        let found = open.entries.iter().find(|e| e.entry == entry)?;
        let head = found.head()?;
        let day = head.body.occurred.clone().unwrap_or_else(|| time::iso_day(head.made));
        let text = String::from_utf8(head.body.body.0.clone()).ok()?;
        Some((found.compartment, (entry, head.body.title.clone(), text, day)))
    });
    move || match found.get() {
        Some((compartment, amended)) => view! { <Writer chart compartment entry=Some(amended) /> }.into_any(),
        None => view! {
            <div class="page reading">
                <Head title=t("amend-title") />
                <Working task />
                <Show when=move || !task.busy() && app.chart.get().is_some()><p>{t("amend-none")}</p></Show>
                <a class="button" href=Route::Chart(chart).href()>{t("back-to-chart")}</a>
            </div>
        }
        .into_any(),
    }
}
