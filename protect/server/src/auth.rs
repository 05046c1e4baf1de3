//! Signed requests: which session made this one, and whether it still may.

use axum::http::HeaderMap;
use subrosa_crypto::{VerifyingKey, sha256};
use subrosa_model::{SessionId, Timestamp};
use subrosa_protocol::ProtocolError;
use subrosa_protocol::session::RequestSignature;
use subrosa_store::SessionRow;

use crate::app::{App, NO_ACCESS, Who};
use crate::error::Refusal;
use crate::limits::NotServed;
use crate::routes::Auth;

/// Told to an unsigned request.
pub const UNSIGNED: Refusal = Refusal::unsigned("signature", "This needs a signed request. Please sign in again.");
/// Told when a session is over.
pub const ENDED: Refusal = Refusal::unsigned("session-ended", "Your session has ended. Please sign in again; what you were writing is kept.");

/// How long a session lasts without a request, in milliseconds.
pub const IDLE_MS: i64 = 4 * Timestamp::HOUR;
/// How long a session lasts at most, in milliseconds.
pub const LIFE_MS: i64 = 12 * Timestamp::HOUR;
/// A session's last use is noted in steps of this length, in milliseconds.
const SEEN_STEP_MS: i64 = Timestamp::MINUTE;

/// What a request signature covers, as it arrived.
#[derive(Debug)]
pub struct Covered<'a> {
    /// The method.
    pub method: &'a str,
    /// Path with query.
    pub path: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// The session named by the headers, without any check.
pub fn session_named(headers: &HeaderMap) -> Option<SessionId> {
    headers.get("subrosa-session")?.to_str().ok()?.parse().ok()
}

/// Checks the session that the headers name, and its signature over the request.
///
/// # Errors
/// `signature`, `session-ended`, `bad-time`, `replayed`, `no-access`, `passkey-needed`; or one of the store's.
pub async fn check(app: &App, session: SessionRow, headers: &HeaderMap, covered: &Covered<'_>, kind: Auth, now: Timestamp) -> Result<Who, Refusal> {
    let id = session.session;
    verify(app, headers, covered, id, &session.key, now).await?;
    if now > session.until || now.since(session.seen) > IDLE_MS {
        let _ = app.store.end_session(&id).await;
        return Err(ENDED);
    }
    if app.shared {
        app.refresh().await?;
    }
    let directory = app.directory()?;
    if directory.member(&session.member).is_none() {
        return Err(NO_ACCESS);
    }
    if let Some(device) = session.device
        && !directory.devices().get(&device).is_some_and(|d| d.active && d.until >= now && d.member == session.member)
    {
        return Err(Refusal::forbidden("no-access", "This device is no longer linked. Link it again from a signed-in browser."));
    }
    if session.restricted && kind != Auth::Restricted {
        return Err(Refusal::forbidden("passkey-needed", "You came in with the member kit. Add a passkey first, then sign in with it."));
    }
    if now.since(session.seen) >= SEEN_STEP_MS {
        app.store.touch_session(&id, now).await?;
    }
    Ok(Who { session })
}

/// Checks that a keeper signed the request: one that an owner has named in the directory, or whose public key this machine's operator has put into
/// `keepers/NAME.pub` in the data directory (where everything that a keeper gets lies anyway).
///
/// # Errors
/// `signature`, `bad-time`, `replayed`, `busy`.
pub async fn check_keeper(app: &App, headers: &HeaderMap, covered: &Covered<'_>, now: Timestamp) -> Result<(), Refusal> {
    let name = headers.get("subrosa-keeper").and_then(|v| v.to_str().ok()).filter(|n| keeper_name_ok(n)).ok_or(UNSIGNED)?;
    if app.shared {
        app.refresh().await?;
    }
    let named = app.directory()?.witnesses().get(name).copied();
    let key = named.or_else(|| keeper_of_operator(app, name)).ok_or(Refusal::unsigned(
        "keeper",
        "This keeper is not known here. An owner adds it under Backup, with the line that the keeper printed.",
    ))?;
    verify(app, headers, covered, SessionId::default(), &key, now).await
}

fn keeper_name_ok(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

fn keeper_of_operator(app: &App, name: &str) -> Option<VerifyingKey> {
    let text = std::fs::read_to_string(app.config.data_dir.join("keepers").join(format!("{name}.pub"))).ok()?;
    let bytes: [u8; 32] = subrosa_crypto::from_base64url(text.trim())?.try_into().ok()?;
    VerifyingKey::from_bytes(bytes).ok()
}

/// Checks a request's signature by a key, and that it is served once.
///
/// # Errors
/// `signature`, `bad-time`, `replayed`, `busy`.
pub async fn verify(app: &App, headers: &HeaderMap, covered: &Covered<'_>, session: SessionId, key: &VerifyingKey, now: Timestamp) -> Result<(), Refusal> {
    let header = headers.get("subrosa-signature").and_then(|v| v.to_str().ok()).ok_or(UNSIGNED)?;
    let signature = RequestSignature::parse(header).map_err(|_| UNSIGNED)?;
    signature.verify(key, session, covered.method, covered.path, sha256(&[covered.body]), now).map_err(|e| match e {
        ProtocolError::BadTime => BAD_TIME,
        _ => UNSIGNED,
    })?;
    let first = if app.shared {
        app.store.use_nonce(&session, &signature.nonce, now).await?
    } else {
        match app.served.once(session, signature.nonce, signature.at, now) {
            Ok(()) => true,
            Err(NotServed::Replayed) => false,
            Err(NotServed::BeforeStart) => return Err(BAD_TIME.after(2)),
            Err(NotServed::Full) => {
                return Err(Refusal::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, "busy", "The server is busy. Try again in a moment.").after(60));
            }
        }
    };
    if first { Ok(()) } else { Err(Refusal::unsigned("replayed", "This request was already served once. If you did not send it twice, somebody copied it; it had no effect.")) }
}

const BAD_TIME: Refusal = Refusal::unsigned("bad-time", "The clock of this device differs from the server's. Set it right, then try again.");
