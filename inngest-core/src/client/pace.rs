//! Decides when a background sender may start its next request, from the outcomes of the previous
//! ones.

use std::time::Duration;

use tokio::time::Instant;

use super::retry::{RetryPolicy, backoff_delay};

/// The longest pause. Without a limit, a server whose clock is wrong by years could stop the
/// sending.
const MAX_PAUSE: Duration = Duration::from_secs(60 * 60);

/// The pace of a background sender. While requests fail, it sends one request at a time, with
/// growing waits, so that an outage causes fewer requests, not more.
#[derive(Debug)]
pub(crate) struct Pace {
    policy: RetryPolicy,
    /// Consecutive failures since the last success. Requests that were in flight together count
    /// once.
    failures: u32,
    /// When the last of these failures was counted.
    failed_at: Option<Instant>,
    /// The end of the sender's own backoff.
    backoff_until: Option<Instant>,
    /// The end of the pause that the server asked for.
    server_pause_until: Option<Instant>,
}

impl Pace {
    pub(crate) fn new(policy: RetryPolicy) -> Pace {
        let (failed_at, backoff_until, server_pause_until) = (None, None, None);
        Pace { policy, failures: 0, failed_at, backoff_until, server_pause_until }
    }

    /// Returns how many requests may be in flight, at most `max`.
    pub(crate) fn max_in_flight(&self, max: usize) -> usize {
        if self.is_failing() { 1 } else { max }
    }

    /// Returns whether the last request failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// Returns when the next request may start, unless it may start now.
    pub(crate) fn paused_until(&self, now: Instant) -> Option<Instant> {
        self.backoff_until.max(self.server_pause_until).filter(|until| *until > now)
    }

    /// Records the success of a request that started at `started`. It is ignored if a failure was
    /// counted after that time: the request may have succeeded before the server began to fail.
    pub(crate) fn succeeded(&mut self, started: Instant) {
        if self.failed_at.is_some_and(|failed_at| started < failed_at) {
            return;
        }
        self.failures = 0;
        self.backoff_until = None;
        self.server_pause_until = None;
    }

    /// Records the transient failure of a request that started at `started`, and extends the
    /// sender's backoff and, if there is a `retry_after`, the server's pause. `random`, from 0 to
    /// 1, is the jitter.
    pub(crate) fn failed(
        &mut self,
        started: Instant,
        now: Instant,
        retry_after: Option<Duration>,
        random: f64,
    ) {
        // Requests that were in flight together fail together and count as one failure.
        let started_before = self.failed_at.is_some_and(|failed_at| started < failed_at);
        let is_counted = self.is_failing() && started_before;
        if !is_counted {
            self.failures = self.failures.saturating_add(1);
            self.failed_at = Some(now);
        }
        let end_of_wait = |retry_after| {
            let delay = backoff_delay(self.policy, self.failures, retry_after, random);
            Some(now + delay.min(MAX_PAUSE))
        };
        self.backoff_until = self.backoff_until.max(end_of_wait(None));
        if retry_after.is_some() {
            self.server_pause_until = self.server_pause_until.max(end_of_wait(retry_after));
        }
    }

    /// Returns how long a batch with its own backoff waits after `failures` failures.
    pub(crate) fn backoff(&self, failures: u32, random: f64) -> Duration {
        backoff_delay(self.policy, failures, None, random).min(MAX_PAUSE)
    }

    /// Returns the upper limit of the first wait.
    pub(crate) fn first_backoff(&self) -> Duration {
        self.policy.first_backoff()
    }

    /// Restarts the sender's own backoff at the initial one, for a caller that is waiting. The
    /// pause that the server asked for is not changed.
    pub(crate) fn restart_backoff(&mut self) {
        let restarted =
            self.failed_at.and_then(|failed_at| failed_at.checked_add(self.policy.first_backoff()));
        if let (Some(until), Some(restarted)) = (self.backoff_until, restarted) {
            self.backoff_until = Some(until.min(restarted));
            self.failures = self.failures.min(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLIS: Duration = Duration::from_millis(1);

    #[test]
    fn failures_slow_the_pace_and_a_success_restores_it() {
        let start = Instant::now();
        let mut pace = Pace::new(RetryPolicy::default());
        assert_eq!(pace.max_in_flight(4), 4);
        pace.failed(start, start + MILLIS, None, 1.0);
        assert_eq!(pace.max_in_flight(4), 1);
        assert_eq!(pace.paused_until(start), Some(start + 101 * MILLIS));
        // The other requests that were in flight.
        pace.failed(start, start + 2 * MILLIS, None, 1.0);
        assert_eq!(pace.paused_until(start), Some(start + 102 * MILLIS));
        // The next one waits twice as long.
        pace.failed(start + 102 * MILLIS, start + 103 * MILLIS, None, 1.0);
        assert_eq!(pace.paused_until(start), Some(start + 303 * MILLIS));
        // The success of a request that started before the failure does not end the backoff.
        pace.succeeded(start + 102 * MILLIS);
        assert_eq!(pace.paused_until(start), Some(start + 303 * MILLIS));
        pace.succeeded(start + 303 * MILLIS);
        assert_eq!(pace.max_in_flight(4), 4);
        assert_eq!(pace.paused_until(start), None);
    }

    #[test]
    fn retry_after_pauses_all_requests() {
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

    #[test]
    fn a_restarted_backoff_starts_again_at_the_initial_one() {
        let start = Instant::now();
        let mut pace = Pace::new(RetryPolicy::default());
        pace.restart_backoff();
        assert_eq!(pace.paused_until(start), None);
        let mut now = start;
        for _ in 0..6 {
            pace.failed(now, now, None, 1.0);
            now = pace.paused_until(now).expect("a pause");
        }
        let failed_at = now - 3_200 * MILLIS;
        pace.restart_backoff();
        assert_eq!(pace.paused_until(failed_at), Some(failed_at + 100 * MILLIS));
        pace.failed(now, now, None, 1.0);
        assert_eq!(pace.paused_until(now), Some(now + 200 * MILLIS));
        pace.failed(now, now, Some(Duration::from_secs(9)), 0.0);
        pace.restart_backoff();
        assert_eq!(pace.paused_until(now), Some(now + Duration::from_secs(9)));
    }
}
