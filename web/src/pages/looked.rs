//! Who has looked at a chart, as the ledger shows it, and the proof that nothing recorded is missing.

use leptos::prelude::*;
use subrosa_client::{Looked as Answer, Vault};
use subrosa_model::ChartId;
use subrosa_protocol::access::{AccessEvent, What};

use super::person::Person;
use crate::app::{App, Task, app};
use crate::parts::{Head, Notice, Working};
use crate::route::Route;
use crate::text::t;
use crate::{dom, say, time};

/// What the event was, in words.
fn what(event: &AccessEvent) -> String {
    let key = match event.what {
        What::Released => "did-released",
        What::Listed => "did-listed",
        What::OnCall => "did-on-call",
        What::Audited => "did-audited",
        What::Written => "did-written",
        What::ChartMade => "did-made",
        What::Related => "did-related",
        What::SignedIn => "did-signed-in",
        What::Refused => "did-refused",
        What::Erased => "did-erased",
        What::MapRoot => "did-map",
    };
    t(key)
}

fn parts(event: &AccessEvent) -> String {
    event.compartments.iter().map(|c| t(&format!("compartment-{c}"))).collect::<Vec<_>>().join(", ")
}

#[component]
fn Row(app: App, event: Option<AccessEvent>) -> impl IntoView {
    match event {
        Some(event) => view! {
            <tr>
                <td>{time::moment(event.at)}</td>
                <td>{event.member.map_or_else(|| t("the-server"), |m| app.name_of(m))}</td>
                <td>{what(&event)}</td>
                <td class="soft">{parts(&event)}</td>
                <td>{(!event.related).then(|| view! { <span class="tag amber">{t("unrelated")}</span> })}</td>
            </tr>
        }
        .into_any(),
        None => view! { <tr><td colspan="5" class="soft">{t("looked-deleted")}</td></tr> }.into_any(),
    }
}

/// The page.
#[component]
pub fn Looked(chart: ChartId) -> impl IntoView {
    let app = app();
    let task = Task::new();
    let answer: RwSignal<Option<Answer>> = RwSignal::new(None);
    app.run(task, "looked-checking", async move |v: &mut Vault| v.who_has_looked(chart).await, move |found| answer.set(Some(found)));
    let who = move || app.chart.get().filter(|c| c.chart == chart).map(|c| Person::of(&c, app.row.get().as_ref()).name).unwrap_or_default();
    let download = move |_| {
        if let Some(found) = answer.get_untracked() {
            let name = format!("subrosa-accesses-{}.proof", time::iso_day(dom::now()));
            let _ = dom::download(&name, "application/octet-stream", &found.proof);
        }
    };
    let count = move || answer.with(|a| a.as_ref().map_or(0, |a| a.events.len()));
    view! {
        <div class="page">
            <Head title=t("looked-title")>
                <a class="button" href=Route::Chart(chart).href()>{t("back-to-chart")}</a>
            </Head>
            <p class="lead">{who}</p>
            <Working task />
            <Show when=move || answer.get().is_some()>
                <div class="stack loose">
                    <Notice title=t("proof-holds")>
                        <p>{move || say!("proof-text", n = count())}</p>
                        <div class="row">
                            <button on:click=download>{t("proof-download")}</button>
                            <span class="soft small">{t("proof-download-hint")}</span>
                        </div>
                    </Notice>
                    <div class="tablewrap sheet looked" tabindex="0" role="region" aria-label=t("looked-title")>
                        <table>
                            <thead><tr>
                                <th scope="col">{t("looked-when")}</th><th scope="col">{t("looked-who")}</th><th scope="col">{t("looked-what")}</th>
                                <th scope="col">{t("looked-parts")}</th><th scope="col">{t("looked-note")}</th>
                            </tr></thead>
                            <tbody>{move || answer.get().map(|a| a.events.into_iter().map(|event| view! { <Row app event /> }).collect_view())}</tbody>
                        </table>
                    </div>
                    <p class="soft small">{t("looked-recorded")}</p>
                    <p class="soft small">{t("looked-honest")}</p>
                </div>
            </Show>
        </div>
    }
}
