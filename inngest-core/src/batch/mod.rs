//! Batches: events of any types, each serialized once, in the order they were pushed.

mod call_site;
mod seed;
mod split;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;

use crate::event::{BeforeSend, EventError, EventWriter, IntoEvent};

pub(crate) use call_site::CallSite;
pub(crate) use seed::Seed;
pub(crate) use split::{RequestLimits, split};

/// Serialized events of any types, in order, to be sent by
/// [`Client::send_batch`](crate::Client::send_batch).
///
/// An event is serialized when it is pushed, before a client sees it: the hooks of
/// [`ClientBuilder::before_send`](crate::ClientBuilder::before_send) are not called for it.
///
/// A batch owns a seed, created with the batch, from which Inngest derives the events' ids. A batch can
/// therefore be sent again, as a whole or in part: each event keeps its id, and no function runs twice.
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
pub struct Batch {
    /// The events as one JSON array, `[event,event]`, or empty. Shared with the bodies of requests and with
    /// the batches that errors return.
    buffer: Arc<Vec<u8>>,
    slots: Vec<Slot>,
    bytes: usize,
    /// Assigns places to the events pushed on this batch.
    lineage: Arc<Lineage>,
    /// The lineages of the events of appended batches.
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

    /// Returns whether the event's id is the successor of `previous`'s, so that one request can contain both.
    fn follows(&self, previous: &Slot) -> bool {
        self.lineage == previous.lineage && self.place == previous.place.wrapping_add(1)
    }
}

/// A seed and its next free place, shared by a batch and the batches returned from it: no two of their events
/// may have the same place.
#[derive(Debug)]
struct Lineage {
    seed: Seed,
    next_place: AtomicU32,
}

impl Lineage {
    fn new() -> Arc<Lineage> {
        Arc::new(Lineage { seed: Seed::new(), next_place: AtomicU32::new(0) })
    }

    fn take_place(&self) -> u32 {
        self.next_place.fetch_add(1, Ordering::Relaxed)
    }
}

impl Batch {
    /// Creates an empty batch with a new seed.
    ///
    /// # Panics
    ///
    /// If the operating system's random number generator fails.
    #[must_use]
    pub fn new() -> Batch {
        Batch::with_capacity(0, 0)
    }

    /// Creates an empty batch with capacity for `events` events and `bytes` bytes.
    ///
    /// # Panics
    ///
    /// If the operating system's random number generator fails.
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

    /// Creates a batch of all events of `events`.
    ///
    /// # Errors
    ///
    /// The error of the first event that cannot be sent.
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

    /// Serializes `event` to the end of the batch.
    ///
    /// # Errors
    ///
    /// [`EventError`] if the event cannot be sent. The batch is then unchanged.
    #[track_caller]
    pub fn push<E: IntoEvent>(&mut self, event: E) -> Result<(), EventError> {
        self.push_with_hooks(&[], event).1
    }

    /// Calls `hooks` with the event's envelope, then pushes the event. Returns the event's name too.
    #[track_caller]
    pub(crate) fn push_with_hooks<E: IntoEvent>(
        &mut self,
        hooks: &[BeforeSend],
        event: E,
    ) -> (&'static str, Result<(), EventError>) {
        let end = self.end();
        let (buffer, start) = begin_slot(&mut self.buffer, end);
        let mut writer = EventWriter::new(buffer, hooks);
        let written = event.write_event(&mut writer);
        let name = writer.name();
        if written.is_ok() {
            let (end, call_site) = (finish_slot(buffer), CallSite::caller());
            let place = self.lineage.take_place();
            self.add_slot(Slot { place, lineage: 0, name, call_site, start, end });
        } else {
            discard_slot(buffer, end);
        }
        (name, written)
    }

    /// Pushes an event that is serialized already.
    pub(crate) fn push_serialized(&mut self, name: &'static str, json: &[u8], call_site: CallSite) {
        let end = self.end();
        let (buffer, start) = begin_slot(&mut self.buffer, end);
        buffer.extend_from_slice(json);
        let end = finish_slot(buffer);
        let place = self.lineage.take_place();
        self.add_slot(Slot { place, lineage: 0, name, call_site, start, end });
    }

    /// Moves the events of `other` to the end of this batch. They keep their ids, so the batches that several
    /// errors return can be sent again as one.
    #[allow(clippy::needless_pass_by_value, reason = "an event in two batches would be sent twice")]
    pub fn append(&mut self, other: Batch) {
        self.append_shared(&other);
    }

