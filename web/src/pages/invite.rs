//! Inviting a colleague: a link that is handed over outside the system, and six words compared when it is answered.

use leptos::prelude::*;
use subrosa_client::Vault;

use crate::app::{Task, app};
use crate::parts::{CopyField, Head, Notice, Qr, Working};
use crate::route::Route;
use crate::text::t;
use crate::dom;

/// The page.
#[component]
pub fn Invite() -> impl IntoView {
    let app = app();
    let task = Task::new();
    let link: RwSignal<Option<String>> = RwSignal::new(None);
    let make = move |_| {
        app.run(task, "invite-making", async |v: &mut Vault| v.invite().await, move |made| {
            let origin = dom::window().location().origin().unwrap_or_default();
            link.set(Some(format!("{origin}/#/join/{}", made.fragment.as_str())));
        });
    };
    view! {
        <div class="page reading">
            <Head title=t("invite-title") line=t("invite-line") />
            {move || match link.get() {
                None => view! {
                    <ol class="stack tight" style:margin-bottom="1.5rem">
                        <li>{t("invite-1")}</li><li>{t("invite-2")}</li><li>{t("invite-3")}</li>
                    </ol>
                    <div class="stack">
                        <Working task />
                        <div class="row">
                            <button class="next" disabled=move || task.busy() on:click=make>{t("invite-make")}</button>
                            <a class="button" href=Route::Team.href()>{t("cancel")}</a>
                        </div>
                    </div>
                }.into_any(),
                Some(link) => view! {
                    <div class="stack loose">
                        <Notice><p>{t("invite-hand-over")}</p></Notice>
                        <CopyField id="invite-link" label=t("invite-link") text=link.clone() />
                        <Qr text=link label=t("invite-qr") />
                        <p class="soft">{t("invite-after")}</p>
                        <a class="button next" href=Route::Team.href()>{t("invite-to-team")}</a>
                    </div>
                }.into_any(),
            }}
        </div>
    }
}
