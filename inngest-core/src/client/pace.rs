//! When the next request may begin: decided from what became of those before it.

use std::time::Duration;

use tokio::time::Instant;

use super::retry::{RetryPolicy, backoff_delay};

/// What a server may ask for at most: a clock that is wrong by years must not stop a publisher.
const MAX_PAUSE: Duration = Duration::from_secs(60 * 60);

/// The whole publisher's pace. As long as requests fail, one at a time is sent, after waits that grow: an
/// outage sees fewer requests than the time before it, not more.
#[derive(Debug)]
pub(crate) struct Pace {
    policy: RetryPolicy,
    /// Waves of failures since the last success.
    failures: u32,
    failed_at: Option<Instant>,
    paused_until: Option<Instant>,
}

impl Pace {
    pub(crate) fn new(policy: RetryPolicy) -> Pace {
        Pace { policy, failures: 0, failed_at: None, paused_until: None }
    }

    /// How many of at most `max` requests may be under way.
    pub(crate) fn in_flight(&self, max: usize) -> usize {
        if self.failures > 0 { 1 } else { max }
    }

    /// When the next request may begin, if not at once.
    pub(crate) fn paused_until(&self, now: Instant) -> Option<Instant> {
        self.paused_until.filter(|until| *until > now)
    }

    /// A request that began at `began` succeeded. It says nothing of what failed since it began.
    pub(crate) fn succeeded(&mut self, began: Instant) {
        if self.failed_at.is_some_and(|failed_at| began < failed_at) {
            return;
        }
        self.failures = 0;
        self.paused_until = None;
    }

    /// A request that began at `began` failed in a way that may pass.
    pub(crate) fn failed(
        &mut self,
        began: Instant,
        now: Instant,
        retry_after: Option<Duration>,
        random: f64,
    ) {
        // Requests that were under way together fail together, and are one failure.
        let same_wave = self.failed_at.is_some_and(|failed_at| began < failed_at);
        if self.failures == 0 || !same_wave {
            self.failures = self.failures.saturating_add(1);
            self.failed_at = Some(now);
        }
        let wait = backoff_delay(self.policy, self.failures, retry_after, random);
        let until = now + wait.min(MAX_PAUSE);
        self.paused_until = Some(self.paused_until.map_or(until, |known| known.max(until)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLIS: Duration = Duration::from_millis(1);

    #[test]
    fn failures_slow_it_down_and_a_success_sets_it_free() {
        let start = Instant::now();
        let mut pace = Pace::new(RetryPolicy::default());
        assert_eq!(pace.in_flight(4), 4);
        pace.failed(start, start + MILLIS, None, 1.0);
        assert_eq!(pace.in_flight(4), 1);
        assert_eq!(pace.paused_until(start), Some(start + 101 * MILLIS));
        // The others of the same wave.
        pace.failed(start, start + 2 * MILLIS, None, 1.0);
        assert_eq!(pace.paused_until(start), Some(start + 102 * MILLIS));
        // The next one waits twice as long.
        pace.failed(start + 102 * MILLIS, start + 103 * MILLIS, None, 1.0);
        assert_eq!(pace.paused_until(start), Some(start + 303 * MILLIS));
        // One that began before is no sign that it has passed.
        pace.succeeded(start + 102 * MILLIS);
        assert_eq!(pace.paused_until(start), Some(start + 303 * MILLIS));
        pace.succeeded(start + 303 * MILLIS);
        assert_eq!(pace.in_flight(4), 4);
        assert_eq!(pace.paused_until(start), None);
    }

    #[test]
    fn a_server_that_asks_for_a_pause_gets_it_from_all() {
        let start = Instant::now();
        let mut pace = Pace::new(RetryPolicy::default());
        pace.failed(start, start, Some(Duration::from_secs(90)), 0.0);
        pace.failed(start, start, None, 1.0);
        let until = pace.paused_until(start);
        assert_eq!(until, Some(start + Duration::from_secs(90)));
        assert_eq!(pace.paused_until(start + Duration::from_secs(90)), None);
        pace.failed(start, start, Some(Duration::MAX), 1.0);
        assert_eq!(pace.paused_until(start), Some(start + MAX_PAUSE));
    }
}
