//! The receipt of a published event, which resolves to its outcome.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::error::DeliveryError;
use crate::event::EventId;

/// The receipt of a published event, which resolves to the event's outcome. Dropping it does not
/// cancel the event.
///
/// See [publisher](crate::guide::publisher) in the guide.
pub struct Receipt {
    pub(super) deliveries: Arc<Deliveries>,
    pub(super) index: usize,
}

impl Receipt {
    /// Waits until the event has an outcome, and returns its id if it was delivered.
    ///
    /// # Errors
    ///
    /// Returns [`DeliveryError`] if the event was not delivered.
    pub async fn delivered(&self) -> Result<EventId, DeliveryError> {
        loop {
            let changed = self.deliveries.changed.notified();
            let mut changed = std::pin::pin!(changed);
            // It is enabled before the check, so that no notification is missed.
            changed.as_mut().enable();
            if let Some(delivery) = self.try_delivered() {
                return delivery;
            }
            changed.await;
        }
    }

    /// Returns the event's outcome without waiting, or `None` if it has none yet.
    #[must_use]
    pub fn try_delivered(&self) -> Option<Result<EventId, DeliveryError>> {
        self.deliveries.lock().get(self.index).cloned().flatten()
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt").field("delivery", &self.try_delivered()).finish_non_exhaustive()
    }
}

type Delivery = Result<EventId, DeliveryError>;

/// The outcomes of one batch's events, shared by their receipts so that an event needs no
/// allocation.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    /// Empty until the first outcome.
    outcomes: Mutex<Vec<Option<Delivery>>>,
    changed: Notify,
}

impl Deliveries {
    fn lock(&self) -> MutexGuard<'_, Vec<Option<Delivery>>> {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the outcomes of events by their index and wakes their receipts.
    pub(super) fn complete(&self, completed: impl Iterator<Item = (usize, Delivery)>) {
        let mut outcomes = self.lock();
        for (index, delivery) in completed {
            if outcomes.len() <= index {
                outcomes.resize(index + 1, None);
            }
            outcomes[index] = Some(delivery);
        }
        drop(outcomes);
        self.changed.notify_waiters();
    }
}
