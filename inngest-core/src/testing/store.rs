//! The events that the Event API has accepted.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::{Deserialize, DeserializeOwned};
use serde_json::{Map, Value, json};

use super::inbound::InboundEvent;
use crate::event::{Event, EventId, InngestEvent, decode_event};

/// An event that [`EventApi`](super::EventApi) accepted, as Inngest stores it.
///
/// It serializes under the field names it has here, for snapshots and for other programs.
///
/// See [testing](crate::guide::testing) in the guide.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StoredEvent {
    /// The Inngest id that the sender received for it.
    pub id: EventId,
    /// The event's name.
    pub name: String,
    /// The payload: an object, or null if none was sent. Its numbers are converted to 64-bit floats, as
    /// Inngest does: 1.0 is stored as 1, and integers beyond 2^53 are rounded.
    pub data: Value,
    /// The dedup id (`id`), if the event was sent with one.
    pub dedup_id: Option<String>,
    /// The event's time in milliseconds since 1970: the time that was sent, or else the time of arrival.
    pub ts: i64,
    /// The payload's version (`v`).
    pub version: Option<String>,
    /// The user; empty if the event was sent without one.
    pub user: Map<String, Value>,
    /// The sessions (`meta.sessions`).
    pub sessions: BTreeMap<String, String>,
}

impl StoredEvent {
    pub(super) fn new(event: InboundEvent, id: EventId, now: i64) -> StoredEvent {
        StoredEvent {
            id,
            name: event.name,
            data: event.data,
            dedup_id: event.id,
            ts: event.ts.unwrap_or(now),
            version: event.v,
            user: event.user,
            sessions: event.sessions,
        }
    }

    /// Returns whether this is an event of `E`: by its name and, if `E` has a version, by that.
    pub(super) fn is<E: InngestEvent>(&self) -> bool {
        let version = self.version.as_deref();
        self.name == E::NAME && (E::VERSION.is_none() || E::VERSION == version)
    }

    /// Returns the id that Inngest deduplicates by: the dedup id, or else the Inngest id.
    pub(super) fn effective_dedup_id(&self) -> &str {
        self.dedup_id.as_deref().unwrap_or_else(|| self.id.as_str())
    }

    /// Decodes the event with data of type `E`, which can borrow from this event. An event that was sent without
    /// a dedup id has none.
    ///
    /// # Errors
    ///
    /// Returns an error if the data does not decode as `E`. The event's name is not checked.
    pub fn decode<'a, E: Deserialize<'a>>(&'a self) -> Result<Event<E>, serde_json::Error> {
        self.decode_with_id(self.dedup_id.as_deref())
    }

    /// Decodes the event as a function receives it: always with an id.
    pub(super) fn decode_for_function<E: DeserializeOwned>(
        &self,
    ) -> Result<Event<E>, serde_json::Error> {
        self.decode_with_id(Some(self.effective_dedup_id()))
    }

    fn decode_with_id<'a, E: Deserialize<'a>>(
        &'a self,
        id: Option<&str>,
    ) -> Result<Event<E>, serde_json::Error> {
        let envelope = json!({
            "name": self.name,
            "id": id,
            "ts": self.ts,
            "v": self.version,
            "user": self.user,
            "meta": { "sessions": self.sessions },
        });
        decode_event(envelope, &self.data)
    }
}

/// The number of stored events of one name and version.
///
/// See [testing](crate::guide::testing) in the guide.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventType {
    /// The events' name.
    pub name: String,
    /// Their version (`v`).
    pub version: Option<String>,
    /// The number of events.
    pub count: usize,
}

/// Events in order of acceptance.
#[derive(Default)]
pub(super) struct Store(Vec<Arc<StoredEvent>>);

impl Store {
    pub(super) fn push(&mut self, event: Arc<StoredEvent>) {
        self.0.push(event);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn get(&self, index: usize) -> Option<StoredEvent> {
        self.0.get(index).map(|event| StoredEvent::clone(event))
    }

    pub(super) fn all(&self) -> Vec<StoredEvent> {
        self.0.iter().map(|event| StoredEvent::clone(event)).collect()
    }

    /// Returns the events with the name of `E`.
    pub(super) fn of_type<E: InngestEvent>(&self) -> Vec<Arc<StoredEvent>> {
        self.0.iter().filter(|event| event.name == E::NAME).map(Arc::clone).collect()
    }

    pub(super) fn types(&self) -> Vec<EventType> {
        let mut counts = BTreeMap::new();
        for event in &self.0 {
            *counts.entry((&event.name, &event.version)).or_insert(0) += 1;
        }
        let count = |((name, version), count): ((&String, &Option<String>), usize)| EventType {
            name: name.clone(),
            version: version.clone(),
            count,
        };
        counts.into_iter().map(count).collect()
    }
}
