//! Ceremonies kept until their other half arrives, and sessions begun with them.

use subrosa_crypto::{VerifyingKey, cbor, random};
use subrosa_model::{Bytes, DeviceId, Hash32, MemberId, SessionId, Timestamp};
use subrosa_protocol::api::{Ceremony, SealedBundle, SignedIn, WrappedBundleKey};
use subrosa_protocol::keys::WayIn;
use subrosa_store::SessionRow;

use crate::app::App;
use crate::auth::LIFE_MS;
use crate::error::Refusal;
use crate::passkey::{Kind, Pending};

/// How long a ceremony may take, in milliseconds.
pub const CEREMONY_MS: i64 = 10 * Timestamp::MINUTE;
/// Largest wrapped bundle key, in bytes.
const MAX_WRAPPED: usize = 4096;

/// Told when a ceremony is unknown, used or too old.
pub const NO_CEREMONY: Refusal = Refusal::bad("ceremony", "This took too long or was already used. Start again.");

/// Keeps the first half of a ceremony and gives what the browser needs.
///
/// # Errors
/// Those of the store.
pub async fn keep(app: &App, now: Timestamp, pending: &Pending, options: String) -> Result<Ceremony, Refusal> {
    let id = Hash32(random::make_bytes());
    app.store.put_ceremony(&id, now.plus(CEREMONY_MS), &cbor::encode(pending)).await?;
    Ok(Ceremony { ceremony: id, nonce: Bytes::from(pending.nonce.as_bytes().as_slice()), options })
}

/// Takes a ceremony, once.
///
/// # Errors
/// `ceremony`, or one of the store's.
pub async fn take(app: &App, now: Timestamp, id: &Hash32) -> Result<Pending, Refusal> {
    let body = app.store.take_ceremony(id, now).await?.ok_or(NO_CEREMONY)?;
    cbor::decode(&body).map_err(|_| NO_CEREMONY)
}

/// A ceremony's beginning, to be filled in with options and state.
pub fn pending(kind: Kind, member: MemberId, session_key: VerifyingKey, nonce: Hash32, state: String) -> Pending {
    Pending { kind, member, session_key, nonce, state }
}

/// A session that begins now.
pub fn session(member: MemberId, device: Option<DeviceId>, key: VerifyingKey, now: Timestamp, life: i64, restricted: bool) -> SessionRow {
    SessionRow {
        session: SessionId(random::make_bytes()),
        member,
        device,
        key,
        since: now,
        seen: now,
        until: now.plus(life),
        passkey_at: if device.is_none() && !restricted { now } else { Timestamp(0) },
        restricted,
    }
}

/// A session of the usual length.
pub fn usual_session(member: MemberId, device: Option<DeviceId>, key: VerifyingKey, now: Timestamp) -> SessionRow {
    session(member, device, key, now, LIFE_MS, false)
}

/// Checks that a way in is for this credential and of a size that a way in has.
///
/// # Errors
/// `hash-mismatch`, `too-large`.
pub fn check_way(way: &WrappedBundleKey, expected: &Hash32) -> Result<(), Refusal> {
    match &way.way {
        WayIn::Passkey { credential } | WayIn::Words { credential } if credential == expected => {}
        _ => return Err(Refusal::bad("hash-mismatch", "The way in that came along belongs to another passkey. Start again.")),
    }
    check_way_size(way)
}

/// Checks its size only.
///
/// # Errors
/// `too-large`.
pub fn check_way_size(way: &WrappedBundleKey) -> Result<(), Refusal> {
    if way.sealed.len() > MAX_WRAPPED || way.salt.len() > 64 || way.sealed.is_empty() {
        return Err(Refusal::too_large("The wrapped key is not of a size that wrapped keys have."));
    }
    Ok(())
}

/// What a signed-in client is told. `used`: the credential, or none for the kit's way in or a device.
///
/// # Errors
/// Those of the store.
pub async fn signed_in(app: &App, session: &SessionRow, used: Used) -> Result<SignedIn, Refusal> {
    let directory = app.directory()?;
    let ways = app.store.ways_in(&session.member).await?;
    let fits = |w: &WrappedBundleKey| match (&w.way, &used) {
        (WayIn::Passkey { credential } | WayIn::Words { credential }, Used::Credential(hash)) => credential == hash,
        (WayIn::Kit { number }, Used::Kit(n)) => number == n,
        _ => false,
    };
    let way_in = ways.iter().find(|w| fits(w)).cloned();
    let bundle = match (way_in, app.store.bundle(&session.member).await?) {
        (Some(way_in), Some((version, sealed))) => Some(SealedBundle { version, sealed, way_in }),
        _ => None,
    };
    Ok(SignedIn {
        session: session.session,
        practice: directory.practice(),
        member: session.member,
        bundle,
        until: session.until,
        ways_in: u32::try_from(ways.len()).unwrap_or(u32::MAX),
    })
}

/// Which way in was used.
#[derive(Debug, Clone, Copy)]
pub enum Used {
    /// A passkey, by the hash of its credential id.
    Credential(Hash32),
    /// The member kit of this number.
    Kit(u32),
    /// A linked device, which has keys of its own.
    Device,
}
