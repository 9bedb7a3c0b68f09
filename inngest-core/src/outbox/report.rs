//! What a relay reports: its own results, and the state of the outbox.

use std::time::SystemTime;

/// The outcomes of the events that a relay claimed. Returned by
/// [`Relay::close`](super::Relay::close) and [`RelayBuilder::drain`](super::RelayBuilder::drain).
///
/// See [outbox](crate::guide::outbox) in the guide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelayReport {
    /// The number of events that Inngest accepted.
    pub delivered: u64,
    /// The number of events that became [dead](super::DeadEvent).
    pub dead: u64,
    /// The number of events that the relay had claimed and released without an attempt, because it
    /// was closed. They stay in the outbox.
    pub released: u64,
    /// The number of events whose last attempt failed during the drain or after `close` was called, or
    /// was in flight at the deadline of `close`. They stay in the outbox. Events that failed before
    /// `close` was called and wait for their next attempt stay in the outbox, too, but are not
    /// included: [`OutboxStats::sealed`] counts them.
    pub left: u64,
}

/// The state of an outbox. Returned by [`Relay::stats`](super::Relay::stats).
///
/// See [outbox](crate::guide::outbox) in the guide.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutboxStats {
    /// The number of events that no relay has claimed yet, counted up to 10,000.
    pub pending: u64,
    /// When the oldest event in the outbox, without dead ones, was enqueued. `None` if there is no event.
    pub oldest: Option<SystemTime>,
    /// The number of events in sealed batches: batches that a relay is sending, or will send again.
    pub sealed: u64,
    /// The number of batches that a relay, of any process, is sending.
    pub in_flight: u64,
    /// The number of events that failed several times while others succeeded. Each is retried alone,
    /// with growing waits of up to an hour.
    pub isolated: u64,
    /// The number of dead events.
    pub dead: u64,
    /// Why this relay is stalled, if it is. A stalled relay sends single batches as probes, with
    /// growing waits of up to a minute, because the event key is refused or the server's responses are
    /// invalid.
    pub stalled: Option<String>,
}
