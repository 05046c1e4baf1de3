//! One file for each subcommand.

pub mod config;
pub mod serve;
