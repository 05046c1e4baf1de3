//! What the ledger promises, as sentences. One binary, so that it links once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod frozen;
mod hostile;
mod known_answers;
mod map;
mod messages;
mod notes;
mod oracles;
mod proofs;
mod tiles;
mod witnesses;