    pub(crate) fn append_shared(&mut self, other: &Batch) {
        Arc::make_mut(&mut self.buffer).reserve(other.bytes + other.slots.len() + 1);
        let mut lineages: Vec<Option<u32>> = vec![None; other.appended.len() + 1];
        for slot in &other.slots {
            let end = self.end();
            let (buffer, start) = begin_slot(&mut self.buffer, end);
            buffer.extend_from_slice(&other.buffer[slot.start..slot.end]);
            let end = finish_slot(buffer);
            let lineage = *lineages[slot.lineage as usize].get_or_insert_with(|| {
                lineage_index(&self.lineage, &mut self.appended, other.lineage(slot.lineage))
            });
            self.add_slot(Slot { lineage, start, end, ..*slot });
        }
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

    /// Returns the offset in the buffer at which the last event ends.
    fn end(&self) -> usize {
        self.slots.last().map_or(0, |slot| slot.end)
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

    /// Leaves a place unused, for an event that could not be pushed.
    pub(crate) fn skip_place(&self) {
        self.lineage.take_place();
    }

    /// Returns the seed of a request that starts with the event at `index`.
    pub(crate) fn seed_at(&self, index: usize) -> Seed {
        let slot = &self.slots[index];
        self.lineage(slot.lineage).seed.shifted(slot.place)
    }

    fn lineage(&self, index: u32) -> &Arc<Lineage> {
        let appended = (index as usize).checked_sub(1);
        appended.map_or(&self.lineage, |index| &self.appended[index])
    }

    /// Returns the body of a request with the events `range`, whose places are consecutive: one event as an
    /// object, several as an array. The body of the whole batch is not copied.
    pub(crate) fn body(&self, range: Range<usize>) -> Bytes {
        let slots = &self.slots[range];
        let (Some(first), Some(last)) = (slots.first(), slots.last()) else {
            return Bytes::from_static(b"[]");
        };
        let whole = first.start == 1 && self.buffer.get(last.end) == Some(&b']');
        if slots.len() == 1 {
            self.shared_buffer().slice(first.start..last.end)
        } else if whole {
            self.shared_buffer().slice(..=last.end)
        } else {
            let events = &self.buffer[first.start..last.end];
            let mut body = Vec::with_capacity(events.len() + 2);
            body.push(b'[');
            body.extend_from_slice(events);
            body.push(b']');
            body.into()
        }
    }

    fn shared_buffer(&self) -> Bytes {
        struct Owner(Arc<Vec<u8>>);

        impl AsRef<[u8]> for Owner {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        Bytes::from_owner(Owner(Arc::clone(&self.buffer)))
    }

    /// Returns a batch of the events at `indexes`, with their places. Not public, since the same event in two
    /// batches would be sent and counted twice.
    pub(crate) fn pick(&self, indexes: impl IntoIterator<Item = usize>) -> Batch {
        let slots: Vec<Slot> = indexes.into_iter().map(|index| self.slots[index]).collect();
        Batch {
            buffer: Arc::clone(&self.buffer),
            bytes: slots.iter().map(Slot::len).sum(),
            slots,
            lineage: Arc::clone(&self.lineage),
            appended: self.appended.clone(),
        }
    }
}

/// Prepares `buffer`, whose last event ends at `end`, for another event. Returns the buffer and the offset at
/// which the event starts.
fn begin_slot(buffer: &mut Arc<Vec<u8>>, end: usize) -> (&mut Vec<u8>, usize) {
    let buffer = Arc::make_mut(buffer);
    buffer.truncate(end);
    buffer.push(if end == 0 { b'[' } else { b',' });
    let start = buffer.len();
    (buffer, start)
}

/// Closes the array after an event that was written to the end of `buffer`. Returns the offset at which the event
/// ends.
fn finish_slot(buffer: &mut Vec<u8>) -> usize {
    let end = buffer.len();
    buffer.push(b']');
    end
}

/// Undoes `begin_slot` and everything that was written after it.
fn discard_slot(buffer: &mut Vec<u8>, end: usize) {
    buffer.truncate(end);
    if end > 0 {
        buffer.push(b']');
    }
}

/// Returns the name that all of `slots` have, if there is one.
#[cfg(any(feature = "metrics", feature = "tracing"))]
pub(crate) fn one_name(slots: &[Slot]) -> Option<&'static str> {
    let (first, others) = slots.split_first()?;
    // Events of one type share one string, so comparing the addresses usually suffices.
    let same = |slot: &Slot| std::ptr::eq(slot.name, first.name) || slot.name == first.name;
    others.iter().all(same).then_some(first.name)
}

/// Returns the index of `wanted` in a batch, after adding it if it is missing.
fn lineage_index(
    own: &Arc<Lineage>,
    appended: &mut Vec<Arc<Lineage>>,
    wanted: &Arc<Lineage>,
) -> u32 {
    if Arc::ptr_eq(own, wanted) {
        return 0;
    }
    let known = appended.iter().position(|lineage| Arc::ptr_eq(lineage, wanted));
    let index = known.unwrap_or_else(|| {
        appended.push(Arc::clone(wanted));
        appended.len() - 1
    });
    u32::try_from(index + 1).expect("each lineage has an event, and memory holds fewer than 2^32")
}

impl Default for Batch {
    fn default() -> Batch {
        Batch::new()
    }
}

impl fmt::Debug for Batch {
    /// Prints counts only, since payloads may contain personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("events", &self.len())
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// Creates a [`Batch`] of the listed events, of any types: `batch![&checkout, &coupon]?`.
///
/// # Errors
///
/// The [`EventError`] of the first event that cannot be sent.
///
/// ```
/// # use inngest_core::{InngestEvent, batch};
/// # use serde::Serialize;
/// # #[derive(Serialize, InngestEvent)]
/// # #[inngest(name = "storefront/coupon.redeemed")]
/// # struct CouponRedeemed { code: String }
/// # #[derive(Serialize, InngestEvent)]
/// # #[inngest(name = "storefront/customer.joined")]
/// # struct CustomerJoined { email: String }
/// # let coupon = CouponRedeemed { code: "XMAS".into() };
/// # let joined = CustomerJoined { email: "a@b.c".into() };
/// let batch = batch![&coupon, &joined]?;
/// assert_eq!(batch.len(), 2);
/// # Ok::<(), inngest_core::EventError>(())
/// ```
#[macro_export]
macro_rules! batch {
    ($($event:expr),* $(,)?) => {
        'batch: {
            #[allow(unused_mut)]
            let mut batch = $crate::Batch::new();
            $(
                if let ::core::result::Result::Err(error) = batch.push($event) {
                    break 'batch ::core::result::Result::Err(error);
                }
            )*
            ::core::result::Result::<$crate::Batch, $crate::EventError>::Ok(batch)
        }
    };
}
