//! Following an invitation: name, passkey, six words read to whoever invited.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use subrosa_client::Invited;

use super::setup_steps::WordsStep;
use crate::app::{Task, app};
use crate::parts::{Head, Notice, SixWords, TextField, Working};
use crate::passkey::Passkeys;
use crate::route::Route;
use crate::text::t;
use crate::dom;

/// The page.
#[component]
pub fn Join(text: String) -> impl IntoView {
    let app = app();
    // The secret leaves the address bar and the history at once.
    Route::Join(String::new()).replace();
    let secret = StoredValue::new(text);
    let task = Task::new();
    let name = RwSignal::new(String::new());
    let wrong = RwSignal::new(None);
    let six: RwSignal<Option<String>> = RwSignal::new(None);
    let seven: RwSignal<Option<String>> = RwSignal::new(None);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let given = name.get_untracked().trim().to_owned();
        wrong.set(given.is_empty().then(|| t("name-missing")));
        if given.is_empty() {
            return dom::focus("#name");
        }
        if !task.begin(t("join-making")) {
            return;
        }
        spawn_local(async move {
            let joined = async {
                let invited = Invited::read(&app.connection(), &secret.get_value()).await?;
                invited.accept(&Passkeys, &given).await
            };
            match joined.await {
                Ok(accepted) => {
                    task.done();
                    seven.set(accepted.words.map(|w| w.to_string()));
                    six.set(Some(accepted.six_words));
                }
                Err(error) => task.fail(error.into()),
            }
        });
    };
    move || match (seven.get(), six.get()) {
        (Some(words), _) => view! { <WordsStep words done=Callback::new(move |()| seven.set(None)) /> }.into_any(),
        (None, Some(words)) => view! {
            <Head title=t("join-six-title") />
            <p class="lead">{t("join-six-text")}</p>
            <div class="stack loose">
                <SixWords words />
                <Notice><p>{t("join-then")}</p></Notice>
                <button class="next" on:click=move |_| { Route::Patients.replace(); app.route.set(Route::Patients); }>{t("sign-in")}</button>
            </div>
        }
        .into_any(),
        (None, None) => view! {
            <Head title=t("join-title") />
            <p class="lead">{t("join-text")}</p>
            <form class="stack" on:submit=submit novalidate=true>
                <TextField id="name" label=t("your-name") hint=t("your-name-hint") value=name wrong=wrong autocomplete="name" />
                <Working task />
                <button class="next" disabled=move || task.busy()>{t("make-passkey")}</button>
            </form>
        }
        .into_any(),
    }
}
