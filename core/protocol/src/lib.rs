//! What the practice's people and machines say to each other, and how every such statement is verified.
//!
//! Directory statements and their replay, entries, wraps, epochs, releases, care relations, sessions, bundles, invitations, orders:
//! each is a type here, with the one function that accepts it. Server, keeper, client and `subrosa verify` call the same functions.
//!
//! What this crate never does: I/O, a clock of its own (times come in as [`subrosa_model::Timestamp`]), or trusting what arrived:
//! the context of whatever is opened is built from what was *asked for*.
//!
//! ```
//! use subrosa_protocol::whomay::{may, Action, Standing, Verdict};
//! use subrosa_model::Role;
//! // A front desk never reads a clinical record, whatever its relation to the chart.
//! assert_eq!(may(Role::FrontDesk, Action::ReadRecord, Standing::Related), Verdict::Never);
//! ```

pub mod access;
pub mod api;
pub mod chart;
pub mod directory;
pub mod entry;
pub mod error;
pub mod journal;
pub mod keys;
pub mod pace;
pub mod session;
pub mod whomay;

pub use error::ProtocolError;
