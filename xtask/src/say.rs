//! One way to tell the person at the terminal what happens, with the time since the start.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

static START: OnceLock<Instant> = OnceLock::new();

/// Time since the first line was said.
pub fn elapsed() -> Duration {
    START.get_or_init(Instant::now).elapsed()
}

/// `3:07` for three minutes and seven seconds.
pub fn minutes(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

/// Prints one line with the elapsed time before it.
pub fn line(text: &str) {
    eprintln!("[{:>5}] {text}", minutes(elapsed()));
}
