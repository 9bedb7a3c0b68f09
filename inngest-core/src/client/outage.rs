//! The log events of a background sender about an outage.

use std::time::Duration;

use tokio::time::Instant;

use super::error::RequestError;
use super::log;

/// A series of failures, which is logged once at its start and once at its end.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    started: Option<Instant>,
}

impl Outage {
    /// Records a failure.
    pub(crate) fn failed(&mut self, error: &RequestError, next_attempt_in: Duration) {
        if self.started.is_some() {
            log::background_still_failing(error, next_attempt_in);
        } else {
            self.started = Some(Instant::now());
            log::background_failing(error, next_attempt_in);
        }
    }

    /// Records a success.
    pub(crate) fn end(&mut self) {
        if let Some(started) = self.started.take() {
            log::background_recovered(started.elapsed());
        }
    }
}
