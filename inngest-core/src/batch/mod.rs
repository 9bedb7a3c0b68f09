//! Batches: events of any types, each serialized once, in the order they were pushed.

mod batch_macro;
mod call_site;
mod events;
mod lineage;
mod not_an_event;
mod seed;
mod split;
mod stored;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::event::{BeforeSend, EventError, EventWriter, IntoEvent};

pub(crate) use call_site::CallSite;
pub use events::BatchEvent;
use lineage::{Lineage, lineage_index};
pub(crate) use seed::Seed;
pub(crate) use split::{RequestLimits, split};
#[cfg(feature = "outbox")]
pub(crate) use stored::event_name;

/// Serialized events of any types, in order, to be sent by
/// [`Client::send_batch`](crate::Client::send_batch).
///
/// An event is serialized when it is pushed, before the batch is passed to a client. The hooks of
/// [`ClientBuilder::before_send`](crate::ClientBuilder::before_send) are therefore not called for
/// it.
///
/// A new batch gets a random seed, from which Inngest derives the events' ids. The batch, and the
/// part of it that an error returns, can therefore be sent again: each event keeps its id, and for
/// 24 hours Inngest starts no function twice for it. (Functions with batching or debounce, and steps
/// that wait for events, do not deduplicate by id.)
///
/// ```
/// # use inngest_core::{Batch, InngestEvent};
/// # use serde::Serialize;
/// #[derive(Serialize, InngestEvent)]
/// #[inngest(name = "storefront/coupon.redeemed", id = "coupon-redeemed-{code}")]
/// struct CouponRedeemed { code: String }
///
/// let mut batch = Batch::new();
/// batch.push(&CouponRedeemed { code: "XMAS".into() })?;
/// assert_eq!(batch.len(), 1);
/// # Ok::<(), inngest_core::EventError>(())
/// ```
///
/// # Storing a batch
///
/// `Batch` implements `Serialize` and `Deserialize`, so that undelivered events can be written to a
/// file at shutdown and sent after the restart: the events keep their ids. Events pushed on a
/// deserialized batch get ids from a new seed. Deserializing a damaged batch, or one of another
/// format version, fails.
///
/// Store the batch that a call returns as unsent, after the call has ended: a stored batch includes
/// which events may have been accepted until then, and later calls with the original do not update
/// it.
///
/// ```
/// # use inngest_core::{Batch, InngestEvent};
/// # use serde::Serialize;
/// # #[derive(Serialize, InngestEvent)]
/// # #[inngest(name = "storefront/coupon.redeemed", id = "coupon-redeemed-{code}")]
/// # struct CouponRedeemed { code: String }
/// # let batch = Batch::try_from_iter([CouponRedeemed { code: "XMAS".into() }])?;
/// let stored = serde_json::to_string(&batch)?;
/// let restored: Batch = serde_json::from_str(&stored)?;
///
/// let event = restored.events().next().unwrap();
/// assert_eq!(event.name(), "storefront/coupon.redeemed");
/// assert_eq!(event.dedup_id().as_deref(), Some("coupon-redeemed-XMAS"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// See [sending](crate::guide::sending) in the guide.
pub struct Batch {
    /// Contains each slot's event, followed by `,` or `]`. Usually it is the JSON array of all
    /// events. It can also contain events that are in no slot of this batch. Shared with the bodies
    /// of requests and with the batches that errors return.
    buffer: Arc<Vec<u8>>,
    slots: Vec<Slot>,
    bytes: usize,
    /// Assigns places to the events pushed on this batch.
    lineage: Arc<Lineage>,
    /// The lineages of events that came from appended or stored batches.
    appended: Vec<Arc<Lineage>>,
}

/// One event in a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    /// The event's number within its seed, which never changes.
    place: u32,
    /// The lineage that assigned the place: 0 is the batch's own, `n` is `appended[n - 1]`.
    lineage: u32,
    pub(crate) name: &'static str,
    pub(crate) call_site: CallSite,
    start: usize,
    end: usize,
}

