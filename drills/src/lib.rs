//! The drills: attacks replayed against the real server, each with its control.
//!
//! A drill works on a scratch practice of its own in a folder of its own, says so, measures what got out, and runs its *control* beside it: the same search over
//! planted leaks, or the same changes with nothing to refuse. A drill whose control finds nothing has failed.
//!
//! What this crate never does: touch a practice that somebody uses, print a mark or a key, or count something that it could not read as clean.
//!
//! ```
//! use subrosa_drills::search::{Findings, Needles};
//! let mut needles = Needles::new();
//! let mark = needles.mark("a note", "the grey heron over Tarrow Weir")?;
//! let searcher = needles.build()?;
//! let mut findings = Findings::default();
//! searcher.search("log", b"POST /v1 body=VGhlIGdyZXkgaGVyb24gb3ZlciBUYXJyb3cgV2Vpcg", &mut findings);
//! searcher.search("log", b"dGhlIGdyZXkgaGVyb24gb3ZlciBUYXJyb3cgV2Vpcg", &mut findings);
//! assert!(findings.found(mark, "log"));
//! # Ok::<(), subrosa_drills::search::SearchError>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod clock;
pub mod control;
pub mod corpus;
pub mod device;
pub mod drill;
pub mod keystore;
pub mod practice;
pub mod search;
pub mod secrets;
pub mod server;
pub mod tamper;
pub mod theft;
pub mod total_loss;
pub mod wire;

pub use drill::{DrillError, Options, Outcome};
