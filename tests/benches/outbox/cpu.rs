//! CPU time, which is known on Linux only.

use std::fs;
use std::time::Duration;

/// Returns the CPU time of the current thread.
pub(crate) fn of_thread() -> Option<Duration> {
    scheduled("/proc/thread-self/schedstat")
}

/// Returns the CPU time of the threads of this process.
pub(crate) fn of_process() -> Option<Duration> {
    let threads = fs::read_dir("/proc/self/task").ok()?.flatten();
    threads.map(|thread| scheduled(thread.path().join("schedstat"))).sum()
}

/// Reads the nanoseconds that a thread has run.
fn scheduled(file: impl AsRef<std::path::Path>) -> Option<Duration> {
    let text = fs::read_to_string(file).ok()?;
    Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
}
