//! A second way in: the member kit on paper, or a second passkey. Nobody should be one lost phone away from their patients.

use leptos::prelude::*;
use subrosa_client::{Kit, Vault};

use super::setup_steps::WordsStep;
use crate::app::{Task, app};
use crate::parts::{Choice, Head, KitPaper, TypeBack, Working};
use crate::passkey::Passkeys;
use crate::route::Route;
use crate::text::t;
use crate::{dom, say};

/// The page.
#[component]
pub fn SecondWay() -> impl IntoView {
    let app = app();
    let done = Callback::new(move |()| {
        app.tell(t("second-done"));
        Route::Devices.go();
    });
    view! {
        <div class="page reading">
            <div class="screen">
                <Head title=t("second-title") />
                <p class="lead">{t("second-lead")}</p>
            </div>
            <SecondWaySteps done />
        </div>
    }
}

/// Chooses and makes it.
#[component]
pub fn SecondWaySteps(done: Callback<()>) -> impl IntoView {
    let app = app();
    let task = Task::new();
    let picked = RwSignal::new("kit".to_owned());
    let kit: RwSignal<Option<StoredValue<Kit>>> = RwSignal::new(None);
    let words: RwSignal<Option<String>> = RwSignal::new(None);
    let owner = Owner::current();
    let go = move |_| {
        if picked.get_untracked() == "kit" {
            let owner = owner.clone();
            app.run(task, "second-making-kit", async |v: &mut Vault| v.put_kit().await, move |made| {
                let stored = match owner {
                    Some(owner) => owner.with(|| StoredValue::new(made)),
                    None => StoredValue::new(made),
                };
                dom::warn_before_leaving(true);
                kit.set(Some(stored));
            });
        } else {
            let label = app.me.get_untracked().map(|me| me.name).unwrap_or_default();
            let label = say!("passkey-label", name = label, day = crate::time::day(dom::now()));
            app.run(task, "second-making-passkey", async move |v: &mut Vault| v.add_passkey(&Passkeys, &label).await, move |made| match made {
                Some(seven) => words.set(Some(seven.to_string())),
                None => done.run(()),
            });
        }
    };
    move || match (kit.get(), words.get()) {
        (Some(kit), _) => {
            let words = StoredValue::new(kit.with_value(|k| k.words.to_string()));
            let kept = Callback::new(move |()| {
                dom::warn_before_leaving(false);
                done.run(());
            });
            view! {
                <div class="stack loose">
                    <p class="screen">{t("kit-member-text")}</p>
                    <KitPaper kit />
                    <TypeBack words done=kept />
                </div>
            }
            .into_any()
        }
        (None, Some(seven)) => view! { <WordsStep words=seven done /> }.into_any(),
        (None, None) => {
            let go = go.clone();
            view! {
                <div class="stack">
                    <div class="stack tight" role="radiogroup" aria-label=t("second-title")>
                        <Choice name="second" value="kit" picked title=t("second-kit") text=t("second-kit-text") />
                        <Choice name="second" value="passkey" picked title=t("second-passkey") text=t("second-passkey-text") />
                    </div>
                    <Working task />
                    <button class="next" disabled=move || task.busy() on:click=go>{t("go-on")}</button>
                </div>
            }
            .into_any()
        }
    }
}
