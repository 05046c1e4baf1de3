use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use subrosa_client::Kit;

use super::{Qr, TextField, WordList};
use crate::text::t;
use crate::{dom, say, time};

/// A kit as it is shown and printed: on paper a document of its own, in black on white.
#[component]
pub fn KitPaper(kit: StoredValue<Kit>) -> impl IntoView {
    let (words, qr, practice, member, mark) = kit.with_value(|k| {
        let mark = k.fingerprint.to_string().chars().take(16).collect::<String>();
        (k.words.to_string(), k.qr_text().to_string(), k.practice.to_string(), k.member.map(|m| m.to_string()), mark)
    });
    let kind = if member.is_some() { "member" } else { "practice" };
    let qr_label = t("kit-qr");
    let facts = move |member: Option<String>| {
        view! {
            <dl class="facts small">
                <dt>{t("kit-practice")}</dt><dd class="mono">{practice.clone()}</dd>
                {member.map(|m| view! { <dt>{t("kit-member")}</dt><dd class="mono">{m}</dd> })}
                <dt>{t("kit-mark")}</dt><dd class="mono">{mark.clone()}</dd>
            </dl>
        }
    };
    view! {
        <section class="sheet stack screen">
            <WordList words=words.clone() />
            <div class="row">
                <Qr text=qr.clone() label=qr_label.clone() />
                <div class="stack tight grow">
                    <p class="soft small">{t("kit-qr-hint")}</p>
                    {facts.clone()(member.clone())}
                    <button type="button" on:click=move |_| dom::print()>{t("kit-print")}</button>
                </div>
            </div>
        </section>
        <section class="paper" aria-hidden="true">
            <h1>{t(&format!("kit-{kind}-title"))}</h1>
            <p>{t(&format!("kit-{kind}-paper"))}</p>
            <WordList words=words />
            <Qr text=qr label=qr_label />
            {facts(member)}
            <p>{say!("kit-printed", day = time::day(dom::now()))}</p>
            <p class="line">{t("kit-where")}</p>
        </section>
    }
}

/// Asks for three of the words, so that nobody goes on with a kit that was never written down.
#[component]
pub fn TypeBack(words: StoredValue<String>, done: Callback<()>) -> impl IntoView {
    let count = words.with_value(|w| w.split_whitespace().count());
    let at = positions(count);
    let typed: [RwSignal<String>; 3] = core::array::from_fn(|_| RwSignal::new(String::new()));
    let wrong: [RwSignal<Option<String>>; 3] = core::array::from_fn(|_| RwSignal::new(None));
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let mut all = true;
        for n in 0..3 {
            let right = words.with_value(|w| w.split_whitespace().nth(at[n]) == Some(typed[n].get_untracked().trim().to_lowercase().as_str()));
            wrong[n].set((!right).then(|| say!("type-back-wrong", n = at[n] + 1)));
            all &= right;
        }
        if all {
            done.run(());
        }
    };
    let ids = ["word-a", "word-b", "word-c"];
    view! {
        <form class="stack screen" on:submit=submit novalidate=true>
            <h2>{t("type-back-title")}</h2>
            <p class="soft">{t("type-back-text")}</p>
            <div class="three">
                {(0..3).map(|n| view! { <TextField id=ids[n] label=say!("type-back-word", n = at[n] + 1) value=typed[n] wrong=wrong[n] /> }).collect_view()}
            </div>
            <button class="next">{t("go-on")}</button>
        </form>
    }
}

/// Three places of `count` words, in order, one from each third.
fn positions(count: usize) -> [usize; 3] {
    let random: [u8; 3] = subrosa_crypto::random::make_bytes();
    let third = (count / 3).max(1);
    core::array::from_fn(|n| (n * third + usize::from(random[n]) % third).min(count.saturating_sub(1)))
}
