//! What can go wrong, for people and for programs.

use std::sync::Arc;

/// Why an event cannot be sent as it is. Nothing of it has gone out, and sending it again as it is
/// fails again.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The payload could not be serialized.
    #[error("the data of `{event}` could not be serialized")]
    Serialize {
        /// The event's name.
        event: &'static str,
        /// What serde says.
        source: Arc<serde_json::Error>,
    },

    /// The payload, or the envelope's user, is not a JSON object. Inngest answers 400 to it.
    #[error("the `{part}` of `{event}` must be a JSON object, but it is {found}")]
    NotAnObject {
        /// The event's name.
        event: &'static str,
        /// `data` or `user`.
        part: &'static str,
        /// What it is, such as `an array`.
        found: &'static str,
    },

    /// An integer beyond ±(2^53 - 1): Inngest reads numbers as 64-bit floats, and the functions would
    /// get another one.
    #[error(
        "`{path}` of `{event}` is {integer}, beyond ±(2^53 - 1), and Inngest would round it; send it \
         as a string: `#[serde(with = \"inngest_core::as_string\")]`"
    )]
    UnsafeInteger {
        /// The event's name.
        event: &'static str,
        /// Where it is in the event, by serialized names: `data.account.id`, `data.lines[2].sku`.
        path: String,
        /// The integer.
        integer: String,
    },

    /// The payload has a key `_inngest`, which Inngest removes from the data.
    #[error("the data of `{event}` has a key `_inngest`, which Inngest removes; rename it")]
    ReservedKey {
        /// The event's name.
        event: &'static str,
    },

    /// A text in the dedup id is empty or only white space. Every event without a value would share
    /// one id, and all but the first would start nothing.
    #[error(
        "`{field}` of `{event}` is in its dedup id but is empty; events without a value would share \
         one id, and all but the first would be dropped"
    )]
    BlankIdSegment {
        /// The event's name.
        event: &'static str,
        /// The field, as the template names it.
        field: &'static str,
    },

    /// An [`IdSegment`](crate::IdSegment) implementation returned an error.
    #[error("`{field}` of `{event}` could not be written into its dedup id")]
    IdSegment {
        /// The event's name.
        event: &'static str,
        /// The field, as the template names it.
        field: &'static str,
    },

    /// A dedup id is empty or only white space. Inngest takes an empty id for none.
    #[error("a dedup id is empty or only white space")]
    BlankId,

    /// The event's name breaks a rule. The derive finds this when it compiles.
    #[error("`{name}` cannot be an event's name: {problem}")]
    Name {
        /// The name.
        name: &'static str,
        /// The rule.
        problem: String,
    },

    /// The timestamp is not from 1980-01-01 to 2100-01-01.
    #[error("the time of `{event}` is {millis} ms since 1970, outside of 1980-01-01 to 2100-01-01")]
    Timestamp {
        /// The event's name.
        event: &'static str,
        /// Milliseconds since 1970-01-01.
        millis: i64,
    },

    /// The sessions break a limit.
    #[error("the sessions of `{event}`: {problem}")]
    Session {
        /// The event's name.
        event: &'static str,
        /// The limit and what was found.
        problem: String,
    },

    /// The event is larger than the client's `max_event_bytes`.
    #[error("`{event}` is {bytes} bytes, but an event has at most {max}")]
    TooLarge {
        /// The event's name.
        event: &'static str,
        /// The whole event as JSON.
        bytes: usize,
        /// The client's limit.
        max: usize,
    },
}

impl EventError {
    pub(crate) fn serialize(event: &'static str, source: serde_json::Error) -> EventError {
        EventError::Serialize { event, source: Arc::new(source) }
    }

    /// The same error, of another event: a user is serialized before its event has a name.
    pub(crate) fn of_event(mut self, name: &'static str) -> EventError {
        match &mut self {
            EventError::Serialize { event, .. }
            | EventError::NotAnObject { event, .. }
            | EventError::UnsafeInteger { event, .. }
            | EventError::ReservedKey { event }
            | EventError::BlankIdSegment { event, .. }
            | EventError::IdSegment { event, .. }
            | EventError::Timestamp { event, .. }
            | EventError::Session { event, .. }
            | EventError::TooLarge { event, .. } => *event = name,
            EventError::BlankId | EventError::Name { .. } => {}
        }
        self
    }
}
