//! Counts for whoever watches the machine, in Prometheus' text format. Numbers only: no id, no address, no name.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the histogram's buckets, in milliseconds.
const BUCKETS_MS: [u64; 8] = [5, 10, 25, 50, 100, 250, 1000, 5000];

/// The server's counters.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<(&'static str, &'static str, u16), u64>>,
    refusals: Mutex<BTreeMap<&'static str, u64>>,
    buckets: [AtomicU64; BUCKETS_MS.len()],
    count: AtomicU64,
    sum_us: AtomicU64,
    in_flight: AtomicI64,
}

impl Metrics {
    /// One more request is being worked on.
    pub fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// A request was answered. `route` is the pattern, never the path as sent.
    pub fn end(&self, method: &'static str, route: &'static str, status: u16, took: Duration) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        *self.requests.lock().unwrap_or_else(PoisonError::into_inner).entry((method, route, status)).or_default() += 1;
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        for (bucket, bound) in self.buckets.iter().zip(BUCKETS_MS) {
            if ms <= bound {
                bucket.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(u64::try_from(took.as_micros()).unwrap_or(0), Ordering::Relaxed);
    }

    /// A refusal with this code was given.
    pub fn refused(&self, code: &'static str) {
        *self.refusals.lock().unwrap_or_else(PoisonError::into_inner).entry(code).or_default() += 1;
    }

    /// Everything in Prometheus' text format. `gauges`: further values with their help texts.
    pub fn text(&self, gauges: &[(&'static str, &'static str, u64)]) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "# HELP subrosa_requests_total Requests answered.\n# TYPE subrosa_requests_total counter");
        for ((method, route, status), n) in self.requests.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = writeln!(out, "subrosa_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}} {n}");
        }
        let _ = writeln!(out, "# HELP subrosa_refusals_total Refusals by code.\n# TYPE subrosa_refusals_total counter");
        for (code, n) in self.refusals.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = writeln!(out, "subrosa_refusals_total{{code=\"{code}\"}} {n}");
        }
        let _ = writeln!(out, "# HELP subrosa_request_seconds Time to answer.\n# TYPE subrosa_request_seconds histogram");
        for (bucket, bound) in self.buckets.iter().zip(BUCKETS_MS) {
            let _ = writeln!(out, "subrosa_request_seconds_bucket{{le=\"{}\"}} {}", bound as f64 / 1000.0, bucket.load(Ordering::Relaxed));
        }
        let count = self.count.load(Ordering::Relaxed);
        let _ = writeln!(out, "subrosa_request_seconds_bucket{{le=\"+Inf\"}} {count}");
        let _ = writeln!(out, "subrosa_request_seconds_sum {}", self.sum_us.load(Ordering::Relaxed) as f64 / 1e6);
        let _ = writeln!(out, "subrosa_request_seconds_count {count}");
        let _ = writeln!(out, "# HELP subrosa_in_flight Requests being worked on.\n# TYPE subrosa_in_flight gauge");
        let _ = writeln!(out, "subrosa_in_flight {}", self.in_flight.load(Ordering::Relaxed).max(0));
        for (name, help, value) in gauges {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
        }
        out
    }
}
