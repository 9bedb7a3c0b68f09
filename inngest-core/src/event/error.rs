//! The errors of an event: it cannot be serialized, or it breaks a rule of Inngest.

use std::sync::Arc;

/// Why an event is invalid. It was not sent, and sending it again unchanged fails again.
///
/// See [errors](crate::guide::errors) in the guide.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The payload, or the envelope's user, could not be serialized.
    #[error("the data of `{event}` could not be serialized")]
    Serialize {
        /// The event's name.
        event: &'static str,
        /// The error of the `Serialize` implementation.
        source: Arc<serde_json::Error>,
    },

    /// The payload, or the envelope's user, is not a JSON object. Inngest rejects such an event with status 400.
    #[error("the `{part}` of `{event}` must be a JSON object, but it is {found}")]
    NotAnObject {
        /// The event's name.
        event: &'static str,
        /// `data` or `user`.
        part: &'static str,
        /// The kind of JSON value found, such as `an array`.
        found: &'static str,
    },

    /// An integer is beyond ±(2^53 - 1). Inngest reads numbers as 64-bit floats, so functions would receive
    /// a rounded integer.
    ///
    /// NaN and the infinities are not an error: `serde_json` writes them as `null`. See
    /// [`InngestEvent`](crate::InngestEvent#numbers).
    #[error(
        "`{path}` of `{event}` is {integer}, beyond ±(2^53 - 1), and Inngest would round it; send it \
         as a string: `#[serde(with = \"inngest_core::as_string\")]`"
    )]
    UnsafeInteger {
        /// The event's name.
        event: &'static str,
        /// The path to the integer in the event, by serialized names: `data.account.id`,
        /// `data.lines[2].sku`, `data["odd key"]`.
        path: String,
        /// The integer as it is written: `9007199254740993`, or `9007199254740993.0` in a `RawValue`.
        integer: String,
    },

    /// A number is beyond the range of 64-bit floats, as which Inngest reads numbers. It is in a `RawValue`, or in a
    /// `Number` if a crate enables `serde_json`'s feature `arbitrary_precision`: numbers of Rust's own types are
    /// within the range.
    #[error(
        "`{path}` of `{event}` is {number}, beyond the range of the 64-bit floats that Inngest reads \
         numbers as; send it as a string"
    )]
    NumberOutOfRange {
        /// The event's name.
        event: &'static str,
        /// The path to the number in the event, as in [`UnsafeInteger`](Self::UnsafeInteger).
        path: String,
        /// The number as it is written.
        number: String,
    },

    /// The payload has a key `_inngest`, which Inngest removes from the data.
    #[error("the data of `{event}` has a key `_inngest`, which Inngest removes; rename it")]
    ReservedKey {
        /// The event's name.
        event: &'static str,
    },

    /// A text in the dedup id is blank: it is empty or has only invisible characters, such as white space.
    /// All events with a blank value would share one id, and only the first would start functions.
    #[error(
        "`{field}` of `{event}` is in its dedup id but is blank; events without a value would share \
         one id, and all but the first would be dropped"
    )]
    BlankIdSegment {
        /// The event's name.
        event: &'static str,
        /// The field's path in the template.
        field: &'static str,
    },

    /// An [`IdSegment`](crate::IdSegment) implementation returned an error.
    #[error(
        "`{field}` of `{event}` could not be written into its dedup id: its `IdSegment` implementation \
         returned an error"
    )]
    IdSegment {
        /// The event's name.
        event: &'static str,
        /// The field's path in the template.
        field: &'static str,
    },

    /// A dedup id is blank: it is empty or has only invisible characters, such as white space. Inngest
    /// treats an empty id as no id.
    #[error("a dedup id is blank: it has no visible character")]
    BlankId,

    /// The event's name breaks a rule. With the derive, this is a compile error.
    #[error("`{name}` is not a valid event name: {problem}")]
    Name {
        /// The name.
        name: &'static str,
        /// The rule, and where the name breaks it.
        problem: String,
    },

    /// The timestamp is outside the range that Inngest accepts: 1980-01-01 to 2100-01-01, both included.
    #[error(
        "the timestamp of `{event}` is {millis} ms since 1970-01-01; it must be from 1980-01-01 to \
         2100-01-01"
    )]
    Timestamp {
        /// The event's name.
        event: &'static str,
        /// The timestamp, in milliseconds since 1970-01-01.
        millis: i64,
    },

    /// The sessions break a rule: see [`Event::session`](crate::Event::session).
    #[error("the sessions of `{event}` are not valid: {problem}")]
    Session {
        /// The event's name.
        event: &'static str,
        /// The rule, and the number or size found.
        problem: String,
    },

    /// The event is larger than the client's `max_event_bytes`.
    #[error("`{event}` is {bytes} bytes; the client's `max_event_bytes` is {max}")]
    TooLarge {
        /// The event's name.
        event: &'static str,
        /// The size of the whole event as JSON, in bytes.
        bytes: usize,
        /// The client's limit, in bytes.
        max: usize,
    },
}

impl EventError {
    pub(crate) fn serialize(event: &'static str, source: serde_json::Error) -> EventError {
        EventError::Serialize { event, source: Arc::new(source) }
    }

    /// Replaces the event's name. An envelope's user is serialized before the event's name is known.
    pub(crate) fn with_event(mut self, name: &'static str) -> EventError {
        match &mut self {
            EventError::Serialize { event, .. }
            | EventError::NotAnObject { event, .. }
            | EventError::UnsafeInteger { event, .. }
            | EventError::NumberOutOfRange { event, .. }
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
