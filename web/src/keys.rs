//! Keys: `/` searches, `n` writes, `g` and a letter goes somewhere, `?` shows them all, Esc closes.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::KeyboardEvent;

use crate::app::{App, Phase, app};
use crate::dom;
use crate::parts::Dialog;
use crate::route::Route;
use crate::text::t;
use subrosa_model::Compartment;

/// Every key as it is shown.
const KEYS: [(&str, &str); 9] = [
    ("/", "key-search"),
    ("n", "key-write"),
    ("g p", "key-patients"),
    ("g t", "key-team"),
    ("g s", "key-safety"),
    ("l", "key-lock"),
    ("Ctrl ↵", "key-sign"),
    ("?", "key-keys"),
    ("Esc", "key-close"),
];

/// Follows the keyboard for as long as the page lives.
pub fn listen(app: App) {
    let after_g = StoredValue::new(false);
    dom::listen(&dom::window(), "keydown", move |event| {
        let Ok(event) = event.dyn_into::<KeyboardEvent>() else { return };
        if app.phase.get_untracked() != Phase::Open || event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let key = event.key();
        if dom::typing() || dom::dialog_open() {
            return;
        }
        let second = after_g.get_value();
        after_g.set_value(key == "g" && !second);
        let taken = match (second, key.as_str()) {
            (true, "p") => go(Route::Patients),
            (true, "t") => go(Route::Team),
            (true, "d") => go(Route::Devices),
            (true, "b") => go(Route::Backup),
            (true, "s") => go(Route::Safety),
            (false, "/") => {
                if app.route.get_untracked() != Route::Patients {
                    Route::Patients.go();
                }
                dom::focus_soon("#search");
                true
            }
            (false, "n") => write(app),
            (false, "l") => {
                app.lock();
                true
            }
            (false, "?") => {
                app.keys_open.set(true);
                true
            }
            _ => false,
        };
        if taken {
            event.prevent_default();
        }
    });
}

fn go(route: Route) -> bool {
    route.go();
    true
}

/// `n`: a note where a chart is open, else a new patient.
fn write(app: App) -> bool {
    match app.route.get_untracked() {
        Route::Chart(chart) | Route::Looked(chart) => go(Route::Write(chart, Compartment::Record)),
        Route::Patients => go(Route::NewPatient),
        _ => false,
    }
}

/// The list of keys.
#[component]
pub fn KeyList() -> impl IntoView {
    let open = app().keys_open;
    view! {
        <Dialog open label=t("keys-title")>
            <dl class="keys">
                {KEYS.iter().map(|(key, what)| view! {
                    <dt>{key.split(' ').map(|k| view! { <kbd>{k}</kbd> " " }).collect_view()}</dt>
                    <dd>{t(what)}</dd>
                }).collect_view()}
            </dl>
            <div class="foot"><button on:click=move |_| open.set(false)>{t("close")}</button></div>
        </Dialog>
    }
}
