//! The one place where the server reads the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use subrosa_model::Timestamp;

/// Where the time comes from.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    moved: Arc<AtomicI64>,
}

impl Clock {
    /// The system's time, moved by what [`Clock::advance`] added.
    pub fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)).plus(self.moved.load(Ordering::Relaxed))
    }

    /// Moves this clock forward, in milliseconds: rehearsals and tests of things that wait for days. Nothing that comes over the network reaches it.
    pub fn advance(&self, ms: i64) {
        self.moved.fetch_add(ms.max(0), Ordering::Relaxed);
    }
}
