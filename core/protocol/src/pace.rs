//! Pace: the hard counters of the gate. They are the bound on what one deceived or stolen session can take; the watch only tightens them.
//!
//! Counted per member over all sessions and devices, in the transaction that records the release.

use subrosa_model::{Role, Timestamp};

/// The bounds. There is one set for everybody: a practice that could loosen them would be talked into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Different charts without a standing care relation, from one review to the next.
    pub foreign: u32,
    /// Different charts of one's own in `own_window_ms` without a fresh passkey.
    pub own_burst: u32,
    /// Length of that window, in milliseconds.
    pub own_window_ms: i64,
    /// How long a passkey counts as fresh, in milliseconds.
    pub fresh_ms: i64,
    /// Different names that a front desk may open without an appointment in reach, from one review to the next.
    pub desk_names: u32,
}

/// The bounds in force.
pub const LIMITS: Limits =
    Limits { foreign: 20, own_burst: 8, own_window_ms: 10 * Timestamp::MINUTE, fresh_ms: 2 * Timestamp::MINUTE, desk_names: 45 };

/// What the counters say of a member at the moment of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Different foreign charts since the last review, not counting those asked for now.
    pub foreign: u32,
    /// Different own charts in the window, not counting those asked for now.
    pub own_recent: u32,
    /// When this session last showed a passkey.
    pub passkey_at: Timestamp,
}

/// What is asked for now: only charts that are not yet in the respective counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// How many new foreign charts.
    pub foreign: u32,
    /// How many new own charts.
    pub own: u32,
}

/// What the gate does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Release.
    Open,
    /// Ask for the passkey first, then again.
    Passkey,
    /// Stop until somebody else has reviewed (in a practice of one: a fresh passkey and 24 h).
    Stop,
}

/// Decides; pure. `Count` and `Asked` are read under the lock that the release is recorded under.
pub fn decide(role: Role, count: Count, asked: Asked, now: Timestamp, limits: &Limits) -> Gate {
    let bound = match role {
        Role::FrontDesk | Role::Billing => limits.desk_names,
        _ => limits.foreign,
    };
    if asked.foreign > 0 && count.foreign.saturating_add(asked.foreign) > bound {
        return Gate::Stop;
    }
    let fresh = now.since(count.passkey_at) <= limits.fresh_ms && now >= count.passkey_at;
    if asked.own > 0 && !fresh && count.own_recent.saturating_add(asked.own) > limits.own_burst {
        return Gate::Passkey;
    }
    Gate::Open
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp(ms)
    }

    #[test]
    fn the_twenty_first_foreign_chart_is_refused_even_with_a_fresh_passkey() {
        let mut opened = 0;
        for _ in 0..1000 {
            let count = Count { foreign: opened, own_recent: 0, passkey_at: at(0) };
            if decide(Role::Clinician, count, Asked { foreign: 1, own: 0 }, at(1), &LIMITS) == Gate::Open {
                opened += 1;
            }
        }
        assert_eq!(opened, 20);
    }

    #[test]
    fn asking_for_many_at_once_does_not_pass_the_bound() {
        let count = Count { foreign: 0, own_recent: 0, passkey_at: at(0) };
        assert_eq!(decide(Role::Owner, count, Asked { foreign: 21, own: 0 }, at(1), &LIMITS), Gate::Stop);
        assert_eq!(decide(Role::Owner, count, Asked { foreign: u32::MAX, own: 0 }, at(1), &LIMITS), Gate::Stop);
    }

    #[test]
    fn the_ninth_own_chart_in_ten_minutes_needs_a_fresh_passkey() {
        let stale = Count { foreign: 0, own_recent: 8, passkey_at: at(0) };
        let now = at(LIMITS.fresh_ms + 1);
        assert_eq!(decide(Role::Clinician, stale, Asked { foreign: 0, own: 1 }, now, &LIMITS), Gate::Passkey);
        let fresh = Count { passkey_at: now, ..stale };
        assert_eq!(decide(Role::Clinician, fresh, Asked { foreign: 0, own: 1 }, now, &LIMITS), Gate::Open);
    }

    #[test]
    fn a_passkey_from_the_future_is_not_fresh() {
        let count = Count { foreign: 0, own_recent: 8, passkey_at: at(10_000_000) };
        assert_eq!(decide(Role::Clinician, count, Asked { foreign: 0, own: 1 }, at(5), &LIMITS), Gate::Passkey);
    }
}