impl Slot {
    /// Returns the event's size as JSON, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    /// Returns whether the event's place directly follows `previous`'s in the same lineage, so that
    /// one request can contain both.
    fn follows(&self, previous: &Slot) -> bool {
        self.lineage == previous.lineage && previous.place.checked_add(1) == Some(self.place)
    }
}

impl Batch {
    /// Creates an empty batch with a new seed.
    ///
    /// # Panics
    ///
    /// Panics if the operating system's random number generator fails.
    #[must_use]
    pub fn new() -> Batch {
        Batch::with_capacity(0, 0)
    }

    /// Creates an empty batch with capacity for `events` events and `bytes` bytes.
    ///
    /// # Panics
    ///
    /// Panics if the operating system's random number generator fails.
    #[must_use]
    pub fn with_capacity(events: usize, bytes: usize) -> Batch {
        Batch {
            buffer: Arc::new(Vec::with_capacity(bytes)),
            slots: Vec::with_capacity(events),
            bytes: 0,
            lineage: Lineage::new(),
            appended: Vec::new(),
        }
    }

    /// Creates a batch of all `events`, in order.
    ///
    /// # Errors
    ///
    /// Returns the error of the first event that cannot be sent.
    #[track_caller]
    pub fn try_from_iter<I>(events: I) -> Result<Batch, EventError>
    where
        I: IntoIterator<Item: IntoEvent>,
    {
        let mut batch = Batch::new();
        for event in events {
            batch.push(event)?;
        }
        Ok(batch)
    }

    /// Serializes `event` and appends it to the batch.
    ///
    /// # Errors
    ///
    /// Returns [`EventError`] if the event cannot be sent. The batch is then unchanged.
    #[track_caller]
    pub fn push<E: IntoEvent>(&mut self, event: E) -> Result<(), EventError> {
        self.push_with_hooks(&[], event).1
    }

    /// Calls `hooks` with the event's envelope, then pushes the event. Returns the event's name,
    /// and the error if the event cannot be sent.
    #[track_caller]
    pub(crate) fn push_with_hooks<E: IntoEvent>(
        &mut self,
        hooks: &[BeforeSend],
        event: E,
    ) -> (&'static str, Result<(), EventError>) {
        let (buffer, start) = self.begin_slot();
        let mut writer = EventWriter::new(buffer, hooks);
        let written = event.write_event(&mut writer);
        let name = writer.name();
        if written.is_ok() {
            let (end, call_site) = (finish_slot(buffer), CallSite::caller());
            let place = self.lineage.take_place();
            self.add_slot(Slot { place, lineage: 0, name, call_site, start, end });
        } else {
            discard_slot(buffer, start);
        }
        (name, written)
    }

    /// Pushes an event that is serialized already.
    pub(crate) fn push_serialized(&mut self, name: &'static str, json: &[u8], call_site: CallSite) {
        let (buffer, start) = self.begin_slot();
        buffer.extend_from_slice(json);
        let end = finish_slot(buffer);
        let place = self.lineage.take_place();
        self.add_slot(Slot { place, lineage: 0, name, call_site, start, end });
    }

    /// Creates an empty batch with an existing seed, for events that have a place in it already.
    /// Only [`push_at`](Batch::push_at) must be used, since other batches may have taken places of
    /// the seed.
    #[cfg(feature = "outbox")]
    pub(crate) fn of_seed(seed: Seed, events: usize, bytes: usize) -> Batch {
        let lineage = Lineage::from_seed(seed);
        Batch { lineage, ..Batch::with_capacity(events, bytes + events + 1) }
    }

    /// Pushes an event that is serialized already and has a place in the batch's seed.
    #[cfg(feature = "outbox")]
    pub(crate) fn push_at(
        &mut self,
        place: u32,
        name: &'static str,
        json: &[u8],
        call_site: CallSite,
    ) {
        let (buffer, start) = self.begin_slot();
        buffer.extend_from_slice(json);
        let end = finish_slot(buffer);
        self.add_slot(Slot { place, lineage: 0, name, call_site, start, end });
    }

    /// Moves the events of `other` to the end of this batch. They keep their ids, so the batches
    /// returned by several errors can be sent again as one batch.
    #[allow(clippy::needless_pass_by_value, reason = "an event in two batches would be sent twice")]
    pub fn append(&mut self, other: Batch) {
        self.append_shared(&other);
    }

