//! The frame around every page: navigation, landmarks, what is shown before anybody has signed in.

use leptos::prelude::*;

use crate::app::{App, Phase, app};
use crate::pages::*;
use crate::parts::{Icon, Mark, ProblemNote};
use crate::route::Route;
use crate::text::t;
use crate::{dom, keys};

/// The whole app.
#[component]
pub fn Root() -> impl IntoView {
    let app = App::start();
    provide_context(app);
    keys::listen(app);
    Effect::new(move |_| {
        // A new page is announced by the focus on its heading; while typing the focus stays where it is.
        let _ = (app.route.get(), app.phase.get());
        if !dom::typing() {
            dom::focus_soon("main h1");
        }
    });
    let demo = move || app.hello.get().is_some_and(|h| h.demo);
    view! {
        <a class="skip" href="#main" on:click=move |e| { e.prevent_default(); dom::focus("main"); }>{t("skip")}</a>
        <Show when=demo><p class="band">{t("demo-band")}</p></Show>
        {move || match app.phase.get() {
            Phase::Starting => view! { <Alone><p class="working" role="status">{t("starting")}</p></Alone> }.into_any(),
            Phase::NoServer(problem) => view! { <NoServer problem /> }.into_any(),
            Phase::SignedOut => match app.route.get() {
                Route::SetUp(token) => view! { <Alone><SetUp token /></Alone> }.into_any(),
                Route::Join(text) => view! { <Alone><Join text /></Alone> }.into_any(),
                _ => view! { <Alone><SignIn /></Alone> }.into_any(),
            },
            Phase::Locked => view! { <Alone><Locked /></Alone> }.into_any(),
            Phase::Open => view! { <Shell /> }.into_any(),
        }}
        {move || app.toast.get().map(|words| view! { <p class="toast" role="status">{words}</p> })}
        <keys::KeyList />
    }
}

/// A page that stands alone, before anybody has signed in.
#[component]
fn Alone(children: Children) -> impl IntoView {
    view! {
        <div class="alone">
            <Mark />
            <main id="main" tabindex="-1">{children()}</main>
        </div>
    }
}

#[component]
fn NoServer(problem: crate::app::Problem) -> impl IntoView {
    let shown = RwSignal::new(Some(problem));
    view! {
        <Alone>
            <div class="stack">
                <h1 tabindex="-1">{t("no-server-title")}</h1>
                <ProblemNote problem=shown />
                <button class="next" on:click=move |_| {
                    let app = app();
                    app.phase.set(Phase::Starting);
                    app.say_hello();
                }>{t("try-again")}</button>
            </div>
        </Alone>
    }
}

const NAVIGATION: [(&str, Route); 6] = [
    ("patients", Route::Patients),
    ("team", Route::Team),
    ("devices", Route::Devices),
    ("backup", Route::Backup),
    ("safety", Route::Safety),
    ("settings", Route::Settings),
];

/// Which entry of the navigation a page belongs to.
fn section(route: &Route) -> &'static str {
    match route {
        Route::Team | Route::Invite => "team",
        Route::Devices | Route::SecondWay => "devices",
        Route::Backup => "backup",
        Route::Safety => "safety",
        Route::Settings => "settings",
        _ => "patients",
    }
}

#[component]
fn Shell() -> impl IntoView {
    let app = app();
    let name = move || app.me.get().map(|me| me.name).unwrap_or_default();
    let role = move || app.me.get().map(|me| t(&format!("role-{}", me.role))).unwrap_or_default();
    view! {
        <div class="shell">
            <header class="top">
                <Mark />
                <button on:click=move |_| app.lock()>{t("lock")}</button>
            </header>
            <nav class="side" aria-label=t("navigation")>
                <Mark />
                <ul>
                    {NAVIGATION.into_iter().map(|(name, route)| {
                        let current = move || (section(&app.route.get()) == name).then_some("page");
                        view! {
                            <li><a href=route.href() aria-current=current><Icon name /><span>{t(&format!("nav-{name}"))}</span></a></li>
                        }
                    }).collect_view()}
                </ul>
                <div class="who">
                    <p>{name}</p>
                    <p class="soft">{role}</p>
                    <button on:click=move |_| app.lock()>{t("lock")}</button>
                </div>
            </nav>
            <main id="main" tabindex="-1">
                <Show when=move || app.trouble.get().is_some()>
                    <div class="trouble row">
                        <div class="grow"><ProblemNote problem=app.trouble /></div>
                        <button on:click=move |_| app.catch_up()>{t("try-again")}</button>
                    </div>
                </Show>
                {move || match app.route.get() {
                    Route::Patients | Route::Unknown => view! { <Patients /> }.into_any(),
                    Route::NewPatient => view! { <NewPatient /> }.into_any(),
                    Route::Chart(chart) => view! { <Chart chart /> }.into_any(),
                    Route::Write(chart, compartment) => view! { <Writer chart compartment entry=None /> }.into_any(),
                    Route::Amend(chart, entry) => view! { <Amend chart entry /> }.into_any(),
                    Route::Looked(chart) => view! { <Looked chart /> }.into_any(),
                    Route::Import => view! { <Import /> }.into_any(),
                    Route::Team => view! { <Team /> }.into_any(),
                    Route::Invite => view! { <Invite /> }.into_any(),
                    Route::Devices => view! { <Devices /> }.into_any(),
                    Route::SecondWay => view! { <SecondWay /> }.into_any(),
                    Route::Backup => view! { <Backup /> }.into_any(),
                    Route::Safety => view! { <Safety /> }.into_any(),
                    Route::Settings => view! { <Settings /> }.into_any(),
                    Route::SetUp(_) | Route::Join(_) => view! { <AlreadyIn /> }.into_any(),
                }}
            </main>
        </div>
    }
}

/// An invitation or set-up link followed in a browser where somebody is signed in.
#[component]
fn AlreadyIn() -> impl IntoView {
    let app = app();
    view! {
        <div class="page reading stack">
            <h1 tabindex="-1">{t("already-in-title")}</h1>
            <p>{t("already-in-text")}</p>
            <button class="next" on:click=move |_| app.lock()>{t("lock")}</button>
        </div>
    }
}
