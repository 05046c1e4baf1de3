//! The browser app of Subrosa: everything a member sees, compiled to WebAssembly.
//!
//! It never sends a key, a name or a note that is not sealed; all verification is in `subrosa-client`.
//! `cargo xtask web` builds it and writes the files that the `subrosa` binary embeds.

use leptos::prelude::*;

/// The first page.
#[component]
fn App() -> impl IntoView {
    view! {
        <main>
            <h1>"Subrosa"</h1>
            <p>"The browser app runs."</p>
        </main>
    }
}

fn main() {
    leptos::mount::mount_to_body(App);
}
