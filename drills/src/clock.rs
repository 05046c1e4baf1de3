//! A clock that drills set ahead, for the server and its clients alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use subrosa_client::{Clock, SystemClock};
use subrosa_model::Timestamp;

/// The machine's clock, some milliseconds ahead. A clone shows the same time.
#[derive(Debug, Clone, Default)]
pub struct Ahead(Arc<AtomicI64>);

impl Ahead {
    /// Sets it further ahead.
    pub fn by(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }

    /// The variable that sets a server ahead by as much.
    pub fn variable(&self) -> (&'static str, String) {
        ("SUBROSA_CLOCK_AHEAD_MS", self.0.load(Ordering::Relaxed).to_string())
    }
}

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus(self.0.load(Ordering::Relaxed))
    }
}
