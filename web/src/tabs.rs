//! Several tabs of one browser: a lock reaches all of them, work in one keeps the others open, and one of them leads.

use js_sys::{Array, Function, Promise};
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::BroadcastChannel;

use crate::dom::{self, get};

const CHANNEL: &str = "subrosa";

/// What tabs tell each other. Nothing else is ever sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// Somebody is working.
    Active,
    /// Lock now.
    Lock,
}

impl Word {
    const fn text(self) -> &'static str {
        match self {
            Word::Active => "active",
            Word::Lock => "lock",
        }
    }
}

/// Tells the other tabs.
pub fn tell(word: Word) {
    if let Ok(channel) = BroadcastChannel::new(CHANNEL) {
        let _ = channel.post_message(&word.text().into());
        channel.close();
    }
}

/// Hears the other tabs.
pub fn hear(mut f: impl FnMut(Word) + 'static) {
    let Ok(channel) = BroadcastChannel::new(CHANNEL) else { return };
    dom::listen(&channel, "message", move |event| match get(&event, "data").as_string().as_deref() {
        Some("active") => f(Word::Active),
        Some("lock") => f(Word::Lock),
        _ => {}
    });
    // The channel lives as long as the page.
    core::mem::forget(channel);
}

/// Becomes true when this tab leads; it leads until it is closed. A browser without Web Locks lets every tab lead.
pub fn lead(leads: RwSignal<bool>) {
    let locks = get(&dom::window().navigator(), "locks");
    let Ok(request) = get(&locks, "request").dyn_into::<Function>() else {
        leads.set(true);
        return;
    };
    let granted = Closure::<dyn FnMut() -> Promise>::new(move || {
        leads.set(true);
        Promise::new(&mut |_, _| {})
    });
    let _ = request.apply(&locks, &Array::of2(&"subrosa-lead".into(), granted.as_ref()));
    granted.forget();
}
