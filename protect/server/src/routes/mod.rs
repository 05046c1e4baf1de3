//! Every address of the server, in one table: it routes, and it is the OpenAPI description.

use axum::http::Method;

use crate::call::{Call, Working};

pub mod backup;
pub mod charts;
pub mod directory;
pub mod drafts;
pub mod entries;
pub mod invitations;
pub mod keeper;
pub mod kit;
pub mod logs;
pub mod objects;
pub mod open;
pub mod passkeys;
pub mod relations;
pub mod release;
pub mod roster;
pub mod sessions;
pub mod setup;
pub mod ways;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// Anybody.
    Open,
    /// Anybody, at a low rate: what costs much or is worth guessing at.
    Strict,
    /// A signed-in member or device.
    Session,
    /// The same, also in a session that may only enrol a passkey.
    Restricted,
    /// A keeper that an owner has named in the directory, or that this machine's operator has entered.
    Keeper,
}

/// One address.
pub struct Route {
    /// Upper-case method.
    pub method: &'static str,
    /// Its pattern; `{name}` stands for one part.
    pub path: &'static str,
    /// Who may call it.
    pub auth: Auth,
    /// Largest body, in bytes.
    pub max_body: usize,
    /// Whether `Subrosa-Protocol` is asked for.
    pub versioned: bool,
    /// Whether the body is bytes as they are.
    pub raw: bool,
    /// Type of the body in `subrosa_protocol::api`; empty if there is none.
    pub takes: &'static str,
    /// Type of the answer; empty if there is none.
    pub gives: &'static str,
    /// What it does, in a sentence.
    pub says: &'static str,
    /// What carries it out.
    pub handler: fn(Call) -> Working,
}

const KB: usize = 1024;
const MB: usize = 1024 * KB;

macro_rules! routes {
    ($($method:literal $path:literal $auth:ident $max:expr, $takes:literal => $gives:literal, $handler:path, $says:literal $(, $flag:ident = $value:literal)*;)+) => {
        &[$({
            #[allow(unused_mut, unused_assignments)]
            let route = Route {
                method: $method,
                path: $path,
                auth: Auth::$auth,
                max_body: $max,
                takes: $takes,
                gives: $gives,
                says: $says,
                handler: |call| Box::pin($handler(call)),
                ..Route { $($flag: $value,)* ..DEFAULT }
            };
            route
        }),+]
    };
}

const DEFAULT: Route = Route {
    method: "",
    path: "",
    auth: Auth::Session,
    max_body: 0,
    versioned: true,
    raw: false,
    takes: "",
    gives: "",
    says: "",
    handler: |call| Box::pin(open::hello(call)),
};

