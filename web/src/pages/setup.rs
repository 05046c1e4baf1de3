//! Founding a practice: name, passkey, practice kit, a second way in. Nothing before the second way in lets a patient in.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use subrosa_client::{Kit, SetupOptions};

use super::second_way::SecondWaySteps;
use super::setup_steps::{Steps, WordsStep};
use crate::app::{Phase, Task, app};
use crate::parts::{Head, KitPaper, Notice, Pick, TextField, TypeBack, Working};
use crate::passkey::{self, Passkeys};
use crate::route::Route;
use crate::text::t;
use crate::{dom, time};

/// How far the wizard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Welcome,
    Name,
    Passkey,
    Words,
    Kit,
    SecondWay,
    Done,
}

/// The wizard.
#[component]
pub fn SetUp(token: String) -> impl IntoView {
    let app = app();
    if !token.is_empty() {
        // The token leaves the address bar and the history at once.
        Route::SetUp(String::new()).replace();
    }
    let step = RwSignal::new(Step::Welcome);
    let token = RwSignal::new(token);
    let name = RwSignal::new(String::new());
    let zone = RwSignal::new(dom::time_zone());
    let kit: StoredValue<Option<Kit>> = StoredValue::new(None);
    let words: StoredValue<Option<String>> = StoredValue::new(None);
    let after_kit = Callback::new(move |()| step.set(Step::SecondWay));
    Effect::new(move |_| {
        let _ = step.get();
        dom::focus_soon("main h1");
    });
    let shown = move || match step.get() {
        Step::Welcome => view! { <Welcome token go=Callback::new(move |()| step.set(Step::Name)) /> }.into_any(),
        Step::Name => view! { <Name name zone go=Callback::new(move |()| step.set(Step::Passkey)) /> }.into_any(),
        Step::Passkey => {
            let made = Callback::new(move |(new_kit, new_words): (Kit, Option<String>)| {
                kit.set_value(Some(new_kit));
                let has_words = new_words.is_some();
                words.set_value(new_words);
                step.set(if has_words { Step::Words } else { Step::Kit });
            });
            view! { <PasskeyStep token name zone made back=Callback::new(move |()| step.set(Step::Name)) /> }.into_any()
        }
        Step::Words => match words.get_value() {
            Some(text) => view! { <WordsStep words=text done=Callback::new(move |()| step.set(Step::Kit)) /> }.into_any(),
            None => ().into_any(),
        },
        Step::Kit => match kit.try_update_value(Option::take).flatten() {
            Some(kit) => view! { <KitStep kit done=after_kit /> }.into_any(),
            None => ().into_any(),
        },
        Step::SecondWay => view! {
            <Head title=t("second-title") />
            <p class="lead">{t("second-lead-setup")}</p>
            <SecondWaySteps done=Callback::new(move |()| step.set(Step::Done)) />
        }.into_any(),
        Step::Done => view! {
            <Head title=t("setup-done-title") />
            <p class="lead">{t("setup-done-text")}</p>
            <button class="next" on:click=move |_| app.enter()>{t("setup-done-go")}</button>
        }.into_any(),
    };
    view! {
        <Show when=move || app.hello.get().is_some_and(|h| h.practice.is_some()) && step.get() < Step::Words>
            <Notice><p>{t("setup-exists")}</p><div class="row"><button on:click=move |_| { Route::Patients.go(); app.phase.set(Phase::SignedOut); }>{t("sign-in")}</button></div></Notice>
        </Show>
        <Steps at=Signal::derive(move || step.get() as usize) of=7 />
        {shown}
    }
}

#[component]
fn Welcome(token: RwSignal<String>, go: Callback<()>) -> impl IntoView {
    let had_token = !token.get_untracked().is_empty();
    let wrong = RwSignal::new(None);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let empty = token.get_untracked().trim().is_empty();
        wrong.set(empty.then(|| t("setup-token-missing")));
        if !empty {
            go.run(());
        }
    };
    view! {
        <Head title=t("setup-welcome-title") />
        <p class="lead">{t("setup-welcome-text")}</p>
        <ol class="stack tight">
            <li>{t("setup-welcome-1")}</li>
            <li>{t("setup-welcome-2")}</li>
            <li>{t("setup-welcome-3")}</li>
        </ol>
        <form class="stack" on:submit=submit novalidate=true style:margin-top="1.5rem">
            {(!had_token).then(|| view! { <TextField id="token" label=t("setup-token") hint=t("setup-token-hint") value=token wrong=wrong /> })}
            <button class="next">{t("setup-start")}</button>
        </form>
    }
}

#[component]
fn Name(name: RwSignal<String>, zone: RwSignal<String>, go: Callback<()>) -> impl IntoView {
    let wrong = RwSignal::new(None);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let empty = name.get_untracked().trim().is_empty();
        wrong.set(empty.then(|| t("name-missing")));
        if empty {
            dom::focus("#name");
        } else {
            time::set_zone(&zone.get_untracked());
            go.run(());
        }
    };
    let zones = time::zones().into_iter().map(|z| (z.clone(), z.replace('_', " "))).collect::<Vec<_>>();
    view! {
        <Head title=t("setup-name-title") />
        <form class="stack" on:submit=submit novalidate=true>
            <TextField id="name" label=t("your-name") hint=t("your-name-hint") value=name wrong=wrong autocomplete="name" />
            <Notice><p>{t("setup-role")}</p></Notice>
            <Pick id="zone" label=t("setup-zone") hint=t("setup-zone-hint") value=zone options=zones />
            <button class="next">{t("go-on")}</button>
        </form>
    }
}

#[component]
fn PasskeyStep(token: RwSignal<String>, name: RwSignal<String>, zone: RwSignal<String>, made: Callback<(Kit, Option<String>)>, back: Callback<()>) -> impl IntoView {
    let app = app();
    let task = Task::new();
    let make = move |_| {
        if !task.begin(t("setup-making")) {
            return;
        }
        let options = SetupOptions { token: token.get_untracked().trim().to_owned(), owner_name: name.get_untracked().trim().to_owned(), time_zone: zone.get_untracked() };
        spawn_local(async move {
            match subrosa_client::setup(&app.connection(), &Passkeys, &options).await {
                Ok(outcome) => {
                    task.done();
                    dom::warn_before_leaving(true);
                    app.unlocked(outcome.vault);
                    made.run((outcome.practice_kit, outcome.words.map(|w| w.to_string())));
                }
                Err(error) => task.fail(error.into()),
            }
        });
    };
    view! {
        <Head title=t("setup-passkey-title") />
        <p class="lead">{t("setup-passkey-text")}</p>
        <div class="stack">
            <Show when=move || !passkey::available()><Notice kind="red"><p>{t("no-passkeys")}</p></Notice></Show>
            <Working task />
            <div class="row">
                <button class="next" disabled=move || task.busy() on:click=make>{t("make-passkey")}</button>
                <button disabled=move || task.busy() on:click=move |_| back.run(())>{t("back")}</button>
            </div>
        </div>
    }
}

#[component]
fn KitStep(kit: Kit, done: Callback<()>) -> impl IntoView {
    let words = StoredValue::new(kit.words.to_string());
    let kit = StoredValue::new(kit);
    let kept = Callback::new(move |()| {
        dom::warn_before_leaving(false);
        done.run(());
    });
    view! {
        <div class="screen">
            <Head title=t("kit-practice-title") />
            <p class="lead">{t("kit-practice-text")}</p>
        </div>
        <div class="stack loose">
            <KitPaper kit />
            <TypeBack words done=kept />
        </div>
    }
}
