//! Events on their way: each serialized once, in the order they were pushed.

mod call_site;
mod seed;
mod split;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;

use crate::event::EventError;
use crate::event::{BeforeSend, EventWriter, IntoEvent};

pub(crate) use call_site::CallSite;
pub(crate) use seed::Seed;
pub(crate) use split::{Limits, split};

/// Events of any types, serialized, in order, ready to be sent by
/// [`Client::send_batch`](crate::Client::send_batch).
///
/// An event is serialized when it is pushed, before a client has to do with it: the hooks of
/// [`ClientBuilder::before_send`](crate::ClientBuilder::before_send) do not see it.
///
/// A batch owns a seed, made when it is created, from which Inngest makes the events' ids. So a
/// batch may be sent again, whole or in part: each event keeps its id, and no function runs twice.
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
    /// The events as one JSON array: `[event,event]`, or nothing. Shared with requests on their way
    /// and with the batches that errors hand back.
    buffer: Arc<Vec<u8>>,
    slots: Vec<Slot>,
    bytes: usize,
    /// Whose places the events pushed here take.
    lineage: Arc<Lineage>,
    /// Whose places the events of batches appended here have.
    appended: Vec<Arc<Lineage>>,
}

/// One event in a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    /// Which event of its seed it is, for good. Places of one seed that follow each other stand side by
    /// side in the buffer.
    place: u32,
    /// Whose place: 0 is the batch's own lineage, and others count from 1.
    lineage: u32,
    /// The event's name.
    pub(crate) name: &'static str,
    pub(crate) call_site: CallSite,
    start: usize,
    end: usize,
}

impl Slot {
    /// The event's size as JSON.
    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether its id counts up from that of `before`, so that one request may hold both.
    fn follows(&self, before: &Slot) -> bool {
        self.lineage == before.lineage && self.place == before.place.wrapping_add(1)
    }
}

/// What a batch shares with the batches handed back from it: no two of their events may have one
/// place of one seed.
#[derive(Debug)]
struct Lineage {
    seed: Seed,
    next_place: AtomicU32,
}

impl Batch {
    /// An empty batch, with a seed of its own.
    ///
    /// # Panics
    ///
    /// Where the operating system has no randomness to give.
    #[must_use]
    pub fn new() -> Batch {
        Batch::with_capacity(0, 0)
    }

    /// An empty batch with room for so many events and bytes.
    ///
    /// # Panics
    ///
    /// As [`new`](Batch::new).
    #[must_use]
    pub fn with_capacity(events: usize, bytes: usize) -> Batch {
        Batch {
            buffer: Arc::new(Vec::with_capacity(bytes)),
            slots: Vec::with_capacity(events),
            bytes: 0,
            lineage: Arc::new(Lineage { seed: Seed::new(), next_place: AtomicU32::new(0) }),
            appended: Vec::new(),
        }
    }

    /// A batch of all events of `events`.
    ///
    /// # Errors
    ///
    /// The first event's that cannot be sent.
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
    /// What is wrong with the event. The batch is then as it was.
    #[track_caller]
    pub fn push<E: IntoEvent>(&mut self, event: E) -> Result<(), EventError> {
        self.push_with_hooks(&[], event).1
    }

    /// As [`push`](Batch::push), after `hooks` have seen the event's envelope. Says the event's name too.
    #[track_caller]
    pub(crate) fn push_with_hooks<E: IntoEvent>(
        &mut self,
        hooks: &[BeforeSend],
        event: E,
    ) -> (&'static str, Result<(), EventError>) {
        let end = self.end();
        let buffer = Arc::make_mut(&mut self.buffer);
        buffer.truncate(end);
        buffer.push(if end == 0 { b'[' } else { b',' });
        let start = buffer.len();

        let mut writer = EventWriter::new(buffer, hooks);
        let written = event.write_event(&mut writer);
        let name = writer.name();
        if written.is_ok() {
            let end = buffer.len();
            let place = self.lineage.next_place.fetch_add(1, Ordering::Relaxed);
            let call_site = CallSite::caller();
            self.slots.push(Slot { place, lineage: 0, name, call_site, start, end });
            self.bytes += end - start;
        } else {
            buffer.truncate(end);
        }
        if !buffer.is_empty() {
            buffer.push(b']');
        }
        (name, written)
    }

    /// Moves the events of `other` behind its own. They keep their ids, so what several errors handed
    /// back may be sent again as one.
    #[allow(clippy::needless_pass_by_value, reason = "an event in two batches would be sent twice")]
    pub fn append(&mut self, other: Batch) {
        self.append_shared(&other);
    }

