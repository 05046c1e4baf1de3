//! What the server does on its own clock: orders are carried out, what has run out is dropped.

use std::sync::Arc;
use std::time::Duration;

use subrosa_model::{ChartId, OrderId, Timestamp};
use subrosa_protocol::directory::{Directory, OrderInfo, OrderKind, Policy};

use crate::app::App;
use crate::error::Refusal;
use crate::log::{self, Word};

/// How often the background looks.
const EVERY: Duration = Duration::from_secs(30);

/// Runs until the server stops.
pub async fn run(app: Arc<App>, mut stop: tokio::sync::watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stop.changed() => return,
        }
        if let Err(refusal) = once(&app).await {
            log::warn("the background job will try again", &[("code", &Word(refusal.code))]);
        }
    }
}

/// One round: gives the charts that were erased.
///
/// # Errors
/// Those of the store.
pub async fn once(app: &App) -> Result<Vec<ChartId>, Refusal> {
    let now = app.clock.now();
    app.store.sweep(now).await?;
    app.refresh().await?;
    let Ok(directory) = app.directory() else { return Ok(Vec::new()) };
    let mut erased = Vec::new();
    for (order, info) in directory.orders() {
        let OrderKind::EraseChart { chart } = info.kind;
        if due(app, &directory, info, &chart, now).await? {
            app.store.erase(chart, *order, now).await?;
            carried_out(order);
            erased.push(chart);
        }
    }
    Ok(erased)
}

/// Whether an order is to be carried out: its delay has passed on this server's clock since it was received, no hold stands, and it was not carried out before.
async fn due(app: &App, directory: &Directory, info: &OrderInfo, chart: &ChartId, now: Timestamp) -> Result<bool, Refusal> {
    if directory.holds().get(chart).is_some_and(|h| h.until.is_none_or(|until| until > now)) {
        return Ok(false);
    }
    let Some(received) = app.store.directory_received(info.seq).await? else { return Ok(false) };
    if now.since(received) < info.delay_ms {
        return Ok(false);
    }
    let Some(young) = app.store.directory_received(info.young).await? else { return Ok(false) };
    if now.since(young) < Policy::MIN_SOLO_DELAY_MS {
        return Ok(false);
    }
    Ok(app.store.chart(chart).await?.is_some_and(|c| c.erased.is_none()))
}

fn carried_out(order: &OrderId) {
    log::warn("an erasure order was carried out", &[("order", order)]);
}
