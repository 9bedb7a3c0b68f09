//! The id that Inngest assigns to an accepted event.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// The id that Inngest assigned to an accepted event: a ULID, by which the event can be found in the dashboard.
///
/// It is not the [dedup id](crate::DedupId), which the sender sets.
///
/// See [sending](crate::guide::sending) in the guide.
#[derive(Clone)]
pub struct EventId(Repr);

/// A ULID is stored inline, without an allocation: one response can hold thousands of ids.
#[derive(Clone)]
enum Repr {
    Ulid([u8; 26]),
    Other(Box<str>),
}

impl EventId {
    pub(crate) fn new(id: &str) -> EventId {
        match <[u8; 26]>::try_from(id.as_bytes()) {
            Ok(ulid) if ulid.is_ascii() => EventId(Repr::Ulid(ulid)),
            _ => EventId(Repr::Other(id.into())),
        }
    }

    /// Returns the id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Ulid(ascii) => std::str::from_utf8(ascii).unwrap_or_default(),
            Repr::Other(id) => id,
        }
    }

    /// Returns the id's text as bytes, without the UTF-8 check of [`as_str`](EventId::as_str).
    #[cfg(feature = "client")]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Ulid(ascii) => ascii,
            Repr::Other(id) => id.as_bytes(),
        }
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EventId").field(&self.as_str()).finish()
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl AsRef<str> for EventId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for EventId {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl From<EventId> for String {
    fn from(id: EventId) -> String {
        id.as_str().to_owned()
    }
}

impl PartialEq for EventId {
    fn eq(&self, other: &EventId) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for EventId {}

impl PartialOrd for EventId {
    fn partial_cmp(&self, other: &EventId) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for EventId {
    fn cmp(&self, other: &EventId) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for EventId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<EventId, D::Error> {
        struct EventIdVisitor;

        impl Visitor<'_> for EventIdVisitor {
            type Value = EventId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an event id")
            }

            fn visit_str<E: de::Error>(self, id: &str) -> Result<EventId, E> {
                Ok(EventId::new(id))
            }
        }

        deserializer.deserialize_str(EventIdVisitor)
    }
}
