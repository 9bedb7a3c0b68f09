//! Whether to try again, and when: decided from numbers alone, without a clock and without a network.

use std::time::Duration;

/// How often a request is tried, and how long to wait in between.
///
/// Waits are random between zero and a bound that doubles from attempt to attempt ("full jitter"); a
/// server's `Retry-After` is waited for at least.
///
/// ```
/// # use std::time::Duration;
/// use inngest_core::RetryPolicy;
///
/// let patient = RetryPolicy::default().max_attempts(10).total_timeout(Duration::from_secs(300));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct RetryPolicy {
    max_attempts: u32,
    initial_backoff: Duration,
    max_backoff: Duration,
    pub(super) total_timeout: Duration,
}

impl Default for RetryPolicy {
    /// 5 attempts a request, a first wait of up to 100 ms, none beyond 30 s, and 60 s for the whole
    /// call.
    fn default() -> RetryPolicy {
        RetryPolicy {
            max_attempts: 5,
            initial_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(30),
            total_timeout: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// One attempt a request; the whole call still has 60 s.
    pub fn none() -> RetryPolicy {
        RetryPolicy::default().max_attempts(1)
    }

    /// How often a request is tried in all; 0 counts as 1.
    pub fn max_attempts(mut self, attempts: u32) -> RetryPolicy {
        self.max_attempts = attempts;
        self
    }

    /// The bound of the first wait.
    pub fn initial_backoff(mut self, wait: Duration) -> RetryPolicy {
        self.initial_backoff = wait;
        self
    }

    /// The bound that no wait's bound exceeds, except where a server asks for more.
    pub fn max_backoff(mut self, wait: Duration) -> RetryPolicy {
        self.max_backoff = wait;
        self
    }

    /// How long a whole call may take, requests and waits together. What is not sent by then is
    /// unsent.
    pub fn total_timeout(mut self, timeout: Duration) -> RetryPolicy {
        self.total_timeout = timeout;
        self
    }
}

/// What happens after an attempt that failed in a way that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Wait(Duration),
    /// The attempts or the time are used up.
    Stop,
    /// The server asks for more time than the call has left.
    RetryAfterExceedsDeadline,
}

/// `attempt` counts from 1, `random` is from 0 to 1, and `left` is what the call has left.
pub(super) fn decide(
    policy: RetryPolicy,
    attempt: u32,
    retry_after: Option<Duration>,
    left: Duration,
    random: f64,
) -> Decision {
    if retry_after.is_some_and(|least| least >= left) {
        return Decision::RetryAfterExceedsDeadline;
    }
    if attempt >= policy.max_attempts {
        return Decision::Stop;
    }
    let wait = backoff_delay(policy, attempt, retry_after, random);
    match retry_after {
        _ if wait < left => Decision::Wait(wait),
        Some(least) => Decision::Wait(least),
        None => Decision::Stop,
    }
}

/// How long to wait after failure `failures`, counted from 1.
pub(crate) fn backoff_delay(
    policy: RetryPolicy,
    failures: u32,
    retry_after: Option<Duration>,
    random: f64,
) -> Duration {
    let doubled = 2_u32.checked_pow(failures - 1).unwrap_or(u32::MAX);
    let bound = policy.initial_backoff.saturating_mul(doubled).min(policy.max_backoff);
    // On top of Retry-After, so that clients that were told one time do not come back at one time.
    retry_after.unwrap_or_default().saturating_add(bound.mul_f64(random))
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
        assert_eq!(decide(policy, 3, None, MINUTE, 0.25), Decision::Wait(millis(100)));
        let endless = policy.max_attempts(u32::MAX);
        assert_eq!(decide(endless, 4_000, None, MINUTE, 1.0), Decision::Wait(millis(30_000)));
    }

    #[test]
    fn one_attempt_is_one_attempt() {
        assert_eq!(decide(RetryPolicy::none(), 1, None, MINUTE, 0.0), Decision::Stop);
        let zero = RetryPolicy::default().max_attempts(0);
        assert_eq!(decide(zero, 1, None, MINUTE, 0.0), Decision::Stop);
    }

    #[test]
    fn retry_after_is_the_least_wait_and_may_exceed_the_bound() {
        let policy = RetryPolicy::default();
        let after = |wait, left, random| decide(policy, 1, Some(wait), left, random);
        assert_eq!(after(millis(2_000), MINUTE, 0.0), Decision::Wait(millis(2_000)));
        assert_eq!(after(millis(2_000), MINUTE, 1.0), Decision::Wait(millis(2_100)));
        assert_eq!(after(millis(45_000), MINUTE, 0.0), Decision::Wait(millis(45_000)));
        assert_eq!(after(millis(0), MINUTE, 0.0), Decision::Wait(millis(0)));
        assert_eq!(after(millis(1_950), millis(2_000), 1.0), Decision::Wait(millis(1_950)));
    }

    #[test]
    fn a_wait_beyond_what_is_left_ends_it() {
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