    pub(crate) fn append_shared(&mut self, other: &Batch) {
        let end = self.end();
        let buffer = Arc::make_mut(&mut self.buffer);
        buffer.truncate(end);
        buffer.reserve(other.bytes + other.slots.len() + 1);
        let mut numbers: Vec<Option<u32>> = vec![None; other.appended.len() + 1];
        for slot in &other.slots {
            buffer.push(if buffer.is_empty() { b'[' } else { b',' });
            let start = buffer.len();
            buffer.extend_from_slice(&other.buffer[slot.start..slot.end]);
            let end = buffer.len();
            let lineage = *numbers[slot.lineage as usize].get_or_insert_with(|| {
                lineage_index(&self.lineage, &mut self.appended, other.lineage(slot.lineage))
            });
            self.slots.push(Slot { lineage, start, end, ..*slot });
        }
        if !buffer.is_empty() {
            buffer.push(b']');
        }
        self.bytes += other.bytes;
    }

    /// How many events it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The size of its events as JSON, without what joins them.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Where the last event ends in the buffer.
    fn end(&self) -> usize {
        self.slots.last().map_or(0, |slot| slot.end)
    }

    /// Puts an event behind the others that was serialized elsewhere.
    pub(crate) fn push_serialized(&mut self, name: &'static str, json: &[u8], call_site: CallSite) {
        let end = self.end();
        let buffer = Arc::make_mut(&mut self.buffer);
        buffer.truncate(end);
        buffer.push(if end == 0 { b'[' } else { b',' });
        let start = buffer.len();
        buffer.extend_from_slice(json);
        let end = buffer.len();
        buffer.push(b']');
        let place = self.lineage.next_place.fetch_add(1, Ordering::Relaxed);
        self.slots.push(Slot { place, lineage: 0, name, call_site, start, end });
        self.bytes += json.len();
    }

    /// Gives back the room it has too much.
    pub(crate) fn shrink(&mut self) {
        if let Some(buffer) = Arc::get_mut(&mut self.buffer) {
            buffer.shrink_to_fit();
        }
        self.slots.shrink_to_fit();
    }

    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Leaves a place empty, for an event that could not be pushed: those behind it keep theirs.
    pub(crate) fn skip(&self) {
        self.lineage.next_place.fetch_add(1, Ordering::Relaxed);
    }

    /// The seed of a request that begins with the event at `index`.
    pub(crate) fn seed_at(&self, index: usize) -> Seed {
        let slot = &self.slots[index];
        self.lineage(slot.lineage).seed.shifted(slot.place)
    }

    fn lineage(&self, number: u32) -> &Arc<Lineage> {
        let appended = (number as usize).checked_sub(1);
        appended.map_or(&self.lineage, |index| &self.appended[index])
    }

    /// The body of a request of the events `range`, whose places follow each other: one event as an
    /// object, several as an array. The whole batch is not copied.
    pub(crate) fn body(&self, range: Range<usize>) -> Bytes {
        let slots = &self.slots[range];
        let (Some(first), Some(last)) = (slots.first(), slots.last()) else {
            return Bytes::from_static(b"[]");
        };
        let whole = first.start == 1 && self.buffer.get(last.end) == Some(&b']');
        if slots.len() == 1 {
            self.shared().slice(first.start..last.end)
        } else if whole {
            self.shared().slice(..=last.end)
        } else {
            let events = &self.buffer[first.start..last.end];
            let mut body = Vec::with_capacity(events.len() + 2);
            body.push(b'[');
            body.extend_from_slice(events);
            body.push(b']');
            body.into()
        }
    }

    fn shared(&self) -> Bytes {
        struct Owner(Arc<Vec<u8>>);

        impl AsRef<[u8]> for Owner {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        Bytes::from_owner(Owner(Arc::clone(&self.buffer)))
    }

    /// The events at `indexes`, each in its place. Not public: whoever holds two batches with one
    /// event gets a duplicate of it only where Inngest has forgotten the first, but it counts twice.
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

/// The name that all of `slots` have.
#[cfg(any(feature = "metrics", feature = "tracing"))]
pub(crate) fn one_name(slots: &[Slot]) -> Option<&'static str> {
    let (first, others) = slots.split_first()?;
    // One type's name is one text.
    let same = |slot: &Slot| std::ptr::eq(slot.name, first.name) || slot.name == first.name;
    others.iter().all(same).then_some(first.name)
}

/// The number that `wanted` goes by in a batch; a new one if it has none yet.
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
    u32::try_from(index + 1).expect("a lineage has an event, and memory holds fewer than 2^32")
}

impl Default for Batch {
    fn default() -> Batch {
        Batch::new()
    }
}

impl fmt::Debug for Batch {
    /// Counts, not payloads: those are the user's customers'.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("events", &self.len())
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// A [`Batch`] of the events listed, of any types: `batch![&checkout, &coupon]?`.
///
/// # Errors
///
/// The first event's that cannot be sent, as an [`EventError`].
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
