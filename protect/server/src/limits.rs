//! Rate limits and replay memory, both bounded in size.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use subrosa_model::{SessionId, Timestamp};
use subrosa_protocol::session::MAX_SKEW_MS;

/// Most callers remembered at once. When it is full the memory is emptied: a flood from many addresses costs everybody a fresh start, not memory.
const MAX_CALLERS: usize = 100_000;

/// A bucket per caller that fills evenly and allows a burst of one minute's worth.
#[derive(Debug)]
pub struct RateLimit<K> {
    per_minute: u32,
    buckets: Mutex<HashMap<K, (f64, Timestamp)>>,
}

impl<K: Eq + Hash> RateLimit<K> {
    /// So many requests a minute for each caller.
    pub fn new(per_minute: u32) -> Self {
        RateLimit { per_minute, buckets: Mutex::new(HashMap::new()) }
    }

    /// Takes one request of `caller`. Else: seconds until the next is allowed.
    ///
    /// # Errors
    /// The wait in seconds.
    pub fn take(&self, caller: K, now: Timestamp) -> Result<(), u64> {
        let full = f64::from(self.per_minute);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_CALLERS && !buckets.contains_key(&caller) {
            buckets.retain(|_, (_, at)| now.since(*at) < Timestamp::MINUTE);
            if buckets.len() >= MAX_CALLERS {
                buckets.clear();
            }
        }
        let (left, at) = buckets.entry(caller).or_insert((full, now));
        let refill = now.since(*at).max(0) as f64 * full / Timestamp::MINUTE as f64;
        *left = (*left + refill).min(full);
        *at = now.max(*at);
        if *left >= 1.0 {
            *left -= 1.0;
            Ok(())
        } else {
            Err(((1.0 - *left) * 60.0 / full).ceil().max(1.0) as u64)
        }
    }
}

/// Most signatures remembered at once, over all sessions.
const MAX_NONCES: usize = 2_000_000;

/// Which request signatures were served: each once. Older ones than the allowed skew are refused by their time and need no memory.
#[derive(Debug)]
pub struct Served {
    started: Timestamp,
    seen: Mutex<Windows>,
}

#[derive(Debug, Default)]
struct Windows {
    since: Timestamp,
    new: HashMap<(SessionId, [u8; 16]), ()>,
    old: HashMap<(SessionId, [u8; 16]), ()>,
}

/// Why a signature is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotServed {
    /// It was served before.
    Replayed,
    /// It was made before this server started, which cannot know whether it was served.
    BeforeStart,
    /// Too many requests in a short time to remember them.
    Full,
}

impl Served {
    /// An empty memory of a server that starts now.
    pub fn new(started: Timestamp) -> Self {
        Served { started, seen: Mutex::new(Windows { since: started, ..Windows::default() }) }
    }

    /// Notes a signature whose time was already found to be within the skew of `now`.
    ///
    /// # Errors
    /// [`NotServed`].
    pub fn once(&self, session: SessionId, nonce: [u8; 16], at: Timestamp, now: Timestamp) -> Result<(), NotServed> {
        if at < self.started {
            return Err(NotServed::BeforeStart);
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // A signature is acceptable for at most twice the skew after it was first seen, so two windows of that length hold every one that counts.
        let gone = now.since(seen.since);
        if gone >= 2 * MAX_SKEW_MS {
            let new = std::mem::take(&mut seen.new);
            seen.old = if gone >= 4 * MAX_SKEW_MS { HashMap::new() } else { new };
            seen.since = now;
        }
        let key = (session, nonce);
        if seen.old.contains_key(&key) || seen.new.contains_key(&key) {
            return Err(NotServed::Replayed);
        }
        if seen.new.len() >= MAX_NONCES {
            return Err(NotServed::Full);
        }
        seen.new.insert(key, ());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_caller_gets_a_minutes_worth_and_then_waits() {
        let limit = RateLimit::new(60);
        let now = Timestamp(1_000_000);
        for _ in 0..60 {
            limit.take(1, now).unwrap();
        }
        assert_eq!(limit.take(1, now), Err(1));
        assert_eq!(limit.take(2, now), Ok(()));
        assert_eq!(limit.take(1, now.plus(1000)), Ok(()));
        assert!(limit.take(1, now.plus(1000)).is_err());
    }

    #[test]
    fn a_clock_that_goes_back_gives_nobody_more() {
        let limit = RateLimit::new(1);
        limit.take(1, Timestamp(1_000_000)).unwrap();
        assert!(limit.take(1, Timestamp(0)).is_err());
        assert!(limit.take(1, Timestamp(1_000_001)).is_err());
    }

    #[test]
    fn a_signature_is_served_once_for_as_long_as_its_time_is_accepted() {
        let start = Timestamp(10_000_000);
        let served = Served::new(start);
        let (session, nonce) = (SessionId([1; 16]), [7; 16]);
        let at = start.plus(MAX_SKEW_MS);
        served.once(session, nonce, at, start).unwrap();
        for later in (0..=2 * MAX_SKEW_MS).step_by(1000) {
            assert_eq!(served.once(session, nonce, at, start.plus(later)), Err(NotServed::Replayed));
            let _ = served.once(session, (later as u128 + 100).to_be_bytes(), at, start.plus(later));
        }
        assert_eq!(served.once(SessionId([2; 16]), nonce, at, start.plus(2 * MAX_SKEW_MS)), Ok(()));
        assert_eq!(served.once(session, [8; 16], start.plus(-1), start), Err(NotServed::BeforeStart));
    }
}