/// Every address.
pub static ROUTES: &[Route] = routes! {
    "GET" "/v1/hello" Open 0, "" => "Hello", open::hello, "What anybody may know.", versioned = false;
    "GET" "/v1/demo" Open 0, "" => "DemoEntry", open::demo, "How anybody enters a demonstration.";
    "GET" "/health" Open 0, "" => "", open::health, "Whether the server and its database work.", versioned = false;
    "GET" "/metrics" Open 0, "" => "", open::metrics, "Counts in Prometheus' text format; from this machine only.", versioned = false;
    "GET" "/openapi.json" Open 0, "" => "", open::openapi, "This description.", versioned = false;
    "GET" "/log/{log}/checkpoint" Open 0, "" => "", logs::checkpoint, "Newest signed checkpoint of a log: `access` or `directory`.", versioned = false;

    "POST" "/v1/setup/start" Strict 64 * KB, "CeremonyStart" => "Ceremony", setup::start, "Begins the set-up, with the token that the server printed.";
    "POST" "/v1/setup/finish" Strict 8 * MB, "SetupFinish" => "SignedIn", setup::finish, "Founds the practice.";
    "POST" "/v1/signin/start" Strict 64 * KB, "CeremonyStart" => "Ceremony", passkeys::signin_start, "Begins to sign in with a passkey.";
    "POST" "/v1/signin/finish" Strict 256 * KB, "CeremonyFinish" => "SignedIn", passkeys::signin_finish, "Signs in.";
    "POST" "/v1/device/start" Strict 64 * KB, "DeviceStart" => "Ceremony", passkeys::device_start, "A linked device begins to sign in.";
    "POST" "/v1/device/finish" Strict 64 * KB, "DeviceFinish" => "SignedIn", passkeys::device_finish, "A linked device signs in.";
    "POST" "/v1/fresh/start" Session 64 * KB, "CeremonyStart" => "Ceremony", passkeys::fresh_start, "Begins to show the passkey again.";
    "POST" "/v1/fresh/finish" Session 256 * KB, "CeremonyFinish" => "SignedIn", passkeys::fresh_finish, "Shows the passkey again.";
    "POST" "/v1/passkey/start" Restricted 64 * KB, "CeremonyStart" => "Ceremony", passkeys::further_start, "Begins to add a passkey.";
    "POST" "/v1/passkey/finish" Restricted 256 * KB, "PasskeyFinish" => "SignedIn", passkeys::further_finish, "Adds a passkey.";
    "POST" "/v1/kit" Session 64 * KB, "KitPut" => "", kit::put, "Stores a member kit's half.";
    "POST" "/v1/kit/use" Strict 64 * KB, "KitUse" => "KitState", kit::use_kit, "Comes in with a member kit: starts the wait, reports it, and after it answers with the share.";
    "GET" "/v1/kit/uses" Session 0, "" => "KitUses", kit::uses, "Uses of member kits that wait: one's own, and for owners and privacy officers everybody's.";
    "POST" "/v1/kit/answer" Session 64 * KB, "KitAnswer" => "", kit::answer, "Stops a waiting use of a kit, or lets it go on at once as a second person.";

    "GET" "/v1/ways" Session 0, "" => "WaysIn", ways::list, "One's own ways in.";
    "POST" "/v1/ways/remove" Session 64 * KB, "WayInRemove" => "WaysIn", ways::remove, "Ends a way in and every other session of the member.";

    "GET" "/v1/directory" Restricted 0, "" => "DirectoryPage", directory::get, "Directory statements from `after` on.";
    "POST" "/v1/directory" Session 8 * MB, "DirectoryAppend" => "DirectoryPage", directory::append, "Appends directory statements, all or none.";
    "GET" "/v1/approvals" Session 0, "" => "Approvals", directory::approvals, "Statements that wait for a second signature.";
    "POST" "/v1/approvals" Session MB, "Approvals" => "Approvals", directory::propose, "Proposes statements, or adds a signature.";
    "GET" "/v1/epochs" Restricted 0, "" => "Epochs", directory::epochs, "Epoch seals for the asker and the chains between epochs.";

    "POST" "/v1/charts" Session 32 * MB, "NewCharts" => "Recorded", charts::make, "Makes charts.";
    "POST" "/v1/wraps" Session 32 * MB, "MoreWraps" => "Recorded", charts::wraps, "Stores further wraps of compartment keys.";
    "POST" "/v1/entries" Session 48 * MB, "NewEntries" => "EntriesAnswer", entries::write, "Writes versions of entries.";
    "POST" "/v1/release" Session MB, "Ask" => "Released", release::release, "Opens charts; recorded first.";
    "POST" "/v1/looked" Session 64 * KB, "Ask" => "ChartHistory", release::looked, "Who has looked at a chart, with proof.";
    "POST" "/v1/roster" Session 64 * KB, "Ask" => "RosterPage", roster::sync, "The caseload, or what changed in it.";
    "GET" "/v1/relations" Session 0, "" => "Relations", relations::list, "Care relations: one's own, or of `chart`.";
    "POST" "/v1/relations" Session 64 * KB, "RelationPut" => "RelationState", relations::state, "States a care relation.";
    "POST" "/v1/relations/confirm" Session 64 * KB, "RelationPut" => "RelationState", relations::confirm, "Confirms somebody else's care relation.";
    "PUT" "/v1/objects/{hash}" Session 33 * MB, "" => "", objects::put, "Stores an attachment's ciphertext under its SHA-256.", raw = true;
    "POST" "/v1/objects/{hash}" Session 64 * KB, "ObjectAsk" => "", objects::get, "Gives an attachment's ciphertext; recorded first.";

    "GET" "/v1/drafts" Session 0, "" => "Drafts", drafts::list, "One's own drafts.";
    "PUT" "/v1/drafts/{entry}" Session 8 * MB, "Draft" => "", drafts::put, "Overwrites a draft; an empty one is removed.";

    "GET" "/v1/invitations" Session 0, "" => "Invitations", invitations::list, "One's own invitations and pairings.";
    "POST" "/v1/invitations" Session 64 * KB, "InvitationPut" => "", invitations::put, "Makes an invitation or a pairing.";
    "DELETE" "/v1/invitations/{id}" Session 0, "" => "", invitations::withdraw, "Withdraws an invitation.";
    "POST" "/v1/invitations/{id}/start" Strict 64 * KB, "CeremonyStart" => "Ceremony", invitations::start, "An invited person begins to make a passkey.";
    "POST" "/v1/invitations/{id}/accept" Strict MB, "InvitationAccept" => "", invitations::accept, "Returns an invited person's or device's new keys.";

    "GET" "/v1/sessions" Restricted 0, "" => "Sessions", sessions::list, "What is signed in in one's own name.";
    "DELETE" "/v1/sessions/{id}" Restricted 0, "" => "", sessions::end, "Ends one of one's own sessions.";
    "GET" "/v1/backup" Session 0, "" => "BackupState", backup::state, "State of backup and witness.";
    "GET" "/v1/witnessed" Session 0, "" => "Witnessed", backup::witnessed, "The newest cosigned checkpoint, with proof that it is of the log that the asker knows.";
    "GET" "/v1/keeper/journal" Keeper 0, "" => "JournalPage", keeper::journal, "Journal records after `after`.";
    "GET" "/v1/keeper/keys" Keeper 0, "" => "KeyCopyPage", keeper::keys, "The key store after `after`, sealed to the practice kit.";
    "GET" "/v1/keeper/object/{hash}" Keeper 0, "" => "", keeper::object, "An attachment's ciphertext.";
    "POST" "/v1/keeper/report" Keeper 64 * KB, "KeeperReport" => "", keeper::report, "How far the copy reaches, with cosignatures.";
};

