use leptos::prelude::*;
use qrcodegen::{QrCode, QrCodeEcc};

use crate::text::t;
use crate::{app::app, dom};

/// Words to write down or print, numbered.
#[component]
pub fn WordList(words: String) -> impl IntoView {
    view! { <ol class="words">{words.split_whitespace().map(|word| view! { <li>{word.to_owned()}</li> }).collect_view()}</ol> }
}

/// Six words that two people read to each other.
#[component]
pub fn SixWords(words: String) -> impl IntoView {
    view! { <ol class="six" aria-label=t("six-words")>{words.split([' ', '-']).filter(|w| !w.is_empty()).map(|word| view! { <li>{word.to_owned()}</li> }).collect_view()}</ol> }
}

/// A text as a QR code; drawn here, so that no text leaves the page for it.
#[component]
pub fn Qr(text: String, #[prop(into)] label: String) -> impl IntoView {
    QrCode::encode_text(&text, QrCodeEcc::Medium).ok().map(|code| {
        let size = code.size();
        let path: String = (0..size)
            .flat_map(|y| (0..size).map(move |x| (x, y)))
            .filter(|&(x, y)| code.get_module(x, y))
            .map(|(x, y)| format!("M{x} {y}h1v1h-1z"))
            .collect();
        view! {
            <svg class="qr" viewBox=format!("-2 -2 {0} {0}", size + 4) role="img" aria-label=label shape-rendering="crispEdges">
                <path d=path></path>
            </svg>
        }
    })
}

/// A text to be copied.
#[component]
pub fn CopyField(id: &'static str, #[prop(into)] label: String, text: String) -> impl IntoView {
    let copied = text.clone();
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <div class="copy">
                <input id=id readonly=true prop:value=text />
                <button type="button" on:click=move |_| {
                    dom::copy(&copied);
                    app().tell(t("copied"));
                }>{t("copy")}</button>
            </div>
        </div>
    }
}
