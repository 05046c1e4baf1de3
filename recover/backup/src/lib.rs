//! The backup set: what a copy of a practice looks like on disk, how it is written so that a crash leaves it whole, and how it is checked.
//!
//! A set holds ciphertext only. `work/` mirrors the journal in segments that chain by hash, the attachments' ciphertexts and the copies of the
//! key store (sealed to the practice kit); `restic/` is a repository in restic's format over `work/`, which plain `restic` can read too.
//!
//! What this crate never does: open an entry, hold a member's key, speak HTTP or SQL, delete anything on somebody else's word.
//!
//! ```no_run
//! use subrosa_backup::{BackupSet, Record};
//! # fn demo(practice: subrosa_model::PracticeId, records: Vec<Record>) -> Result<(), subrosa_backup::BackupError> {
//! let mut set = BackupSet::open_or_make("/mnt/disk/practice".as_ref(), practice)?;
//! set.append(records)?;
//! assert!(set.check()?.is_whole());
//! # Ok(()) }
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod error;
mod files;
mod repository;
mod set;
mod verify;

pub use error::BackupError;
pub use files::{read_bounded, write_whole};
pub use repository::{Repository, SnapshotInfo};
pub use set::{BackupSet, Checked, KeyFile, Record};
pub use verify::{Found, Verifier};