    /// Copies the events of `other` to the end of this batch. The caller must not send `other` too.
    pub(crate) fn append_shared(&mut self, other: &Batch) {
        self.unique_buffer().reserve(other.bytes + other.slots.len() + 1);
        let mut lineages: Vec<Option<u32>> = vec![None; other.appended.len() + 1];
        for slot in &other.slots {
            let (buffer, start) = self.begin_slot();
            buffer.extend_from_slice(other.json(slot));
            let end = finish_slot(buffer);
            let lineage = *lineages[slot.lineage as usize].get_or_insert_with(|| {
                lineage_index(&self.lineage, &mut self.appended, other.lineage(slot))
            });
            self.add_slot(Slot { lineage, start, end, ..*slot });
        }
    }

    /// Prepares the buffer for another event. Returns the buffer and the offset at which the event
    /// starts.
    fn begin_slot(&mut self) -> (&mut Vec<u8>, usize) {
        let end = self.slots.last().map_or(0, |slot| slot.end);
        let buffer = self.unique_buffer();
        // Removes the closing bracket, and any bytes that a panicking `Serialize` left.
        buffer.truncate(end);
        buffer.push(if end == 0 { b'[' } else { b',' });
        let start = buffer.len();
        (buffer, start)
    }

    /// Returns the buffer for writing. If it is shared, it is replaced by a copy of the batch's own
    /// events.
    fn unique_buffer(&mut self) -> &mut Vec<u8> {
        // There are no weak references, so this is cheaper than `Arc::get_mut`.
        if Arc::strong_count(&self.buffer) > 1 {
            self.copy_buffer();
        }
        Arc::make_mut(&mut self.buffer)
    }

    /// Replaces the buffer by one that contains the batch's own events only.
    fn copy_buffer(&mut self) {
        let mut copy = Vec::with_capacity(self.bytes + self.slots.len() + 1);
        for slot in &mut self.slots {
            copy.push(if copy.is_empty() { b'[' } else { b',' });
            let start = copy.len();
            copy.extend_from_slice(&self.buffer[slot.start..slot.end]);
            (slot.start, slot.end) = (start, copy.len());
        }
        if !copy.is_empty() {
            copy.push(b']');
        }
        self.buffer = Arc::new(copy);
    }

    fn add_slot(&mut self, slot: Slot) {
        self.bytes += slot.len();
        self.slots.push(slot);
    }

    /// Returns the number of events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Returns whether the batch has no events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Returns the size of the events as JSON, in bytes, without the separators between them.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Releases unused capacity.
    pub(crate) fn shrink(&mut self) {
        if let Some(buffer) = Arc::get_mut(&mut self.buffer) {
            buffer.shrink_to_fit();
        }
        self.slots.shrink_to_fit();
    }

    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Leaves one place unused, for an event that could not be pushed.
    pub(crate) fn skip_place(&self) {
        self.lineage.take_place();
    }

    /// Returns the seed of a request that starts with the event at `index`.
    pub(crate) fn seed_at(&self, index: usize) -> Seed {
        let slot = &self.slots[index];
        self.lineage(slot).seed.shifted(slot.place)
    }

    /// Marks the events `range`, whose places are consecutive, as possibly accepted. The mark holds
    /// for every batch of the same seed.
    pub(crate) fn mark_in_doubt(&self, range: Range<usize>) {
        if let [first, .., last] | [first @ last] = &self.slots[range] {
            self.lineage(first).mark_in_doubt(first.place, last.place);
        }
    }

    /// Marks all events as possibly accepted.
    pub(crate) fn mark_all_in_doubt(&self) {
        (0..self.len()).for_each(|index| self.mark_in_doubt(index..index + 1));
    }

    /// Returns whether the event at `index` may have been accepted by an earlier attempt.
    pub(crate) fn is_in_doubt(&self, index: usize) -> bool {
        let slot = &self.slots[index];
        self.lineage(slot).is_in_doubt(slot.place)
    }

