//! One file for each subcommand.

pub mod bench;
pub mod config;
pub mod demo;
pub mod drill;
pub mod import;
pub mod keep;
pub mod link;
pub mod restore;
pub mod serve;
pub mod verify;
pub mod witness;

use std::future::Future;

use crate::out::Failure;

/// Runs a command that waits for things.
pub fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|e| Failure::failed("runtime", format!("This could not start: {e}")))?;
    runtime.block_on(work)
}
