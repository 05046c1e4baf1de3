//! Whether everything would come back: what a keeper has, the last rehearsal, and what to do next.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use subrosa_client::Vault;
use subrosa_crypto::VerifyingKey;
use subrosa_model::Timestamp;
use subrosa_protocol::api::BackupState;
use subrosa_protocol::directory::Act;

use crate::app::{Task, app};
use crate::parts::{Head, Notice, TextField, Working};
use crate::text::t;
use crate::{dom, say, time};

/// Longest time that the newest copy may be old before somebody should look.
pub const STALE_MS: i64 = 30 * Timestamp::MINUTE;
/// Longest time between rehearsals.
pub const REHEARSE_MS: i64 = 35 * Timestamp::DAY;

/// The next thing to do about backups, as a text key; none when there is nothing.
pub fn next(state: &BackupState) -> Option<&'static str> {
    let now = dom::now();
    match (&state.kept, &state.rehearsed) {
        (None, _) => Some("backup-next-start"),
        (Some((seq, at)), _) if *seq < state.newest && now.since(*at) > STALE_MS => Some("backup-next-stale"),
        (_, Some((_, false))) => Some("backup-next-failed"),
        (_, None) => Some("backup-next-rehearse"),
        (_, Some((at, true))) if now.since(*at) > REHEARSE_MS => Some("backup-next-rehearse"),
        _ => None,
    }
}

/// Whether the next thing cannot wait.
pub fn presses(key: &str) -> bool {
    key != "backup-next-rehearse"
}

/// When the newest copy was made, in words.
pub fn kept(state: &BackupState) -> String {
    match state.kept {
        None => t("backup-never"),
        Some((seq, at)) if seq >= state.newest => say!("backup-kept-all", when = time::ago(at)),
        Some((seq, at)) => say!("backup-kept-behind", when = time::ago(at), n = state.newest - seq),
    }
}

/// The last rehearsal, in words.
pub fn rehearsed(state: &BackupState) -> String {
    match state.rehearsed {
        None => t("backup-never-rehearsed"),
        Some((at, true)) => say!("backup-rehearsed", when = time::moment(at)),
        Some((at, false)) => say!("backup-rehearsal-failed", when = time::moment(at)),
    }
}

/// Who countersigned the ledger last, in words.
pub fn witnessed(state: &BackupState) -> String {
    match &state.cosigned {
        None => t("backup-no-witness"),
        Some((size, at, who)) => say!("backup-witness", who = who.clone(), when = time::ago(*at), n = *size),
    }
}

/// The page.
#[component]
pub fn Backup() -> impl IntoView {
    let app = app();
    let task = Task::new();
    let state: RwSignal<Option<BackupState>> = RwSignal::new(None);
    app.run(task, "backup-loading", async |v: &mut Vault| v.backup_state().await, move |now| state.set(Some(now)));
    view! {
        <div class="page reading">
            <Head title=t("nav-backup") line=t("backup-line") />
            <Working task />
            {move || state.get().map(|s| view! {
                <div class="stack loose">
                    {match next(&s) {
                        Some(key) => view! {
                            <Notice kind=if presses(key) { "amber" } else { "" } title=t(&format!("{key}-title"))>
                                <p>{t(key)}</p>
                                <p class="mono" style:margin-top="0.5rem">{say!(&format!("{key}-command"), origin = dom::window().location().origin().unwrap_or_default())}</p>
                            </Notice>
                        }.into_any(),
                        None => view! { <Notice title=t("nothing-to-do")><p>{t("backup-good")}</p></Notice> }.into_any(),
                    }}
                    <dl class="facts sheet">
                        <dt>{t("backup-copy")}</dt><dd>{kept(&s)}</dd>
                        <dt>{t("backup-rehearsal")}</dt><dd>{rehearsed(&s)}</dd>
                        <dt>{t("backup-cosigned")}</dt><dd>{witnessed(&s)}</dd>
                    </dl>
                    <Keepers />
                    <section class="stack tight">
                        <h2>{t("backup-how-title")}</h2>
                        <p>{t("backup-how-1")}</p>
                        <p>{t("backup-how-2")}</p>
                    </section>
                </div>
            })}
        </div>
    }
}

/// Name and key of a keeper, as its first run prints them: `name:key`.
fn read_keeper(line: &str) -> Option<(String, VerifyingKey)> {
    let (name, key) = line.trim().rsplit_once(':')?;
    let bytes: [u8; 32] = subrosa_crypto::from_base64url(key.trim())?.try_into().ok()?;
    let name = name.trim();
    (!name.is_empty() && name.len() <= 64).then_some(())?;
    Some((name.to_owned(), VerifyingKey::from_bytes(bytes).ok()?))
}

/// The keepers that the practice trusts, and a field for one more.
#[component]
fn Keepers() -> impl IntoView {
    let app = app();
    let task = Task::new();
    let line = RwSignal::new(String::new());
    let wrong = RwSignal::new(None);
    let owner = move || app.me.get().is_some_and(|me| me.runs() && !me.linked);
    let names = move || app.directory.get().map(|d| d.witnesses().keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let read = read_keeper(&line.get_untracked());
        wrong.set(read.is_none().then(|| t("keeper-wrong")));
        let Some((name, key)) = read else { return dom::focus("#keeper") };
        let two = app.directory.with_untracked(|d| d.as_ref().and_then(|d| d.policy().map(|p| p.two_person))).unwrap_or_default();
        let act = Act::SetWitness { name, key };
        let work = async move |v: &mut Vault| if two { v.propose(act.clone()).await } else { v.append(vec![act.clone()]).await };
        app.run(task, "keeper-adding", work, move |()| {
            line.set(String::new());
            app.tell(if two { t("keeper-proposed") } else { t("keeper-added") });
        });
    };
    view! {
        <section class="stack">
            <h2>{t("keepers")}</h2>
            <ul class="list">{move || names().into_iter().map(|name| view! { <li class="item"><span class="grow">{name}</span></li> }).collect_view()}</ul>
            <Show when=owner>
                <form class="stack" on:submit=submit novalidate=true>
                    <TextField id="keeper" label=t("keeper-line") hint=t("keeper-hint") value=line wrong=wrong />
                    <Working task />
                    <button disabled=move || task.busy()>{t("keeper-add")}</button>
                </form>
            </Show>
        </section>
    }
}
