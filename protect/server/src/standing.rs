//! How somebody stands to a chart, and what that allows.

use std::collections::BTreeMap;

use subrosa_model::{ChartId, MemberId, Role, Timestamp};
use subrosa_protocol::whomay::{Action, Standing, Verdict, may};
use subrosa_store::{ChartState, RelationRow, View};

use crate::error::Refusal;

/// Told where the table says never.
pub const NEVER: Refusal = Refusal::forbidden("never", "Your role does not include this, so it is not opened. If you need it for care, ask an owner.");
/// Told for charts that are not there.
pub const NO_CHART: Refusal = Refusal::new(axum::http::StatusCode::NOT_FOUND, "unknown-chart", "There is no such chart.");
/// Told for charts whose keys were destroyed.
pub const ERASED: Refusal = Refusal::new(axum::http::StatusCode::GONE, "erased", "This chart was erased on the practice's order. Nothing of it can be opened any more.");

/// Whether a relation stands now.
pub fn stands(row: &RelationRow, now: Timestamp) -> bool {
    row.counts_from.is_some_and(|from| from <= now) && row.relation.from <= now && row.relation.to.is_none_or(|to| to > now)
}

/// The standing of `member` to each of the charts that exist.
pub fn standings(view: &View, member: &MemberId, now: Timestamp) -> BTreeMap<ChartId, Standing> {
    let related = |chart: &ChartId| view.relations.iter().any(|r| r.relation.member == *member && r.relation.chart == *chart && stands(r, now));
    view.charts.keys().map(|c| (*c, if related(c) { Standing::Related } else { Standing::Foreign })).collect()
}

/// A chart that exists and was not erased.
///
/// # Errors
/// `unknown-chart`, `erased`.
pub fn living<'a>(view: &'a View, chart: &ChartId) -> Result<&'a ChartState, Refusal> {
    let state = view.charts.get(chart).ok_or(NO_CHART)?;
    if state.erased.is_some() { Err(ERASED) } else { Ok(state) }
}

/// Asks the table for several actions at once: whether any of them is counted.
///
/// # Errors
/// `never` if any of them is.
pub fn counted(role: Role, actions: impl IntoIterator<Item = Action>, standing: Standing) -> Result<bool, Refusal> {
    let mut counted = false;
    for action in actions {
        match may(role, action, standing) {
            Verdict::Yes => {}
            Verdict::Counted => counted = true,
            Verdict::Never => return Err(NEVER),
        }
    }
    Ok(counted)
}
