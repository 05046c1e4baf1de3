//! State of backup and witness.

use subrosa_protocol::api::Witnessed;
use subrosa_protocol::whomay::{Action, Standing, Verdict, may};

use crate::call::{Answer, Call};
use crate::error::Refusal;
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

/// `GET /v1/witnessed?pin=N`.
pub async fn witnessed(call: Call) -> Answer {
    let store = &call.app.store;
    let pin = call.query("pin")?.unwrap_or(0);
    let none = || Refusal::missing("No witness has cosigned a checkpoint yet.");
    let cosigned = store.cosigned().await?.ok_or_else(none)?;
    let snapshot = store.snapshot().await?.ok_or_else(none)?;
    let consistency = store.extension(&snapshot, cosigned.size).await?.consistency;
    call.reply(&Witnessed { note: cosigned.note, extension: store.extension(&snapshot, pin).await?, consistency })
}
