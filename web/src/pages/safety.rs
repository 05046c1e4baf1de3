//! The four promises: each with its state, its last proof and the next thing to do.

use leptos::prelude::*;
use subrosa_client::Vault;
use subrosa_protocol::api::BackupState;

use super::backup;
use crate::app::{Task, app};
use crate::parts::{Head, Working};
use crate::route::Route;
use crate::text::t;
use crate::say;

#[component]
fn Promise(#[prop(into)] title: String, #[prop(into)] state: String, presses: bool, #[prop(into)] proof: String, next: Option<(String, Route)>) -> impl IntoView {
    view! {
        <section class="sheet promise">
            <h2>{title}</h2>
            <p class="state" class:amber=presses>{state}</p>
            <p class="soft">{proof}</p>
            {match next {
                Some((text, route)) => view! { <p><a class="button" href=route.href()>{text}</a></p> }.into_any(),
                None => view! { <p class="soft">{t("nothing-to-do")}</p> }.into_any(),
            }}
        </section>
    }
}

/// The page.
#[component]
pub fn Safety() -> impl IntoView {
    let app = app();
    let task = Task::new();
    let state: RwSignal<Option<(BackupState, u64)>> = RwSignal::new(None);
    app.run(
        task,
        "safety-loading",
        async |v: &mut Vault| {
            v.sync().await?;
            let backup = v.backup_state().await?;
            Ok((backup, v.pins().ledger.size))
        },
        move |now| state.set(Some(now)),
    );
    view! {
        <div class="page reading">
            <Head title=t("nav-safety") line=t("safety-line") />
            <Working task />
            {move || state.get().map(|(backup, ledger)| {
                let ways = app.me.get().map_or(0, |me| me.ways_in);
                let one_way = app.me.get().is_some_and(|me| me.one_way_in());
                let directory = app.directory.get();
                let statements = directory.as_ref().map_or(0, |d| d.size());
                let turning = directory.as_ref().is_some_and(|d| d.teams().values().any(|team| team.must_turn()));
                let members = directory.as_ref().map_or(0, |d| d.members().values().filter(|m| m.active).count());
                view! {
                    <div>
                        <Promise title=t("promise-1") state=t("promise-1-state") presses=false proof=say!("promise-1-proof", n = statements) next=None />
                        <Promise title=t("promise-2")
                            state=if one_way { t("promise-2-one-way") } else if turning { t("promise-2-turning") } else { say!("promise-2-state", n = members) }
                            presses=one_way
                            proof=say!("promise-2-proof", n = ways)
                            next=one_way.then(|| (t("second-title"), Route::SecondWay)) />
                        <Promise title=t("promise-3")
                            state=if backup.cosigned.is_some() { t("promise-3-witnessed") } else { t("promise-3-state") }
                            presses=false
                            proof=format!("{} {}", say!("promise-3-proof", n = ledger), backup::witnessed(&backup))
                            next=backup.cosigned.is_none().then(|| (t("promise-3-next"), Route::Backup)) />
                        <Promise title=t("promise-4")
                            state=backup::kept(&backup) presses=backup::next(&backup).is_some_and(backup::presses) proof=backup::rehearsed(&backup)
                            next=backup::next(&backup).map(|key| (t(&format!("{key}-title")), Route::Backup)) />
                    </div>
                }
            })}
        </div>
    }
}
