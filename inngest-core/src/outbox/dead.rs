//! Dead events: the events that a relay no longer sends.

use std::fmt;
use std::time::SystemTime;

/// An event that a relay no longer sends, kept in the table `inngest_outbox_dead`.
///
/// Either the server rejected it, or it [expired](DeadEvent::is_expired). Dead does not always mean
/// not delivered: if an earlier attempt ended without a response, Inngest may have accepted the
/// event.
///
/// See [outbox](crate::guide::outbox) in the guide.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadEvent {
    /// The id of the dead event, for [`Relay::requeue`](super::Relay::requeue). It is not the id of
    /// the event in Inngest.
    pub id: i64,
    /// The event's name.
    pub name: String,
    /// The event as JSON: `name`, `data` and the rest of the envelope.
    pub body: Vec<u8>,
    /// The trace context of the caller that enqueued the event.
    pub traceparent: Option<String>,
    /// When the event was enqueued.
    pub created_at: SystemTime,
    /// When the event died.
    pub died_at: SystemTime,
    /// Why the event died: the server's response, or `expired`.
    pub reason: String,
    /// Whether an attempt to send the event has an unknown outcome, so that Inngest may have
    /// accepted it.
    pub may_be_delivered: bool,
}

/// The reason of an expired event.
pub(crate) const EXPIRED: &str = "expired";

impl DeadEvent {
    /// Returns whether the event was given up because its ids were about to expire: 23 hours after
    /// the first attempt whose outcome is unknown, by default. Inngest forgets ids after 24 hours.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.reason == EXPIRED
    }
}

impl fmt::Debug for DeadEvent {
    /// Omits the body, since payloads can contain personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadEvent")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("created_at", &self.created_at)
            .field("died_at", &self.died_at)
            .field("reason", &self.reason)
            .field("may_be_delivered", &self.may_be_delivered)
            .finish_non_exhaustive()
    }
}

/// The Inngest ids with which dead events are sent again.
///
/// See [outbox](crate::guide::outbox) in the guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// The same ids. Inngest starts no function twice if it accepted the event before. Events whose
    /// first attempt with an unknown outcome is too long ago stay dead, since Inngest has forgotten
    /// their ids.
    Keep,
    /// New ids. If Inngest accepted the event before, its functions run again, unless the event has
    /// a dedup id and 24 hours have not passed.
    Fresh,
}
