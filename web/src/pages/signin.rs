//! Coming in: a passkey; seven words where it cannot unlock by itself; the member kit when there is no passkey left.

use std::rc::Rc;

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use subrosa_client::{PendingWords, SignIn as Outcome};

use super::kit_use::KitUsePage;
use crate::app::{App, Task, app};
use crate::parts::{Head, Notice, TextArea, Working};
use crate::passkey::{self, Passkeys};
use crate::storage::{self, Place};
use crate::text::t;
use crate::dom;

type Pending = StoredValue<Option<Rc<PendingWords>>, LocalStorage>;

/// Signs in with a passkey; where words are needed, leaves the pending sign-in in `pending`.
fn sign_in(app: App, task: Task, pending: Pending, needs_words: RwSignal<bool>) {
    if !task.begin(t("signing-in")) {
        return;
    }
    spawn_local(async move {
        let local = storage::load(Place::Pins).await;
        match subrosa_client::signin(&app.connection(), &Passkeys, local.as_deref()).await {
            Ok(Outcome::Open(vault)) => {
                task.done();
                app.unlocked(*vault);
                app.enter();
            }
            Ok(Outcome::NeedsWords(waiting)) => {
                task.done();
                pending.set_value(Some(Rc::from(waiting)));
                needs_words.set(true);
            }
            Err(error) => task.fail(error.into()),
        }
    });
}

#[component]
fn Door(title: String, text: String, button: String) -> impl IntoView {
    let app = app();
    let task = Task::new();
    let pending: Pending = StoredValue::new_local(None);
    let needs_words = RwSignal::new(false);
    let kit = RwSignal::new(false);
    view! {
        {move || match (kit.get(), needs_words.get()) {
            (true, _) => view! { <KitUsePage back=Callback::new(move |()| kit.set(false)) /> }.into_any(),
            (_, true) => view! { <SevenWords pending back=Callback::new(move |()| needs_words.set(false)) /> }.into_any(),
            _ => view! {
                <Head title=title.clone() />
                <p class="lead">{text.clone()}</p>
                <div class="stack">
                    <Show when=move || !passkey::available()><Notice kind="red"><p>{t("no-passkeys")}</p></Notice></Show>
                    <Working task />
                    <button class="next" disabled=move || task.busy() on:click=move |_| sign_in(app, task, pending, needs_words)>{button.clone()}</button>
                    <p class="soft small">
                        {t("no-passkey-left")}" "
                        <button class="plain" on:click=move |_| kit.set(true)>{t("use-kit")}</button>
                    </p>
                </div>
            }.into_any(),
        }}
    }
}

/// Nobody is signed in.
#[component]
pub fn SignIn() -> impl IntoView {
    let app = app();
    let demo = move || app.hello.get().is_some_and(|h| h.demo);
    view! { <Show when=demo fallback=|| view! { <WithPasskey /> }><Demonstration /></Show> }
}

/// A demonstration opens with one click: its keys are everybody's, and it refuses real members for ever.
#[component]
fn Demonstration() -> impl IntoView {
    let app = app();
    let task = Task::new();
    let open = move |_| {
        if !task.begin(t("demo-opening")) {
            return;
        }
        spawn_local(async move {
            dom::wait(30).await;
            match subrosa_client::demo_signin(&app.connection(), None).await {
                Ok(vault) => {
                    task.done();
                    app.unlocked(vault);
                    app.enter();
                }
                Err(error) => task.fail(error.into()),
            }
        });
    };
    view! {
        <Head title=t("demo-title") />
        <p class="lead">{t("demo-text")}</p>
        <div class="stack">
            <Working task />
            <button class="next" disabled=move || task.busy() on:click=open>{t("demo-open")}</button>
        </div>
    }
}

#[component]
fn WithPasskey() -> impl IntoView {
    view! { <Door title=t("sign-in-title") text=t("sign-in-text") button=t("sign-in-passkey") /> }
}

/// Locked after a pause.
#[component]
pub fn Locked() -> impl IntoView {
    if app().hello.with_untracked(|h| h.as_ref().is_some_and(|h| h.demo)) {
        return view! { <Demonstration /> }.into_any();
    }
    view! { <Door title=t("locked-title") text=t("locked-text") button=t("unlock") /> }.into_any()
}

/// The passkey was right but has no secret of its own: the seven words unlock.
#[component]
fn SevenWords(pending: Pending, back: Callback<()>) -> impl IntoView {
    let app = app();
    let task = Task::new();
    let typed = RwSignal::new(String::new());
    let wrong = RwSignal::new(None);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let words = typed.get_untracked();
        let count = words.split_whitespace().count();
        wrong.set((count != 7).then(|| crate::say!("seven-count", n = count)));
        if count != 7 {
            dom::focus("#seven");
            return;
        }
        let Some(waiting) = pending.get_value() else {
            back.run(());
            return;
        };
        if !task.begin(t("seven-unlocking")) {
            return;
        }
        spawn_local(async move {
            // Deriving a key from words is made slow on purpose; the page says so before it starts.
            dom::wait(30).await;
            match waiting.unlock(&words).await {
                Ok(vault) => {
                    task.done();
                    app.unlocked(vault);
                    app.enter();
                }
                Err(error) => task.fail(error.into()),
            }
        });
    };
    view! {
        <Head title=t("seven-ask-title") />
        <p class="lead">{t("seven-ask-text")}</p>
        <form class="stack" on:submit=submit novalidate=true>
            <TextArea id="seven" label=t("seven-label") value=typed wrong=wrong rows=2 spellcheck=false />
            <Working task />
            <div class="row">
                <button class="next" disabled=move || task.busy()>{t("unlock")}</button>
                <button type="button" on:click=move |_| back.run(())>{t("back")}</button>
            </div>
        </form>
    }
}
