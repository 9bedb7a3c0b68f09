//! What tells a publisher's user of one event's end.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::client::{Rejection, RequestError};
use crate::event::EventId;

/// A promise to say what became of one event. Dropping it is fine: the event is sent all the same.
pub struct Receipt {
    pub(super) deliveries: Arc<Deliveries>,
    pub(super) index: usize,
}

impl Receipt {
    /// Waits for the event's end: its id, or why it has none.
    ///
    /// # Errors
    ///
    /// [`DeliveryError`].
    pub async fn delivered(&self) -> Result<EventId, DeliveryError> {
        loop {
            let changed = self.deliveries.changed.notified();
            let mut changed = std::pin::pin!(changed);
            // From here on it is heard of, so that none is missed between the look and the wait.
            changed.as_mut().enable();
            if let Some(end) = self.try_delivered() {
                return end;
            }
            changed.await;
        }
    }

    /// The event's end, if it has come.
    #[must_use]
    pub fn try_delivered(&self) -> Option<Result<EventId, DeliveryError>> {
        self.deliveries.ends().get(self.index).cloned().flatten()
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt").field("end", &self.try_delivered()).finish_non_exhaustive()
    }
}

/// Why a queued event was not delivered.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeliveryError {
    /// The event itself is at fault.
    #[error("the event was rejected: {0}")]
    Rejected(Arc<Rejection>),

    /// The server refuses it in a way that does not pass.
    #[error("the event was not sent: {0}")]
    Failed(Arc<RequestError>),

    /// The publisher was closed or dropped before.
    #[error("the publisher was closed before the event was delivered")]
    Closed,
}

impl DeliveryError {
    /// What it is counted as.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            DeliveryError::Rejected(_) => "rejected",
            DeliveryError::Failed(cause) => cause.kind(),
            DeliveryError::Closed => "closed",
        }
    }
}

type End = Result<EventId, DeliveryError>;

/// The ends of one batch's events, shared by their receipts: no allocation an event.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    /// Empty until the first end.
    ends: Mutex<Vec<Option<End>>>,
    changed: Notify,
}

impl Deliveries {
    fn ends(&self) -> MutexGuard<'_, Vec<Option<End>>> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn end(&self, all: impl Iterator<Item = (usize, End)>) {
        let mut ends = self.ends();
        for (index, end) in all {
            if ends.len() <= index {
                ends.resize(index + 1, None);
            }
            ends[index] = Some(end);
        }
        drop(ends);
        self.changed.notify_waiters();
    }
}
