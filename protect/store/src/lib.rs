//! Where a practice's data lies: a journal of every durable change, what is drawn from it, the key store, and the attachments. On SQLite or PostgreSQL.
//!
//! - **The journal is the store.** Every durable change is one record, written in the transaction of the tables drawn from it. The tables can be made again from the journal.
//! - **Recorded before released.** [`Store::commit`] runs the caller's decision under the practice's one locked ledger head, with the pace counters read under that lock;
//!   ledger leaves, map root, checkpoint, counters and journal are one transaction, and the answer comes after it.
//! - **Keys apart.** Wraps, seals and shares lie in a second database, each row sealed under a store key that lies in neither database and in no backup.
//!
//! What it never does: decide who may (the caller's closure does), verify signatures that the caller has verified, read a clock, open anything a member sealed.
//!
//! It follows the ledger crate's RFC 6962 trees and C2SP checkpoints; the write path is group commit with one writer per process, serialised over processes by the head row's lock.
//!
//! ```
//! # async fn example(dir: &std::path::Path) -> Result<(), subrosa_store::StoreError> {
//! use subrosa_model::Timestamp;
//! use subrosa_store::{Config, Done, Needs, Plan, Store};
//! let store = Store::open(Config::sqlite(dir)).await?;
//! let now = Timestamp(1_700_000_000_000);
//! if store.practice().is_some() {
//!     let done = store.commit(now, Needs::default(), |view| Plan::accept(view.ledger_size)).await?;
//!     if let Done::New { verdict, .. } = done {
//!         println!("{verdict} leaves");
//!     }
//! }
//! store.close().await;
//! # Ok(())
//! # }
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod backup;
mod change;
mod config;
pub mod crash;
mod disk;
mod erase;
mod error;
mod keys;
mod member;
mod objects;
mod plan;
mod project;
mod proofs;
mod read;
mod received;
mod rebuild;
mod roster;
mod schema;
mod short;
mod sql;
mod store;
mod verify;
mod view;
mod writer;

pub use backup::{JournalRecord, KeyCopy};
pub use change::{KitUseState, Log};
pub use config::{Backend, Config};
pub use erase::ErasureDone;
pub use error::StoreError;
pub use member::{CheckpointRow, CredentialRow, InvitationRow, KitRow, KitUseRow};
pub use plan::{ChartState, CustodyHalf, Done, Needs, PaceMark, Plan, Receipt, RelationRow, Snapshot, View, Write};
pub use read::Targets;
pub use roster::RosterRows;
pub use short::SessionRow;
pub use store::Store;
pub use verify::VerifyReport;
