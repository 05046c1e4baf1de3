//! The browser app of Subrosa: everything a member sees, compiled to WebAssembly.
//!
//! It never sends a key, a name or a note that is not sealed; sealing, opening and all verification are in `subrosa-client`, and this crate is
//! pages, words and the few things asked of the browser: passkeys, files, storage of sealed copies, locks between tabs.
//! `cargo xtask web` builds it and writes the files that the `subrosa` binary embeds.
//!
//! Architecture Invariant: no element is written as a literal without anything computed in it. Such an element would be set through
//! `innerHTML`, which the page's Trusted Types policy refuses.

#[cfg(target_arch = "wasm32")]
mod app;
#[cfg(target_arch = "wasm32")]
mod dom;
#[cfg(target_arch = "wasm32")]
mod frame;
#[cfg(target_arch = "wasm32")]
mod keys;
#[cfg(target_arch = "wasm32")]
mod pages;
#[cfg(target_arch = "wasm32")]
mod parts;
#[cfg(target_arch = "wasm32")]
mod passkey;
#[cfg(target_arch = "wasm32")]
mod route;
#[cfg(target_arch = "wasm32")]
mod storage;
#[cfg(target_arch = "wasm32")]
mod tabs;
#[cfg(target_arch = "wasm32")]
mod text;
#[cfg(target_arch = "wasm32")]
mod time;

#[cfg(target_arch = "wasm32")]
fn main() {
    if let Some(waiting) = dom::document().get_element_by_id("waiting") {
        waiting.remove();
    }
    leptos::mount::mount_to_body(frame::Root);
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    println!("The browser app runs in a browser: `cargo xtask web` builds it.");
}
