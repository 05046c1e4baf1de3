//! What anybody may know.

use subrosa_protocol::api::{Hello, PROTOCOL};
use subrosa_store::Log;

use crate::call::{Answer, Call, Reply};
use crate::error::Refusal;
use crate::http::LOWEST_PROTOCOL;

/// `GET /v1/hello`.
pub async fn hello(call: Call) -> Answer {
    let app = &call.app;
    call.reply(&Hello {
        protocol: (LOWEST_PROTOCOL, PROTOCOL),
        practice: app.store.practice(),
        demo: app.demo.is(),
        now: call.now,
        host: app.config.host.clone(),
        log_key: Some(app.store.log_key()),
    })
}

/// `GET /v1/demo`.
pub async fn demo(call: Call) -> Answer {
    let demo = &call.app.demo;
    match demo.entry() {
        Some(entry) => call.reply(&entry),
        None if demo.is() => Err(Refusal::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, "demo-filling", "The demonstration is being filled. Try again in a moment.").after(2)),
        None => Err(Refusal::missing("There is nothing at this address.")),
    }
}

/// `GET /health`.
pub async fn health(call: Call) -> Answer {
    if call.app.store.practice().is_some() {
        call.app.store.checkpoint(Log::Access).await?;
    }
    Ok(Reply::text("ok\n"))
}

/// `GET /metrics`: to this machine only, since even counts say how busy a practice is.
pub async fn metrics(call: Call) -> Answer {
    if !call.peer.is_loopback() {
        return Err(Refusal::missing("There is nothing at this address."));
    }
    let app = &call.app;
    let ledger = match app.store.practice() {
        Some(_) => app.store.checkpoint(Log::Access).await?.map_or(0, |c| c.size),
        None => 0,
    };
    let directory = app.directory().map_or(0, |d| d.size());
    let text = app.metrics.text(&[
        ("subrosa_ledger_leaves", "Leaves in the access ledger.", ledger),
        ("subrosa_directory_statements", "Statements in the directory log.", directory),
    ]);
    Ok(Reply { media: "text/plain; version=0.0.4; charset=utf-8", ..Reply::text(text) })
}

/// `GET /openapi.json`.
pub async fn openapi(_: Call) -> Answer {
    let content = serde_json::to_vec(&crate::openapi::document()).map_err(|_| Refusal::internal("openapi"))?;
    Ok(Reply { status: axum::http::StatusCode::OK, media: "application/json", content })
}
