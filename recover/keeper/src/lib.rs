//! The keeper: another machine that takes copies, verifies them without any key, cosigns, and deletes nothing on the server's word.
//!
//! What it never does: hold a key that opens anything, follow an order that it has not verified in the directory itself, go on after it has seen two
//! histories of one log (it stops loudly and keeps what it has).
//!
//! It follows C2SP tlog-cosignature for what it signs, and `subrosa_backup` for how a copy lies on disk.
//!
//! ```no_run
//! use subrosa_keeper::{Keeper, KeeperKey, Server};
//! # async fn demo(practice: subrosa_model::PracticeId, now: subrosa_model::Timestamp) -> Result<(), subrosa_keeper::KeeperError> {
//! let key = KeeperKey::open_or_make("/mnt/disk".as_ref(), "attic")?;
//! let server = Server::at("http://localhost:7110", &key)?;
//! let mut keeper = Keeper::open("/mnt/disk".as_ref(), practice, key, None)?;
//! let round = keeper.round(&server, now, |_| {}).await?;
//! println!("{} records kept", round.kept);
//! # Ok(()) }
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod error;
mod key;
mod round;
mod source;
mod witness;

pub use error::KeeperError;
pub use key::KeeperKey;
pub use round::{Keeper, Progress, Round};
pub use source::{Server, Source};
pub use witness::Witness;
