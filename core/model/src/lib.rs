//! The words of Subrosa as types: ids, compartments, roles, times.
//!
//! What this crate never does: cryptography, I/O, reading a clock. It depends on no other crate of the house, and everything else depends on it.
//!
//! ```
//! use subrosa_model::{ChartId, Compartment};
//! let chart: ChartId = "000102030405060708090a0b0c0d0e0f".parse()?;
//! assert_eq!(chart.to_string(), "000102030405060708090a0b0c0d0e0f");
//! assert_eq!(Compartment::ALL.len(), 5);
//! # Ok::<(), subrosa_model::BadText>(())
//! ```

mod bytes;
mod id;
mod words;


pub use bytes::Bytes;
pub use id::{
    BadText, ChartId, DeviceId, EntryId, Hash32, InvitationId, KeyId, MemberId, OrderId, PracticeId,
    RelationId, SessionId, TeamId,
};
pub use words::{CareKind, Compartment, Role, TeamKind, Timestamp};
