//! Drafts: one overwritten slot per author and entry; sealed, unsigned, not in the ledger.

use subrosa_model::EntryId;
use subrosa_protocol::api::{Draft, Drafts};
use subrosa_protocol::entry::MAX_BODY;
use subrosa_protocol::whomay::{Action, Standing, Verdict, may};

use crate::call::{Answer, Call, Reply};
use crate::error::Refusal;
use crate::standing::{NEVER, NO_CHART};

/// Most drafts of one member.
const MAX_DRAFTS: usize = 500;

/// `GET /v1/drafts`.
pub async fn list(call: Call) -> Answer {
    let drafts = call.app.store.drafts(&call.who()?.member()).await?;
    call.reply(&Drafts { drafts })
}

/// `PUT /v1/drafts/{entry}`.
pub async fn put(call: Call) -> Answer {
    let (app, who) = (&call.app, call.who()?);
    let entry: EntryId = call.param(0)?;
    let draft: Draft = call.read()?;
    if draft.entry != entry {
        return Err(Refusal::bad("malformed", "The draft belongs to another entry than the address says."));
    }
    if draft.sealed.len() > MAX_BODY + MAX_BODY / 4 {
        return Err(Refusal::too_large("The draft is larger than an entry may be."));
    }
    let directory = app.directory()?;
    let role = who.info(&directory)?.role;
    if may(role, Action::write(draft.compartment), Standing::Related) == Verdict::Never {
        return Err(NEVER);
    }
    if !draft.sealed.is_empty() {
        app.store.chart(&draft.chart).await?.filter(|c| c.erased.is_none()).ok_or(NO_CHART)?;
        let held = app.store.drafts(&who.member()).await?;
        if held.len() >= MAX_DRAFTS && held.iter().all(|d| d.entry != entry) {
            return Err(Refusal::too_large("Too many drafts are open. Finish or discard some first."));
        }
    }
    app.store.put_draft(&who.member(), &draft, call.now).await?;
    Ok(Reply::nothing())
}
