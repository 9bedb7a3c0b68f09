//! Decides whether and when to retry, in pure functions.

use std::time::Duration;

/// How often a request is attempted, and how long to wait between attempts.
///
/// The backoff doubles after each attempt. The wait before the next attempt is the larger of half
/// the backoff and the server's `Retry-After`, plus a random part of up to half the backoff.
///
/// With the default policy, a call succeeds despite an outage of 5 s: the seven waits between the
/// eight attempts take 6.35 s to 12.7 s in total. A call ends after at most 60 s.
///
/// ```
/// # use std::time::Duration;
/// use inngest_core::RetryPolicy;
///
/// let patient = RetryPolicy::default().max_attempts(10).total_timeout(Duration::from_secs(300));
/// ```
///
/// See [delivery](crate::guide::delivery) in the guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct RetryPolicy {
    max_attempts: u32,
    initial_backoff: Duration,
    max_backoff: Duration,
    pub(super) total_timeout: Duration,
}

impl Default for RetryPolicy {
    /// Returns a policy with 8 attempts per request, an initial backoff of 100 ms, a maximum
    /// backoff of 30 s, and a total timeout of 60 s.
    fn default() -> RetryPolicy {
        RetryPolicy {
            max_attempts: 8,
            initial_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(30),
            total_timeout: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// Returns a policy with one attempt per request. The total timeout of the call is still 60 s.
    pub fn none() -> RetryPolicy {
        RetryPolicy::default().max_attempts(1)
    }

    /// Sets the maximum number of attempts per request, including the first. 0 counts as 1.
    pub fn max_attempts(mut self, attempts: u32) -> RetryPolicy {
        self.max_attempts = attempts;
        self
    }

    /// Sets the backoff before the second attempt. The actual wait is random, between half of the
    /// backoff and the whole backoff.
    pub fn initial_backoff(mut self, wait: Duration) -> RetryPolicy {
        self.initial_backoff = wait;
        self
    }

    /// Sets the maximum of the doubling backoff. A server's `Retry-After` may exceed it.
    pub fn max_backoff(mut self, wait: Duration) -> RetryPolicy {
        self.max_backoff = wait;
        self
    }

    /// Sets the maximum duration of a whole call, including requests and waits. It must not be zero.
    /// Events without an outcome by then are unsent.
    pub fn total_timeout(mut self, timeout: Duration) -> RetryPolicy {
        self.total_timeout = timeout;
        self
    }

    /// Returns the upper limit of the first wait.
    pub(super) fn first_backoff(self) -> Duration {
        self.initial_backoff.min(self.max_backoff)
    }
}

/// What to do after a transient failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Wait(Duration),
    /// No attempt or no time is left.
    Stop,
    /// The `Retry-After` exceeds the remaining time of the call.
    RetryAfterExceedsDeadline,
}

/// Decides what to do after attempt number `attempt`, counted from 1, has failed. `remaining` is
/// the remaining time of the call, and `random`, from 0 to 1, is the jitter.
pub(super) fn decide(
    policy: RetryPolicy,
    attempt: u32,
    retry_after: Option<Duration>,
    remaining: Duration,
    random: f64,
) -> Decision {
    if retry_after.is_some_and(|wait| wait >= remaining) {
        return Decision::RetryAfterExceedsDeadline;
    }
    if attempt >= policy.max_attempts {
        return Decision::Stop;
    }
    let wait = backoff_delay(policy, attempt, retry_after, random);
    match retry_after {
        _ if wait < remaining => Decision::Wait(wait),
        // The deadline leaves time for the `Retry-After`, but not for the random part.
        Some(retry_after) => Decision::Wait(retry_after),
        None => Decision::Stop,
    }
}

/// Returns how long to wait after `failures` consecutive failures, at least 1.
pub(super) fn backoff_delay(
    policy: RetryPolicy,
    failures: u32,
    retry_after: Option<Duration>,
    random: f64,
) -> Duration {
    let doubled = 2_u32.checked_pow(failures - 1).unwrap_or(u32::MAX);
    let half = policy.initial_backoff.saturating_mul(doubled).min(policy.max_backoff) / 2;
    // The random part is added to Retry-After too, so that clients that received the same value do
    // not retry at the same time.
    retry_after.unwrap_or_default().max(half).saturating_add(half.mul_f64(random))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn waits_double_up_to_the_bound_and_stop_at_the_last_attempt() {
        let policy = RetryPolicy::default().max_attempts(12);
        let bound = |attempt| decide(policy, attempt, None, Duration::MAX, 1.0);
        let waits = [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000];
        for (attempt, wait) in (1..).zip(waits) {
            assert_eq!(bound(attempt), Decision::Wait(millis(wait)), "attempt {attempt}");
        }
        assert_eq!(bound(12), Decision::Stop);
        assert_eq!(decide(policy, 3, None, MINUTE, 0.25), Decision::Wait(millis(250)));
        let endless = policy.max_attempts(u32::MAX);
        assert_eq!(decide(endless, 4_000, None, MINUTE, 1.0), Decision::Wait(millis(30_000)));
    }

    #[test]
    fn one_attempt_is_never_retried() {
        assert_eq!(decide(RetryPolicy::none(), 1, None, MINUTE, 0.0), Decision::Stop);
        let zero = RetryPolicy::default().max_attempts(0);
        assert_eq!(decide(zero, 1, None, MINUTE, 0.0), Decision::Stop);
    }

    #[test]
    fn retry_after_is_the_least_wait_and_may_exceed_the_bound() {
        let policy = RetryPolicy::default();
        let after = |wait, remaining, random| decide(policy, 1, Some(wait), remaining, random);
        assert_eq!(after(millis(2_000), MINUTE, 0.0), Decision::Wait(millis(2_000)));
        assert_eq!(after(millis(2_000), MINUTE, 1.0), Decision::Wait(millis(2_050)));
        assert_eq!(after(millis(45_000), MINUTE, 0.0), Decision::Wait(millis(45_000)));
        assert_eq!(after(millis(0), MINUTE, 0.0), Decision::Wait(millis(50)));
        assert_eq!(after(millis(1_950), millis(2_000), 1.0), Decision::Wait(millis(1_950)));
    }

    #[test]
    fn a_wait_beyond_the_remaining_time_stops() {
        let policy = RetryPolicy::default();
        assert_eq!(
            decide(policy, 1, Some(MINUTE), MINUTE, 0.0),
            Decision::RetryAfterExceedsDeadline
        );
        assert_eq!(
            decide(policy, 1, Some(2 * MINUTE), MINUTE, 0.0),
            Decision::RetryAfterExceedsDeadline
        );
        assert_eq!(decide(policy, 1, None, millis(50), 1.0), Decision::Stop);
        assert_eq!(
            decide(policy, 5, Some(2 * MINUTE), MINUTE, 0.0),
            Decision::RetryAfterExceedsDeadline
        );
    }
}