/// What a path leads to.
pub enum Found {
    /// A route, with the open parts of the path.
    Route(&'static Route, Vec<String>),
    /// An address that takes other methods.
    OtherMethod,
    /// No address of the API.
    None,
}

/// Finds the route of a request. `HEAD` is not served by the API.
pub fn find(method: &Method, path: &str) -> Found {
    let mut known = false;
    for route in ROUTES {
        if let Some(params) = fits(route.path, path) {
            if route.method == method.as_str() {
                return Found::Route(route, params);
            }
            known = true;
        }
    }
    if known { Found::OtherMethod } else { Found::None }
}

fn fits(pattern: &str, path: &str) -> Option<Vec<String>> {
    let (mut patterns, mut parts) = (pattern.split('/'), path.split('/'));
    let mut params = Vec::new();
    loop {
        match (patterns.next(), parts.next()) {
            (None, None) => return Some(params),
            (Some(p), Some(part)) if p.starts_with('{') && !part.is_empty() => params.push(part.to_owned()),
            (Some(p), Some(part)) if p == part => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_one_route() {
        for (i, a) in ROUTES.iter().enumerate() {
            for b in &ROUTES[i + 1..] {
                assert!((a.method, a.path) != (b.method, b.path), "{} {}", a.method, a.path);
            }
            assert!(a.says.ends_with('.') && a.path.starts_with('/'));
        }
    }

    #[test]
    fn parts_of_a_path_are_found_and_nothing_is_guessed() {
        assert_eq!(fits("/v1/a/{id}/b", "/v1/a/x/b"), Some(vec!["x".to_owned()]));
        for other in ["/v1/a//b", "/v1/a/x/b/", "/v1/a/x", "/v1/a/x/c", "v1/a/x/b"] {
            assert_eq!(fits("/v1/a/{id}/b", other), None, "{other}");
        }
        assert!(matches!(find(&Method::PUT, "/v1/hello"), Found::OtherMethod));
        assert!(matches!(find(&Method::GET, "/v1/nothing"), Found::None));
    }
}
