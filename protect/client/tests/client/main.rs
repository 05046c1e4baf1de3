//! The client against the real server: as it should go, and with a hostile server in between.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod first_day;
mod hostile;
mod hostile_door;
mod import;
mod people;
mod practice;
mod size;
mod witnessed;
