//! Read access to the events of a batch.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;

use super::Batch;

/// An event in a [`Batch`], returned by [`Batch::events`].
///
/// See [sending](crate::guide::sending) in the guide.
#[derive(Clone, Copy)]
pub struct BatchEvent<'a> {
    name: &'static str,
    json: &'a str,
}

impl<'a> BatchEvent<'a> {
    /// Returns the event's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the event's dedup id, if it has one.
    #[must_use]
    pub fn dedup_id(&self) -> Option<Cow<'a, str>> {
        #[derive(Deserialize)]
        struct DedupIdField<'a> {
            #[serde(borrow, default)]
            id: Option<Cow<'a, str>>,
        }
        serde_json::from_str::<DedupIdField<'a>>(self.json).ok()?.id
    }

    /// Returns the whole event as it is sent: a JSON object with `name`, `data` and the rest of the
    /// envelope.
    #[must_use]
    pub fn json(&self) -> &'a str {
        self.json
    }
}

impl fmt::Debug for BatchEvent<'_> {
    /// Prints the name only, since payloads can contain personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchEvent").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Batch {
    /// Returns the events in order.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "serialized JSON is always UTF-8")]
    pub fn events(&self) -> impl ExactSizeIterator<Item = BatchEvent<'_>> {
        self.slots.iter().map(|slot| BatchEvent {
            name: slot.name,
            json: std::str::from_utf8(self.json(slot)).expect("serde_json writes UTF-8"),
        })
    }
}
