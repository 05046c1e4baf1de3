//! Clocks, and what the system says of a process.

use std::time::Duration;

/// The value below which `share` (0 to 1) of the sorted values lie, in milliseconds.
pub fn percentile(sorted: &[Duration], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let at = (share * last as f64).round() as usize;
    sorted.get(at.min(last)).map_or(0.0, |d| d.as_secs_f64() * 1e3)
}

/// Median of numbers.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match (values.len(), values.get(values.len() / 2)) {
        (0, _) | (_, None) => 0.0,
        (n, Some(upper)) if n % 2 == 1 => *upper,
        (n, Some(upper)) => values.get(n / 2 - 1).map_or(*upper, |lower| (lower + upper) / 2.0),
    }
}

/// Processor time that this thread has used: waiting, and others' use of the core, are not in it.
pub fn thread_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0))
}

/// Processor time that all threads of this process have used.
pub fn process_cpu() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let nanos = tasks.filter_map(|t| std::fs::read_to_string(t.path().join("schedstat")).ok()?.split(' ').next()?.parse::<u64>().ok()).sum();
    Duration::from_nanos(nanos)
}

/// A field of `/proc/PID/status` in megabytes (10^6 bytes): `VmRSS` now, `VmHWM` at most.
pub fn memory_mb(pid: u32, field: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix(field)?.strip_prefix(':')).unwrap_or_default();
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(f64::NAN);
    kib * 1024.0 / 1e6
}

/// How much of the machine others were using: the load average of the last minute, before a measurement begins.
pub fn load_average() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0.0)
}
