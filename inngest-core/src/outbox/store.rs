//! The operations of a relay on a database. The relay makes the decisions, and a store executes them.
//!
//! A claim turns pending events into one sealed batch, or takes a sealed batch that is due. A sealed
//! batch has a seed, and each of its events has a place in the seed, so that the Inngest id of every
//! event is fixed before the first request. A claim is a lease: until it ends, no other relay claims
//! the batch. The lease is an optimization only: a relay that loses it sends the same events with
//! the same ids, and its settlement has no effect.

use std::time::{Duration, SystemTime};

use super::dead::{DeadEvent, Ids};
use super::error::StoreError;
use crate::batch::Seed;

/// A database that holds an outbox: `SqliteStore` or `PostgresStore`.
///
/// This trait is sealed, so that its operations can change in any release.
///
/// See [outbox](crate::guide::outbox) in the guide.
pub trait Store: Protocol {}

/// The operations of a store. Each is atomic: it has its whole effect, or none.
pub trait Protocol: Send + Sync + 'static {
    /// Returns the version of the tables, or 0 if they are missing.
    fn schema_version(&self) -> impl Future<Output = Result<i32, StoreError>> + Send;

    /// Leases a sealed batch that is due, or seals pending events. Returns `None` if there is
    /// neither.
    ///
    /// The batch that has been due for the longest time comes first. Before it comes a batch whose time
    /// is too far ahead, since the clock was set back: ordered by its time, it would be last for hours.
    fn claim(
        &self,
        request: &ClaimRequest,
    ) -> impl Future<Output = Result<Option<ClaimedBatch>, StoreError>> + Send;

    /// Extends a lease to end `length` from now. Returns whether it was still held.
    fn renew(
        &self,
        lease: Lease,
        length: Duration,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Records the outcomes of a claimed batch and ends its lease.
    fn settle(
        &self,
        settlement: &Settlement,
    ) -> impl Future<Output = Result<Settled, StoreError>> + Send;

    /// Counts the events and batches of the outbox.
    fn counts(&self) -> impl Future<Output = Result<Counts, StoreError>> + Send;

    /// Returns up to `limit` dead events with an id greater than `after`, by ascending id.
    fn dead_events(
        &self,
        after: i64,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<DeadEvent>, StoreError>> + Send;

    /// Puts the dead events `dead` back into the outbox, and returns their number. With
    /// [`Ids::Keep`], events with an attempt whose outcome is unknown and that is at least `max_age`
    /// ago stay dead.
    fn requeue(
        &self,
        dead: &[i64],
        ids: Ids,
        max_age: Duration,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Deletes up to `limit` dead events that died at least `older_than` ago, and returns their
    /// number.
    fn purge_dead(
        &self,
        older_than: Duration,
        limit: u32,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

/// The request of a relay for a batch.
#[derive(Clone, Copy, Debug)]
pub struct ClaimRequest {
    /// The token of the new lease. Unique.
    pub token: [u8; 16],
    /// The seed of a batch that is sealed by this claim.
    pub seed: [u8; 16],
    /// The maximum number of events that are sealed.
    pub max_events: usize,
    /// The maximum size of the request with the sealed events: the bytes of each event, plus 1 per
    /// event, plus 1. A larger event is sealed alone.
    pub max_bytes: usize,
    /// The length of the lease.
    pub lease: Duration,
    /// Whether pending events are claimed before a batch that is due. Usually the batch comes first.
    pub pending_first: bool,
}

/// A relay's claim on a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    /// The id of the batch.
    pub batch: i64,
    /// The token that was given to the claim.
    pub token: [u8; 16],
}

/// A batch that a relay has claimed.
#[derive(Clone, Debug)]
pub struct ClaimedBatch {
    /// The claim.
    pub lease: Lease,
    /// The seed of the events' ids.
    pub seed: [u8; 16],
    /// The events, by ascending place.
    pub events: Vec<StoredEvent>,
    /// The number of claims, including this one, that ended or will end with an attempt.
    pub attempts: u32,
    /// The number of failures that the batch itself may have caused, including a lease that this
    /// claim found expired.
    pub crashes: u32,
    /// Whether this claim found an expired lease: the relay that held it was probably killed.
    pub lease_expired: bool,
    /// The time since the first attempt whose outcome is unknown, or `None` if this claim precedes
    /// the first. Zero if the clock was set back.
    pub ambiguous_for: Option<Duration>,
}

/// An event in the database.
#[derive(Clone)]
pub struct StoredEvent {
    /// The event's number within its seed.
    pub place: u32,
    /// The event's name.
    pub name: String,
    /// The event as JSON.
    pub body: Vec<u8>,
    /// The trace context of the caller that enqueued the event.
    pub traceparent: Option<String>,
}

impl std::fmt::Debug for StoredEvent {
    /// Omits the data, which can contain personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredEvent")
            .field("place", &self.place)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The outcomes of a claimed batch. Each of its events is in exactly one of `delivered`, `dead` and
/// `parts`.
#[derive(Clone, Debug, Default)]
pub struct Settlement {
    /// The claim that ends.
    pub lease: Lease,
    /// The places of the events that are deleted, ascending.
    pub delivered: Vec<u32>,
    /// The places of the events that become dead events, ascending, with the reasons.
    pub dead: Vec<(u32, String)>,
    /// The events that stay, as one batch, or as two if the batch is split. All places of the first
    /// part precede the places of the second. If there are none, the batch is deleted.
    pub parts: Vec<Part>,
    /// Whether no event has an attempt with an unknown outcome. The time of the first such attempt,
    /// which the claim has set, is then cleared, also for the dead events.
    pub unambiguous: bool,
    /// The last error, for operators who inspect the table. `None` if there was no attempt: the error of
    /// the previous attempt is kept.
    pub last_error: Option<String>,
}

/// Events of a settled batch that are sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Their places, ascending.
    pub places: Vec<u32>,
    /// The time until the next claim, at most an hour.
    pub due_in: Duration,
    /// The new value of [`ClaimedBatch::attempts`].
    pub attempts: u32,
    /// The new value of [`ClaimedBatch::crashes`].
    pub crashes: u32,
}

/// The effect of a settlement.
#[derive(Debug)]
pub enum Settled {
    /// The outcomes are recorded. Contains the new dead events, in the order of their places.
    Recorded(Vec<DeadEvent>),
    /// The lease was lost, so nothing was changed. Another relay sends, or has sent, the events.
    LeaseLost,
}

/// The numbers of events and batches in an outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events that are not in a sealed batch, counted up to 10,000.
    pub pending: u64,
    /// When the oldest event that is pending or in a sealed batch was enqueued.
    pub oldest: Option<SystemTime>,
    /// Events in sealed batches.
    pub sealed: u64,
    /// Batches that a relay has leased.
    pub in_flight: u64,
    /// Batches of a single event that caused at least [`MAX_CRASHES`] failures.
    pub isolated: u64,
    /// Dead events.
    pub dead: u64,
}

/// The number of failures that a batch itself may have caused, after which the batch is halved.
pub(crate) const MAX_CRASHES: u32 = 3;

/// The longest time until a batch is claimed again. A store considers a batch with a longer wait as
/// due, since the clock must have been set back.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(60 * 60);

impl ClaimRequest {
    /// Returns the claim of a relay, with a new token and a new seed.
    pub(super) fn new(
        limits: (usize, usize),
        lease: Duration,
        pending_first: bool,
    ) -> ClaimRequest {
        let (max_events, max_bytes) = limits;
        let mut token = [0; 16];
        getrandom::fill(&mut token).expect("the operating system's random number generator works");
        let seed = Seed::new().to_bytes();
        ClaimRequest { token, seed, max_events, max_bytes, lease, pending_first }
    }
}
