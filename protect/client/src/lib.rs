//! The member's side of Subrosa: set-up, unlock, verify, open, write, share, search. Native and in the browser.
//!
//! Everything that a server says is treated as said by an attacker: a directory is replayed and held against pins, a chart is opened only with proof that the
//! access was recorded first and that keys, authors, places and chains hold. Each attack has its own named [`ClientError`].
//!
//! What this crate never does: send a key, a passkey's PRF output, a name, a note or a search word; write to disk (the caller stores what it is given,
//! sealed); read a clock other than the [`Clock`] it was given. It follows `subrosa-protocol` for every format.
//!
//! ```no_run
//! use std::sync::Arc;
//! use subrosa_client::{Authenticator, Connection, HttpTransport, NewBody, SignIn, SystemClock, signin};
//! use subrosa_model::{ChartId, Compartment};
//!
//! # async fn example(passkey: &dyn Authenticator, chart: ChartId) -> Result<(), subrosa_client::ClientError> {
//! let conn = Connection::new(Arc::new(HttpTransport::new("http://localhost:7110")?), Arc::new(SystemClock));
//! let SignIn::Open(mut vault) = signin(&conn, passkey, None).await? else { return Ok(()) };
//! vault.write(chart, Compartment::Record, NewBody::note("Session 4", "Slept better.")).await?;
//! for entry in vault.open_chart(chart, &[Compartment::Record]).await?.entries {
//!     println!("{} versions", entry.versions.len());
//! }
//! # Ok(()) }
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

#[cfg(test)]
extern crate self as subrosa_client;

mod attachments;
mod charts;
mod clock;
mod connection;
mod device;
mod directory;
mod drafts;
#[cfg(feature = "drill-secrets")]
mod drill;
mod error;
#[cfg(target_arch = "wasm32")]
mod fetch;
mod fold;
#[cfg(test)]
mod frozen;
#[cfg(not(target_arch = "wasm32"))]
mod http;
mod import;
#[cfg(all(test, feature = "soft-passkey"))]
mod insider;
mod kit;
mod local;
mod looked;
mod offline;
mod open;
mod passkey;
mod people;
mod relations;
mod roster;
mod search;
mod setup;
mod signin;
#[cfg(all(feature = "soft-passkey", not(target_arch = "wasm32")))]
mod soft_passkey;
#[cfg(all(feature = "https", not(target_arch = "wasm32")))]
mod tls;
mod transport;
mod vault;
mod verify;
mod ways;
mod witness;
mod write;

pub use attachments::{MAX_FILE, NewFile};
pub use charts::IdentityDraft;
pub use clock::{Clock, SystemClock, TestClock};
pub use connection::Connection;
pub use device::{DeviceSecrets, MIN_PASSPHRASE, OfferedDevice, demo_signin, device_signin, offer_device};
pub use drafts::{DraftBody, DraftInfo};
pub use error::ClientError;
#[cfg(target_arch = "wasm32")]
pub use fetch::FetchTransport;
#[cfg(not(target_arch = "wasm32"))]
pub use http::HttpTransport;
pub use import::{ImportOptions, ImportProgress, ImportReport, ImportState, Skipped, split_full_url};
pub use kit::Kit;
pub use local::{HeadPin, Pins};
pub use looked::{Looked, LookedProof, check_looked_proof, log_name};
pub use offline::{CrisisChart, CrisisItem, CrisisSheet, Offline, open_offline};
pub use open::{OpenChart, OpenEntry, OpenVersion};
pub use passkey::{Authenticator, Credential, prf_salt};
pub use people::{Accepted, AcceptedInvite, Invitation, Invited, Proposal, Waiting, team_kinds};
pub use relations::RelationView;
pub use roster::{Found, Roster, RosterChange};
pub use setup::{SetupOptions, SetupOutcome, setup};
pub use signin::{KitUse, PendingWords, SignIn, kit_use, signin};
#[cfg(all(feature = "soft-passkey", not(target_arch = "wasm32")))]
pub use soft_passkey::SoftPasskey;
#[cfg(all(feature = "https", not(target_arch = "wasm32")))]
pub use tls::PinnedTransport;
pub use transport::{Fut, MAX_ANSWER, Request, Response, Shared, Transport};
pub use vault::Vault;
pub use witness::{WITNESS_WITHIN_MS, WitnessState};
pub use write::{NewBody, Written};

/// A member's or device's own secret keys.
pub(crate) struct PracticeKeys {
    pub(crate) sign: subrosa_crypto::SigningKey,
    pub(crate) hpke: subrosa_crypto::HpkeSecret,
}
