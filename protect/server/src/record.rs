//! What the access ledger is told.

use subrosa_model::{ChartId, Compartment, Hash32, PracticeId, Timestamp};
use subrosa_protocol::access::{AccessEvent, What};

use crate::app::Who;

/// An event of a member's act, not yet on a chart.
pub fn event(practice: PracticeId, what: What, who: &Who, now: Timestamp, request: Hash32) -> AccessEvent {
    AccessEvent {
        practice,
        what,
        member: Some(who.member()),
        device: who.device(),
        session: Some(who.session.session),
        chart: None,
        compartments: Vec::new(),
        at: now,
        request,
        related: false,
    }
}

/// The same on a chart.
pub fn on_chart(event: &AccessEvent, chart: ChartId, compartments: &[Compartment], related: bool) -> AccessEvent {
    AccessEvent { chart: Some(chart), compartments: compartments.to_vec(), related, ..event.clone() }
}
