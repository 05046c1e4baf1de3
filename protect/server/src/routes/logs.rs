//! Checkpoints of the two logs, for anybody: an origin, a size, a hash and signatures.

use subrosa_store::Log;

use crate::call::{Answer, Call, Reply};
use crate::error::Refusal;

/// `GET /log/{log}/checkpoint`.
pub async fn checkpoint(call: Call) -> Answer {
    let log = match call.params.first().map(String::as_str) {
        Some("access") => Log::Access,
        Some("directory") => Log::Directory,
        _ => return Err(Refusal::missing("There are two logs: access and directory.")),
    };
    let row = call.app.store.checkpoint(log).await?.ok_or(Refusal::missing("This log is still empty."))?;
    Ok(Reply::text(row.note))
}
