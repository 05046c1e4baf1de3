//! Named places at which a test (or a drill) stops the process as a power cut would.
//!
//! In builds with debug assertions or the feature `crash-points`, a process with `SUBROSA_CRASH=<name>` in its environment aborts there; with `<name>:3` when it comes there
//! for the third time. In other builds nothing is compiled in.

#[cfg(any(debug_assertions, feature = "crash-points"))]
use std::sync::atomic::{AtomicU64, Ordering};

/// Every crash point, in the order of the code.
pub const POINTS: &[&str] = &[
    "commit-before-keys",
    "commit-keys-before",
    "commit-keys-after",
    "commit-before",
    "commit-after",
    "object-after-put",
    "erase-recorded",
    "erase-new-key-written",
    "erase-resealed",
    "erase-done",
    "migrate-before-commit",
    "restore-keys-written",
    "restore-half",
];

/// Aborts the process here if this point was chosen.
#[cfg(any(debug_assertions, feature = "crash-points"))]
pub fn point(name: &'static str) {
    debug_assert!(POINTS.contains(&name));
    static PASSED: AtomicU64 = AtomicU64::new(0);
    let Ok(chosen) = std::env::var("SUBROSA_CRASH") else { return };
    let (chosen, times) = chosen.split_once(':').map_or((chosen.as_str(), 1), |(name, times)| (name, times.parse().unwrap_or(1)));
    if chosen == name && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == times {
        tracing::error!(name, "stopping at a crash point, as asked");
        std::process::abort();
    }
}

/// Aborts the process here if this point was chosen. Compiled out.
#[cfg(not(any(debug_assertions, feature = "crash-points")))]
#[inline(always)]
pub fn point(_name: &'static str) {}
