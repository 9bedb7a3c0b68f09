//! Dead events: events that a relay no longer sends.

use std::fmt;
use std::time::SystemTime;

/// An event that a relay no longer sends, kept in the table `inngest_outbox_dead`.
///
/// An event becomes dead if the server rejects it, if its row is not a valid event, or if it
/// [expires](DeadEvent::is_expired). A dead event may have been delivered nevertheless: if an earlier
/// attempt ended without a response, Inngest may have accepted it. See
/// [`may_be_delivered`](DeadEvent::may_be_delivered).
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
    /// When the event became dead.
    pub died_at: SystemTime,
    /// Why the event became dead: the server's response, what is wrong with the row, or `expired`.
    pub reason: String,
    /// Whether an attempt to send the event has an unknown outcome, so that Inngest may have
    /// accepted it.
    pub may_be_delivered: bool,
}

/// The reason of an expired event.
pub(crate) const EXPIRED: &str = "expired";

impl DeadEvent {
    /// Returns whether the event expired: it was not delivered within
    /// [`dead_letter_after`](super::RelayBuilder::dead_letter_after), by default 23 hours, of the
    /// first attempt whose outcome is unknown. Inngest deduplicates by an id for 24 hours only, so
    /// sending the event later could start its functions twice.
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

/// The Inngest ids with which [`Relay::requeue`](super::Relay::requeue) sends dead events again.
///
/// See [outbox](crate::guide::outbox) in the guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// The same ids. If Inngest accepted the event before, it starts no function twice. An event stays
    /// dead if its first attempt with an unknown outcome was
    /// [`dead_letter_after`](super::RelayBuilder::dead_letter_after) ago or earlier, since Inngest
    /// deduplicates by an id for 24 hours only.
    Keep,
    /// New ids. If Inngest accepted the event before, its functions run again, unless the event has
    /// a dedup id and was accepted less than 24 hours ago.
    Fresh,
}
