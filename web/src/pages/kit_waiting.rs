//! Somebody is using a member kit: shown to that member, to owners and to privacy officers, on the first page they see.

use leptos::prelude::*;
use subrosa_client::Vault;
use subrosa_protocol::api::KitWaiting;

use crate::app::{Task, app};
use crate::parts::{Notice, Working};
use crate::text::t;
use crate::{say, time};

/// The notices; nothing where no kit is in use.
#[component]
pub fn KitUses() -> impl IntoView {
    let app = app();
    let task = Task::new();
    let waiting: RwSignal<Vec<KitWaiting>> = RwSignal::new(Vec::new());
    let quiet = Task::new();
    let load = move || app.run(quiet, "kit-uses-loading", async |v: &mut Vault| v.kit_uses().await, move |all| waiting.set(all));
    load();
    let answer = move |member, go_on: bool| {
        app.run(task, "kit-uses-answering", async move |v: &mut Vault| v.answer_kit_use(member, go_on).await, move |()| load());
    };
    view! {
        <div class="stack notices" hidden=move || waiting.with(Vec::is_empty)>
            {move || waiting.get().into_iter().map(|use_| {
                let name = app.name_of(use_.member);
                let mine = app.me.get().is_some_and(|me| me.member == use_.member);
                let member = use_.member;
                view! {
                    <Notice kind="red" title=say!("kit-used-title", name = name.clone())>
                        <p>{say!("kit-used-text", name = name.clone(), since = time::moment(use_.started), ready = time::moment(use_.ready_at))}</p>
                        <div class="row">
                            <button class="danger" disabled=move || task.busy() on:click=move |_| answer(member, false)>{t("kit-used-stop")}</button>
                            {(!mine).then(|| view! {
                                <button disabled=move || task.busy() on:click=move |_| answer(member, true)>{say!("kit-used-allow", name = name.clone())}</button>
                            })}
                        </div>
                    </Notice>
                }
            }).collect_view()}
            <Working task />
        </div>
    }
}
