//! The calls of a relay to its database. Failures are retried. The first of consecutive failures, and the recovery
//! after them, are logged. A call that takes too long is a failure, too.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::options::Mode;
use crate::client::{Pace, RetryPolicy};
use crate::outbox::error::StoreError;
use crate::outbox::log;
use crate::outbox::store::{Settled, Settlement, Store};

/// The timeout of a call. A longer call has probably lost its connection without an error, which the
/// operating system can take hours to detect.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) struct Database<S> {
    pub(super) store: S,
    health: Mutex<Health>,
}

struct Health {
    /// Consecutive failures.
    failures: u32,
    /// The first error, for a drain.
    first_error: Option<StoreError>,
    /// Calculates the waits.
    pace: Pace,
}

impl<S: Store> Database<S> {
    pub(super) fn new(store: S) -> Database<S> {
        let policy = RetryPolicy::default().max_backoff(Duration::from_secs(5));
        let health = Health { failures: 0, first_error: None, pace: Pace::new(policy) };
        Database { store, health: Mutex::new(health) }
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the first error, if there was one.
    pub(super) fn first_error(&self) -> Option<StoreError> {
        self.health().first_error.clone()
    }

    /// Runs a call. If it fails, returns the wait before the next one.
    pub(super) async fn run<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, Duration> {
        in_time(call).await.inspect(|_| self.succeeded()).map_err(|error| self.failed(error))
    }

    /// Records a settlement. Retries until `lease` has passed, since other relays can claim the
    /// batch by then. Returns `None` if it could not be recorded.
    pub(super) async fn settle(
        &self,
        settlement: &Settlement,
        lease: Duration,
        mode: Mode,
    ) -> Option<Settled> {
        let give_up_at = Instant::now() + lease;
        loop {
            let error = match in_time(self.store.settle(settlement)).await {
                Ok(settled) => {
                    self.succeeded();
                    return Some(settled);
                }
                Err(error) => error,
            };
            let wait = self.failed(error.clone());
            if mode == Mode::Drain || Instant::now() + wait >= give_up_at {
                log::settlement_abandoned(settlement.lease, &error);
                return None;
            }
            sleep(wait).await;
        }
    }

    fn succeeded(&self) {
        let mut health = self.health();
        if std::mem::take(&mut health.failures) > 0 {
            log::database_recovered();
        }
    }

    fn failed(&self, error: StoreError) -> Duration {
        let mut health = self.health();
        health.failures = health.failures.saturating_add(1);
        let wait = health.pace.backoff(health.failures, fastrand::f64());
        if health.failures == 1 {
            log::database_failing(&error, wait);
        } else {
            log::database_still_failing(&error, wait);
        }
        health.first_error.get_or_insert(error);
        wait
    }
}

/// Runs a call, and fails if it takes too long.
pub(super) async fn in_time<T>(
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let result = timeout(CALL_TIMEOUT, call).await;
    result.unwrap_or_else(|elapsed| Err(StoreError::Connection(Arc::new(elapsed))))
}
