//! The options of a relay.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use crate::outbox::dead::DeadEvent;
use crate::outbox::error::RelayError;
use crate::outbox::store::MAX_WAIT;

/// Called with each event that becomes dead.
pub(super) type DeadHook = Arc<dyn Fn(&DeadEvent) + Send + Sync>;

/// When the workers end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// When the relay is closed.
    Run,
    /// When every batch that is due was tried once.
    Drain,
}

#[derive(Clone)]
pub(super) struct RelayOptions {
    pub(super) batch_events: usize,
    pub(super) batch_bytes: usize,
    pub(super) in_flight: usize,
    pub(super) lease: Duration,
    pub(super) poll: RangeInclusive<Duration>,
    pub(super) dead_letter_after: Duration,
    pub(super) on_dead: Option<DeadHook>,
}

/// How long Inngest deduplicates by an id. An event that is sent again later could start its functions
/// twice.
const IDS_ARE_KEPT: Duration = Duration::from_secs(24 * 60 * 60);
const MIN_LEASE: Duration = Duration::from_secs(1);
/// The maximum of `in_flight`, since a task per batch is created when the relay is started.
const MAX_IN_FLIGHT: usize = 1_000;

impl Default for RelayOptions {
    fn default() -> RelayOptions {
        RelayOptions {
            batch_events: 500,
            batch_bytes: usize::MAX,
            in_flight: 4,
            lease: Duration::from_secs(60),
            poll: Duration::from_millis(20)..=Duration::from_millis(50),
            dead_letter_after: Duration::from_secs(23 * 60 * 60),
            on_dead: None,
        }
    }
}

impl RelayOptions {
    /// Returns an error if an option is out of its range.
    pub(super) fn check(&self) -> Result<(), RelayError> {
        let fails = |option, problem: String| Err(RelayError::Config { option, problem });
        if self.in_flight > MAX_IN_FLIGHT {
            return fails("in_flight", format!("{} is more than {MAX_IN_FLIGHT}", self.in_flight));
        }
        if !(MIN_LEASE..=MAX_WAIT).contains(&self.lease) {
            return fails("lease", format!("{:?} is not between 1 s and 1 h", self.lease));
        }
        let (start, end) = (*self.poll.start(), *self.poll.end());
        if start.is_zero() || start > end {
            return fails(
                "poll",
                format!("{start:?} to {end:?} is no range of positive durations"),
            );
        }
        let dead_letter_after = self.dead_letter_after;
        if dead_letter_after.is_zero() || dead_letter_after >= IDS_ARE_KEPT {
            let problem = format!(
                "{dead_letter_after:?} is not between 0 and 24 h, the time for which Inngest deduplicates ids"
            );
            return fails("dead_letter_after", problem);
        }
        Ok(())
    }

    /// Returns the time until the next poll. `random` is from 0 to 1.
    pub(super) fn poll_interval(&self, random: f64) -> Duration {
        let (start, end) = (*self.poll.start(), *self.poll.end());
        start + end.saturating_sub(start).mul_f64(random)
    }
}
