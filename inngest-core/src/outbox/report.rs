//! What a relay reports: its own results, and the state of the outbox.

use std::time::SystemTime;

/// What a relay did with the events that it claimed. Returned by
/// [`Relay::close`](super::Relay::close) and [`RelayBuilder::drain`](super::RelayBuilder::drain).
///
/// See [outbox](crate::guide::outbox) in the guide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelayReport {
    /// Events that Inngest accepted.
    pub delivered: u64,
    /// Events that became [dead](super::DeadEvent).
    pub dead: u64,
    /// Events that the relay had claimed and gave back without an attempt, because it was closed.
    /// They are in the outbox.
    pub released: u64,
    /// Events whose last attempt failed during the drain or after `close` was called, or was in flight
    /// at the deadline of `close`. They are in the outbox. Events that failed before `close` was called
    /// and wait for their next attempt are in the outbox, too, but do not count:
    /// [`OutboxStats::sealed`] counts them.
    pub left: u64,
}

/// The state of an outbox. Returned by [`Relay::stats`](super::Relay::stats).
///
/// See [outbox](crate::guide::outbox) in the guide.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutboxStats {
    /// Events that no relay has claimed yet, counted up to 10,000.
    pub pending: u64,
    /// When the oldest event in the outbox was enqueued. Dead events do not count.
    pub oldest: Option<SystemTime>,
    /// Events in sealed batches: claimed by a relay, or to be sent again.
    pub sealed: u64,
    /// Batches that a relay, of any process, is sending.
    pub in_flight: u64,
    /// Events that failed several times while others succeeded. Each is retried alone, with growing
    /// waits of up to an hour.
    pub isolated: u64,
    /// Dead events.
    pub dead: u64,
    /// Why this relay sends nothing but single probes, if it is stalled: the event key is refused,
    /// or the server's responses are invalid.
    pub stalled: Option<String>,
}
