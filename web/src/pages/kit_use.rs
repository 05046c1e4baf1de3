//! Coming back with the member kit alone: 24 hours of waiting, in which everybody is told, then a new passkey.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use subrosa_client::{Kit, KitUse};
use subrosa_model::{MemberId, Timestamp};

use super::setup_steps::WordsStep;
use crate::app::{Problem, Task, app};
use crate::parts::{Head, Notice, TextArea, TextField, Working};
use crate::passkey::Passkeys;
use crate::text::t;
use crate::{dom, say, time};

/// Member and words of what was typed: the text of the kit's QR code, or number and words.
fn read(number: &str, words: &str) -> Result<(MemberId, String), Problem> {
    if let Ok(kit) = Kit::from_qr_text(words.trim()) {
        let member = kit.member.ok_or_else(|| Problem::of("kit-is-practice"))?;
        return Ok((member, kit.words.to_string()));
    }
    let member = number.split_whitespace().collect::<String>().to_lowercase().parse().map_err(|_| Problem::of("kit-number"))?;
    Ok((member, words.to_owned()))
}

/// The form and what follows.
#[component]
pub fn KitUsePage(back: Callback<()>) -> impl IntoView {
    let app = app();
    let task = Task::new();
    let number = RwSignal::new(String::new());
    let words = RwSignal::new(String::new());
    let waits: RwSignal<Option<Timestamp>> = RwSignal::new(None);
    let ready = RwSignal::new(false);
    let seven: RwSignal<Option<String>> = RwSignal::new(None);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let (member, code) = match read(&number.get_untracked(), &words.get_untracked()) {
            Ok(read) => read,
            Err(problem) => return task.fail(problem),
        };
        if !task.begin(t("kit-asking")) {
            return;
        }
        spawn_local(async move {
            match subrosa_client::kit_use(&app.connection(), member, &code).await {
                Ok(KitUse::Wait { ready_at }) => {
                    task.done();
                    waits.set(Some(ready_at));
                }
                Ok(KitUse::Ready(vault)) => {
                    task.done();
                    app.unlocked(*vault);
                    ready.set(true);
                }
                Err(error) => task.fail(error.into()),
            }
        });
    };
    let enrol = move |_| {
        let label = say!("passkey-label", name = app.me.get_untracked().map(|m| m.name).unwrap_or_default(), day = time::day(dom::now()));
        app.run(task, "second-making-passkey", async move |v: &mut subrosa_client::Vault| v.add_passkey(&Passkeys, &label).await, move |made| match made {
            Some(words) => seven.set(Some(words.to_string())),
            None => back.run(()),
        });
    };
    move || {
        if let Some(words) = seven.get() {
            view! { <WordsStep words done=back /> }.into_any()
        } else if ready.get() {
            view! {
                <Head title=t("kit-ready-title") />
                <p class="lead">{t("kit-ready-text")}</p>
                <div class="stack">
                    <Working task />
                    <button class="next" disabled=move || task.busy() on:click=enrol>{t("make-passkey")}</button>
                </div>
            }
            .into_any()
        } else {
            view! {
                <Head title=t("kit-use-title") />
                <p class="lead">{t("kit-use-text")}</p>
                <form class="stack" on:submit=submit novalidate=true>
                    <TextField id="kit-number" label=t("kit-number") hint=t("kit-number-hint") value=number />
                    <TextArea id="kit-words" label=t("kit-words") hint=t("kit-words-hint") value=words rows=4 spellcheck=false />
                    {move || waits.get().map(|at| view! { <Notice kind="amber" title=t("kit-wait-title")><p>{say!("kit-wait-text", when = time::moment(at))}</p></Notice> })}
                    <Working task />
                    <div class="row">
                        <button class="next" disabled=move || task.busy()>{t("go-on")}</button>
                        <button type="button" on:click=move |_| back.run(())>{t("back")}</button>
                    </div>
                </form>
            }
            .into_any()
        }
    }
}
