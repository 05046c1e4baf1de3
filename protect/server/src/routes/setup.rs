//! Founding the practice: once, with the token that the server printed.

use subrosa_crypto::random;
use subrosa_model::{Hash32, Role};
use subrosa_protocol::access::What;
use subrosa_protocol::api::{CeremonyStart, SetupFinish};
use subrosa_protocol::directory::{Act, Directory};
use subrosa_store::Write;

use crate::app::Who;
use crate::call::{Answer, Call};
use crate::error::Refusal;
use crate::passkey::Kind;
use crate::signin::{self, NO_CEREMONY, Used};
use crate::{record, seals};

const FOUNDED: Refusal = Refusal::conflict("already-founded", "This practice has already been set up. Sign in, or ask an owner for an invitation.");
const TOKEN: Refusal = Refusal::forbidden("setup-token", "This set-up link is not valid. Use the link that the server printed when it was last started.");

/// `POST /v1/setup/start`.
pub async fn start(call: Call) -> Answer {
    let app = &call.app;
    if app.store.practice().is_some() {
        return Err(FOUNDED);
    }
    let ask: CeremonyStart = call.read()?;
    if !app.is_setup_token(&ask.token) {
        return Err(TOKEN);
    }
    let nonce = Hash32(random::make_bytes());
    let (options, state) = app.passkeys.begin_making(ask.member, &ask.label, &[], &nonce, &ask.session_key)?;
    let pending = signin::pending(Kind::Setup, ask.member, ask.session_key, nonce, state);
    call.reply(&signin::keep(app, call.now, &pending, options).await?)
}

/// `POST /v1/setup/finish`: the founding statements are replayed as any client will replay them.
pub async fn finish(call: Call) -> Answer {
    let (app, now) = (&call.app, call.now);
    if app.store.practice().is_some() {
        return Err(FOUNDED);
    }
    let ask: SetupFinish = call.read()?;
    let pending = signin::take(app, now, &ask.finish.ceremony).await?;
    if pending.kind != Kind::Setup {
        return Err(NO_CEREMONY);
    }
    let made = app.passkeys.finish_making(&pending.state, &ask.finish.credential)?;
    signin::check_way(&ask.way_in, &made.credential)?;
    if ask.repository.len() > 256 {
        return Err(Refusal::too_large("The backup password is larger than allowed."));
    }

    let mut directory = Directory::new(ask.practice);
    let mut applied = Vec::new();
    for entry in &ask.directory {
        applied.push(directory.apply(entry)?);
    }
    let log_key = app.store.log_key();
    if !matches!(applied.first().map(|a| &a.directive.act), Some(Act::Found { log_key: named, .. }) if *named == log_key) {
        return Err(Refusal::bad("log-key", "The founding statement names another ledger key than this server's. Start the set-up again."));
    }
    let only_owner = directory.members().len() == 1 && directory.member(&pending.member).is_some_and(|m| m.role == Role::Owner);
    if !only_owner {
        return Err(Refusal::bad("founding", "A practice is founded with one owner, whose passkey this is. Start the set-up again."));
    }
    seals::check_seals(&applied, &ask.seals)?;
    if seals::check_bundle(&applied, Some(&ask.bundle))? != Some((pending.member, 1)) {
        return Err(Refusal::bad("founding", "The founding statements do not name the owner's bundle. Start the set-up again."));
    }

    let member = pending.member;
    let session = signin::usual_session(member, None, pending.session_key, now);
    let who = Who { session: session.clone() };
    let event = record::event(ask.practice, What::SignedIn, &who, now, directory.head());
    let writes = vec![
        Write::Directory { at_size: 0, entries: ask.directory, seals: ask.seals },
        Write::Bundle { member, version: 1, sealed: ask.bundle },
        Write::Credential { credential: made.credential, member, json: made.json, active: true },
        Write::WayIn { member, wrapped: ask.way_in, active: true },
        Write::Repository { sealed: ask.repository },
    ];
    app.store.found(ask.practice, now, writes, vec![event]).await?;
    app.drop_setup_token();
    app.refresh().await?;
    app.store.put_session(&session).await?;
    crate::log::info("the practice was set up", &[("practice", &ask.practice)]);
    call.reply(&signin::signed_in(app, &session, Used::Credential(made.credential)).await?)
}
