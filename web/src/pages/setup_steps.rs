//! Pieces that the set-up wizard shares with other first meetings.

use leptos::prelude::*;

use crate::parts::{Head, Notice, TypeBack, WordList};
use crate::say;
use crate::text::t;

/// How far a wizard is.
#[component]
pub fn Steps(at: Signal<usize>, of: usize) -> impl IntoView {
    view! {
        <ol class="steps screen" aria-label=move || say!("step-of", n = at.get() + 1, of = of)>
            {(0..of).map(|n| view! { <li class:done=move || n < at.get() class:now=move || n == at.get()></li> }).collect_view()}
        </ol>
    }
}

/// Seven words for a passkey that cannot unlock by itself; shown once, typed back once.
#[component]
pub fn WordsStep(words: String, done: Callback<()>) -> impl IntoView {
    let shown = words.clone();
    let words = StoredValue::new(words);
    view! {
        <Head title=t("seven-title") />
        <p class="lead">{t("seven-text")}</p>
        <div class="stack loose">
            <div class="sheet"><WordList words=shown /></div>
            <Notice kind="amber"><p>{t("seven-once")}</p></Notice>
            <TypeBack words done />
        </div>
    }
}
