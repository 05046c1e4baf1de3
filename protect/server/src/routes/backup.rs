//! State of backup and witness.

use subrosa_protocol::whomay::{Action, Standing, Verdict, may};

use crate::call::{Answer, Call};
use crate::standing::NEVER;

/// `GET /v1/backup`.
pub async fn state(call: Call) -> Answer {
    let (app, who) = (&call.app, call.who()?);
    let directory = app.directory()?;
    if may(who.info(&directory)?.role, Action::SeeBackup, Standing::Foreign) != Verdict::Yes {
        return Err(NEVER);
    }
    call.reply(&app.store.backup_state().await?)
}
