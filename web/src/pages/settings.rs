//! What is fixed about the practice and this browser, and a way to the less frequent things.

use leptos::prelude::*;

use crate::app::{IDLE_MS, app};
use crate::parts::Head;
use crate::route::Route;
use crate::storage;
use crate::text::t;
use crate::say;
use subrosa_model::Timestamp;

/// The page.
#[component]
pub fn Settings() -> impl IntoView {
    let app = app();
    let me = move || app.me.get();
    let practice = move || app.directory.get().map(|d| d.practice().to_string()).unwrap_or_default();
    let mark = move || {
        let directory = app.directory.get();
        let root = directory.as_ref().and_then(|d| d.root().map(|root| subrosa_protocol::keys::root_fingerprint(root).to_string()));
        root.map(|text| text.chars().take(16).collect::<String>()).unwrap_or_default()
    };
    let zone = move || app.directory.get().and_then(|d| d.policy().map(|p| p.time_zone.replace('_', " "))).unwrap_or_default();
    let two = move || app.directory.get().and_then(|d| d.policy().map(|p| p.two_person)).unwrap_or_default();
    let forget = move |_| {
        leptos::task::spawn_local(async move {
            storage::clear().await;
            app.tell(t("browser-forgotten"));
        });
    };
    view! {
        <div class="page reading">
            <Head title=t("nav-settings") />
            <div class="stack loose">
                <section class="stack tight">
                    <h2>{t("settings-you")}</h2>
                    <dl class="facts sheet">
                        <dt>{t("name")}</dt><dd>{move || me().map(|m| m.name)}</dd>
                        <dt>{t("role")}</dt><dd>{move || me().map(|m| t(&format!("role-{}", m.role)))}</dd>
                        <dt>{t("kit-member")}</dt><dd class="mono">{move || me().map(|m| m.member.to_string())}</dd>
                    </dl>
                </section>
                <section class="stack tight">
                    <h2>{t("settings-practice")}</h2>
                    <dl class="facts sheet">
                        <dt>{t("setup-zone")}</dt><dd>{zone}</dd>
                        <dt>{t("settings-two")}</dt><dd>{move || if two() { t("settings-two-yes") } else { t("settings-two-no") }}</dd>
                        <dt>{t("kit-practice")}</dt><dd class="mono">{practice}</dd>
                        <dt>{t("kit-mark")}</dt><dd class="mono">{mark}</dd>
                    </dl>
                    <p class="soft small">{t("settings-mark-hint")}</p>
                </section>
                <section class="stack tight">
                    <h2>{t("settings-browser")}</h2>
                    <p>{say!("settings-lock", n = IDLE_MS / Timestamp::MINUTE)}</p>
                    <p class="soft">{t("settings-colours")}</p>
                    <div class="row">
                        <a class="button" href=Route::Import.href()>{t("import")}</a>
                        <button on:click=move |_| app.keys_open.set(true)>{t("keys-title")}</button>
                        <button on:click=forget>{t("browser-forget")}</button>
                        <button on:click=move |_| app.lock()>{t("lock")}</button>
                    </div>
                </section>
            </div>
        </div>
    }
}
