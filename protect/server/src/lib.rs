//! The server: HTTP in front of the store, sessions, the release gate, and what is done on the server's own clock.
//!
//! It holds ciphertext, opaque ids and who asked for what; never a name, a note or a key that opens one. Passkeys sign in, and each request is signed by a key that the passkey's
//! challenge is bound to. Every release of a wrap or a ciphertext is in the access ledger before it is answered; who may is asked of the table in `subrosa_protocol::whomay`, how much of
//! `subrosa_protocol::pace`, both under the store's one lock.
//!
//! What it never does: open what members seal, log a text that came with a request, answer before it has recorded, or load anything from another host.
//!
//! It follows: WebAuthn level 3 (webauthn-rs), C2SP tlog-checkpoint, RFC 9110, OpenAPI 3.1, and the messages of `subrosa_protocol::api`.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), subrosa_server::StartError> {
//! # let folder = std::env::temp_dir().join(format!("subrosa-doc-{}", std::process::id()));
//! use subrosa_server::{Layer, Server};
//! let layer = Layer { data_dir: Some(folder.clone()), listen: Some("127.0.0.1:0".into()), ..Layer::default() };
//! let running = Server::new(layer.finish()?).start().await?;
//! println!("{} {}", running.address(), running.setup_link().unwrap_or_default());
//! running.stop().await;
//! # let _ = std::fs::remove_dir_all(folder);
//! # Ok(())
//! # }
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod acme;
mod app;
mod assets;
mod auth;
mod call;
mod clock;
mod codec;
mod config;
mod connections;
mod demo;
mod error;
mod headers;
mod host;
mod http;
mod idempotency;
pub mod jobs;
mod limits;
mod log;
mod metrics;
mod openapi;
mod passkey;
mod record;
mod routes;
mod running;
mod seals;
mod signin;
mod standing;
mod tls;

pub use app::App;
pub use assets::{Asset, Assets};
pub use clock::Clock;
pub use demo::PASSPHRASE as DEMO_PASSPHRASE;
pub use acme::AcmeError;
pub use config::{AcmeSettings, Config, ConfigError, Layer, TlsFiles};
pub use error::Refusal;
pub use openapi::document as openapi_document;
pub use running::{Running, Server, StartError};
