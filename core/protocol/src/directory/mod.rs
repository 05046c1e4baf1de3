//! The directory log: members, devices, teams, epochs, policy, orders, holds and keys, as signed statements that every client replays.
//!
//! A statement names its place ([`Directive::seq`]) and the hash of the statement before it, so it holds in one place only: it can be neither
//! replayed, reordered nor left out. [`Directory::apply`] is the only way in, for server and client alike.

mod act;
mod replay;
mod rules;

pub use act::{Act, Recipient, DeviceInfo, Directive, EpochInfo, HoldInfo, MemberInfo, OrderInfo, OrderKind, Policy, TeamInfo};
pub use replay::{Applied, Directory};
pub use rules::{Authority, needed, root_may};
