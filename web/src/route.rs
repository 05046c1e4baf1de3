//! Pages are named in the address after `#`, so that nothing of it reaches a server.

use leptos::prelude::*;
use subrosa_model::{ChartId, Compartment, EntryId};
use wasm_bindgen::prelude::*;

use crate::dom;

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// All patients.
    Patients,
    /// A form for a new patient.
    NewPatient,
    /// One chart.
    Chart(ChartId),
    /// A new note in a compartment of a chart.
    Write(ChartId, Compartment),
    /// A new version of a note.
    Amend(ChartId, EntryId),
    /// Who has looked at a chart.
    Looked(ChartId),
    /// Bringing records in.
    Import,
    /// Members.
    Team,
    /// Inviting a member.
    Invite,
    /// Passkeys, linked devices, sessions.
    Devices,
    /// Backup state.
    Backup,
    /// The four promises.
    Safety,
    /// Settings.
    Settings,
    /// Founding a practice, with the token that the server printed.
    SetUp(String),
    /// Following an invitation; the text is secret.
    Join(String),
    /// Making a second way in.
    SecondWay,
    /// An address that names nothing.
    Unknown,
}

impl Route {
    /// From the part of the address after `#`.
    pub fn parse(hash: &str) -> Self {
        let path = hash.trim_start_matches('#').trim_matches('/');
        let parts: Vec<&str> = path.split('/').collect();
        let chart = |text: &str| text.parse::<ChartId>().ok();
        match parts.as_slice() {
            [""] | ["patients"] => Route::Patients,
            ["patients", "new"] => Route::NewPatient,
            ["chart", id] => chart(id).map_or(Route::Unknown, Route::Chart),
            ["chart", id, "looked"] => chart(id).map_or(Route::Unknown, Route::Looked),
            ["chart", id, "write", word] => match (chart(id), Compartment::ALL.iter().find(|c| c.word() == *word)) {
                (Some(id), Some(compartment)) => Route::Write(id, *compartment),
                _ => Route::Unknown,
            },
            ["chart", id, "amend", entry] => match (chart(id), entry.parse()) {
                (Some(id), Ok(entry)) => Route::Amend(id, entry),
                _ => Route::Unknown,
            },
            ["import"] => Route::Import,
            ["team"] => Route::Team,
            ["team", "invite"] => Route::Invite,
            ["devices"] => Route::Devices,
            ["backup"] => Route::Backup,
            ["safety"] => Route::Safety,
            ["settings"] => Route::Settings,
            ["second-way"] => Route::SecondWay,
            ["setup"] => Route::SetUp(String::new()),
            ["setup", token] => Route::SetUp((*token).to_owned()),
            ["join", text] => Route::Join((*text).to_owned()),
            _ => match path.strip_prefix("setup=") {
                Some(token) => Route::SetUp(token.to_owned()),
                None => Route::Unknown,
            },
        }
    }

    /// The address, from `#` on.
    pub fn href(&self) -> String {
        match self {
            Route::Patients | Route::Unknown => "#/patients".to_owned(),
            Route::NewPatient => "#/patients/new".to_owned(),
            Route::Chart(id) => format!("#/chart/{id}"),
            Route::Write(id, compartment) => format!("#/chart/{id}/write/{compartment}"),
            Route::Amend(id, entry) => format!("#/chart/{id}/amend/{entry}"),
            Route::Looked(id) => format!("#/chart/{id}/looked"),
            Route::Import => "#/import".to_owned(),
            Route::Team => "#/team".to_owned(),
            Route::Invite => "#/team/invite".to_owned(),
            Route::Devices => "#/devices".to_owned(),
            Route::Backup => "#/backup".to_owned(),
            Route::Safety => "#/safety".to_owned(),
            Route::Settings => "#/settings".to_owned(),
            Route::SecondWay => "#/second-way".to_owned(),
            Route::SetUp(token) => format!("#/setup/{token}"),
            Route::Join(text) => format!("#/join/{text}"),
        }
    }

    /// Goes there.
    pub fn go(&self) {
        let _ = dom::window().location().set_hash(&self.href());
    }

    /// Goes there without leaving the present page in the history: for addresses that hold a secret.
    pub fn replace(&self) {
        if let Ok(history) = dom::window().history() {
            let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&self.href()));
        }
    }
}

/// The route of the page shown, following the address.
pub fn follow() -> RwSignal<Route> {
    let now = || Route::parse(&dom::window().location().hash().unwrap_or_default());
    let route = RwSignal::new(now());
    dom::listen(&dom::window(), "hashchange", move |_| route.set(now()));
    route
}