    fn lineage(&self, slot: &Slot) -> &Arc<Lineage> {
        let appended = (slot.lineage as usize).checked_sub(1);
        appended.map_or(&self.lineage, |index| &self.appended[index])
    }

    fn json(&self, slot: &Slot) -> &[u8] {
        &self.buffer[slot.start..slot.end]
    }

    /// Returns the body of a request with the events `range`, whose places are consecutive: one
    /// event as an object, several as an array. The body of a single event or of the whole batch is
    /// not copied.
    pub(crate) fn body(&self, range: Range<usize>) -> Bytes {
        let slots = &self.slots[range];
        if let [slot] = slots {
            return self.shared_buffer().slice(slot.start..slot.end);
        }
        if self.is_whole_buffer(slots) {
            return self.shared_buffer();
        }
        let mut body =
            Vec::with_capacity(slots.iter().map(|slot| slot.len() + 1).sum::<usize>() + 1);
        for slot in slots {
            body.push(if body.is_empty() { b'[' } else { b',' });
            body.extend_from_slice(self.json(slot));
        }
        body.push(b']');
        body.into()
    }

    /// Returns whether the buffer is the JSON array of exactly `slots`.
    fn is_whole_buffer(&self, slots: &[Slot]) -> bool {
        let mut end = 0;
        let adjacent = slots.iter().all(|slot| {
            let follows = slot.start == end + 1;
            end = slot.end;
            follows
        });
        adjacent && end + 1 == self.buffer.len()
    }

    /// Returns the whole buffer without copying it.
    fn shared_buffer(&self) -> Bytes {
        struct Owner(Arc<Vec<u8>>);

        impl AsRef<[u8]> for Owner {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        Bytes::from_owner(Owner(Arc::clone(&self.buffer)))
    }

    /// Returns a batch of the events at `indexes`, with their ids. It is not public: an event in two
    /// batches could be sent and counted twice.
    ///
    /// The buffer is shared if the events fill at least half of it, and copied otherwise: a small
    /// part must not keep a large buffer in memory.
    pub(crate) fn pick(&self, indexes: impl IntoIterator<Item = usize>) -> Batch {
        let mut appended = Vec::new();
        // Only the lineages of the picked events: a batch can have thousands of them.
        let mut picked_lineages = HashMap::from([(0, 0)]);
        let pick = |index: usize| {
            let slot = self.slots[index];
            let lineage = *picked_lineages.entry(slot.lineage).or_insert_with(|| {
                lineage_index(&self.lineage, &mut appended, self.lineage(&slot))
            });
            Slot { lineage, ..slot }
        };
        let slots: Vec<Slot> = indexes.into_iter().map(pick).collect();
        let mut part = Batch {
            buffer: Arc::clone(&self.buffer),
            bytes: slots.iter().map(Slot::len).sum(),
            slots,
            lineage: Arc::clone(&self.lineage),
            appended,
        };
        if part.bytes < part.buffer.capacity() / 2 {
            part.copy_buffer();
        }
        part
    }
}

/// Closes the array after an event that was written to the end of `buffer`. Returns the offset at
/// which the event ends.
fn finish_slot(buffer: &mut Vec<u8>) -> usize {
    let end = buffer.len();
    buffer.push(b']');
    end
}

/// Removes an event that could not be written, which started at `start`.
fn discard_slot(buffer: &mut Vec<u8>, start: usize) {
    buffer.truncate(start - 1);
    if !buffer.is_empty() {
        buffer.push(b']');
    }
}

/// Returns the name that all of `slots` have in common, or `None` if their names differ.
#[cfg(any(feature = "metrics", feature = "tracing"))]
pub(crate) fn common_name(slots: &[Slot]) -> Option<&'static str> {
    let (first, others) = slots.split_first()?;
    // Events of one type share one string, so comparing the addresses usually suffices.
    let same = |slot: &Slot| std::ptr::eq(slot.name, first.name) || slot.name == first.name;
    others.iter().all(same).then_some(first.name)
}

impl Default for Batch {
    fn default() -> Batch {
        Batch::new()
    }
}

impl fmt::Debug for Batch {
    /// Prints counts only, since payloads can contain personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("events", &self.len())
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}
