//! What a journal record says is [`subrosa_protocol::journal`], so that keeper and restore read it without a store.

pub(crate) use subrosa_protocol::journal::Change;
pub use subrosa_protocol::journal::{KitUseState, Log};
