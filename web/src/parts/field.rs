use leptos::ev::Event;
use leptos::prelude::*;

use crate::dom;

fn described(id: &str, hint: &Option<String>, wrong: Signal<Option<String>>) -> impl Fn() -> Option<String> + Clone + use<> {
    let (hint_id, wrong_id) = (hint.is_some().then(|| format!("{id}-hint")), format!("{id}-wrong"));
    move || {
        let wrong = wrong.get().map(|_| wrong_id.clone());
        let ids: Vec<String> = [hint_id.clone(), wrong].into_iter().flatten().collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }
}

#[component]
fn Around(id: &'static str, label: String, hint: Option<String>, wrong: Signal<Option<String>>, children: Children) -> impl IntoView {
    view! {
        <div class="field">
            <label for=id>{label}</label>
            {hint.map(|hint| view! { <p class="hint" id=format!("{id}-hint")>{hint}</p> })}
            {move || wrong.get().map(|wrong| view! { <p class="wrong" id=format!("{id}-wrong") role="alert">{wrong}</p> })}
            {children()}
        </div>
    }
}

/// One line of text with its label; what is wrong with it stands beside it.
#[component]
pub fn TextField(
    id: &'static str,
    #[prop(into)] label: String,
    value: RwSignal<String>,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional, into)] wrong: Signal<Option<String>>,
    #[prop(default = "text")] kind: &'static str,
    #[prop(default = "off")] autocomplete: &'static str,
    #[prop(optional)] spellcheck: bool,
) -> impl IntoView {
    let describe = described(id, &hint, wrong);
    view! {
        <Around id label hint wrong>
            <input id=id type=kind autocomplete=autocomplete spellcheck=spellcheck.to_string() prop:value=move || value.get()
                aria-invalid=move || wrong.get().map(|_| "true") aria-describedby=describe
                on:input=move |e: Event| value.set(dom::value_of(&e)) />
        </Around>
    }
}

/// Several lines of text with their label.
#[component]
pub fn TextArea(
    id: &'static str,
    #[prop(into)] label: String,
    value: RwSignal<String>,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional, into)] wrong: Signal<Option<String>>,
    #[prop(default = true)] spellcheck: bool,
    #[prop(default = 8)] rows: u32,
) -> impl IntoView {
    let describe = described(id, &hint, wrong);
    view! {
        <Around id label hint wrong>
            <textarea id=id rows=rows.to_string() autocomplete="off" spellcheck=spellcheck.to_string() prop:value=move || value.get()
                aria-invalid=move || wrong.get().map(|_| "true") aria-describedby=describe
                on:input=move |e: Event| value.set(dom::value_of(&e))></textarea>
        </Around>
    }
}

/// One of a list of values.
#[component]
pub fn Pick(id: &'static str, #[prop(into)] label: String, value: RwSignal<String>, options: Vec<(String, String)>, #[prop(optional, into)] hint: Option<String>) -> impl IntoView {
    let none = Signal::derive(|| None);
    let describe = described(id, &hint, none);
    view! {
        <Around id label hint wrong=none>
            <select id=id aria-describedby=describe on:change=move |e: Event| value.set(dom::value_of(&e))>
                {options.into_iter().map(|(word, text)| {
                    let chosen = word == value.get_untracked();
                    view! { <option value=word selected=chosen>{text}</option> }
                }).collect_view()}
            </select>
        </Around>
    }
}

/// One of a few large choices, each with a line of explanation.
#[component]
pub fn Choice(name: &'static str, value: &'static str, picked: RwSignal<String>, #[prop(into)] title: String, #[prop(into)] text: String) -> impl IntoView {
    view! {
        <label class="choice">
            <input type="radio" name=name value=value prop:checked=move || picked.get() == value on:change=move |_| picked.set(value.to_owned()) />
            <span><b>{title}</b>{text}</span>
        </label>
    }
}
