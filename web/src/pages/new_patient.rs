//! A new patient: a name is enough.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use subrosa_client::{IdentityDraft, Vault};

use crate::app::{Task, app};
use crate::parts::{Head, Notice, TextField, Working};
use crate::route::Route;
use crate::text::t;
use crate::dom;

/// The form.
#[component]
pub fn NewPatient() -> impl IntoView {
    let app = app();
    let task = Task::new();
    let given = RwSignal::new(String::new());
    let family = RwSignal::new(String::new());
    let born = RwSignal::new(String::new());
    let phone = RwSignal::new(String::new());
    let email = RwSignal::new(String::new());
    let wrong = RwSignal::new(None);
    let one_way = move || app.me.get().is_some_and(|me| me.one_way_in());
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let text = |s: RwSignal<String>| s.get_untracked().trim().to_owned();
        let nameless = text(family).is_empty();
        wrong.set(nameless.then(|| t("family-missing")));
        if nameless {
            return dom::focus("#family");
        }
        let more: Vec<String> = [text(phone), text(email)].into_iter().filter(|m| !m.is_empty()).collect();
        let draft = IdentityDraft::new(&text(given), &text(family), &text(born), more);
        app.run(task, "new-patient-making", async move |v: &mut Vault| v.make_chart(&draft).await, move |chart| {
            app.roster_version.update(|n| *n += 1);
            app.catch_up();
            Route::Chart(chart).go();
        });
    };
    view! {
        <div class="page reading">
            <Head title=t("new-patient") line=t("new-patient-line") />
            <Show when=one_way fallback=move || view! {
                <form class="stack" on:submit=submit novalidate=true>
                    <div class="two">
                        <TextField id="given" label=t("given") value=given />
                        <TextField id="family" label=t("family") value=family wrong=wrong />
                    </div>
                    <div class="two">
                        <TextField id="born" label=t("born") kind="date" value=born />
                        <TextField id="phone" label=t("phone") kind="tel" value=phone />
                    </div>
                    <TextField id="email" label=t("email") kind="email" value=email />
                    <Working task />
                    <div class="row">
                        <button class="next" disabled=move || task.busy()>{t("new-patient-make")}</button>
                        <a class="button" href=Route::Patients.href()>{t("cancel")}</a>
                    </div>
                </form>
            }>
                <Notice kind="amber" title=t("one-way-title")>
                    <p>{t("one-way-text")}</p>
                    <div class="row"><a class="button next" href=Route::SecondWay.href()>{t("second-title")}</a></div>
                </Notice>
            </Show>
        </div>
    }
}
