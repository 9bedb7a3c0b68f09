//! `Event<E>`, a payload in its envelope, and `Envelope`, the fields of an event other than its data.

use std::fmt::Display;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::blank::is_blank;
use super::checked_json;
use super::error::EventError;

// The limits of Inngest's Event API, which responds with 400 to an event that exceeds one.

/// The timestamps that Inngest accepts, in milliseconds since 1970-01-01: 1980-01-01 to 2100-01-01.
const TIMESTAMPS: std::ops::RangeInclusive<i64> = 315_532_800_000..=4_102_444_800_000;
const MAX_SESSIONS: usize = 5;
const MAX_SESSION_KEY_BYTES: usize = 128;
const MAX_SESSION_VALUE_BYTES: usize = 512;

/// A payload in its envelope: the data, with an optional dedup id, time, version, user and sessions for
/// this one event.
///
/// A payload without an envelope is sent with the dedup id and the version that its type defines. Use an
/// envelope for fields that differ from event to event.
///
/// ```
/// # #[cfg(all(feature = "client", feature = "derive"))] {
/// # use inngest_core::{Batch, Event, InngestEvent};
/// # use serde::Serialize;
/// # #[derive(Serialize, InngestEvent)]
/// # #[inngest(name = "chat/message.received")]
/// # struct MessageReceived { text: String }
/// # let message = MessageReceived { text: "hi".into() };
/// # let time = std::time::SystemTime::now();
/// let mut batch = Batch::new();
/// batch.push(Event::new(&message).at(time).session("chat", "c1"))?;
/// # }
/// # Ok::<(), inngest_core::EventError>(())
/// ```
///
/// # Receiving
///
/// `Event<E>` also deserializes from an event as Inngest passes it to functions. If `E` is a payload, it
/// is deserialized from the data, whatever the event's name is. If `E` is an enum that derives
/// `InngestEvents`, the event's name selects the variant.
///
/// See [sending](crate::guide::sending) in the guide.
#[derive(Clone, Debug)]
pub struct Event<E> {
    /// The payload.
    pub data: E,
    pub(super) envelope: Envelope,
}

/// The fields of one event other than its data, as far as they differ from the defaults of its type.
///
/// A hook set by [`ClientBuilder::before_send`](crate::ClientBuilder::before_send) reads and changes
/// them. Each method does the same as the method of [`Event`] with the same name.
///
/// ```
/// # #[cfg(feature = "client")] {
/// use inngest_core::Client;
///
/// let builder = Client::builder().before_send(|_name, envelope| {
///     envelope.session("region", "eu-west-1");
/// });
/// # }
/// ```
///
/// See [observability](crate::guide::observability) in the guide.
#[derive(Clone, Debug, Default)]
pub struct Envelope {
    pub(super) id: IdChoice,
    pub(super) ts: Option<i64>,
    pub(super) version: Option<String>,
    /// Serialized when it is set. Builder methods return no error, so the error is stored here, and
    /// returned when the event is sent.
    pub(super) user: Option<Result<Option<Box<str>>, EventError>>,
    pub(super) sessions: Vec<(String, String)>,
}

/// The source of an event's dedup id.
#[derive(Clone, Debug, Default)]
pub(super) enum IdChoice {
    /// The template of the payload's type, if it has one.
    #[default]
    Template,
    Given(String),
    None,
}

impl<E> Event<E> {
    /// Creates an envelope around `data`, a payload or a reference to one.
    pub fn new(data: E) -> Event<E> {
        Event { data, envelope: Envelope::default() }
    }

    /// Sets the dedup id, which replaces the id that the payload's template renders.
    ///
    /// Dedup ids are shared by all event types: for 24 hours after the first event with an id, Inngest starts no
    /// function for another one with the same id. An id that is empty or has only
    /// invisible characters is an [`EventError::BlankId`] when the event is sent.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Event<E> {
        self.envelope.id(id);
        self
    }

    /// Removes the dedup id, also if the payload's type has a template. Functions then run for each event
    /// that is sent.
    ///
    /// Retries within one call are still deduplicated, by the event's Inngest id.
    #[must_use]
    pub fn without_id(mut self) -> Event<E> {
        self.envelope.without_id();
        self
    }

    /// Sets the time at which the event happened. Without it, Inngest uses the time of arrival.
    ///
    /// The time is sent as `ts` in milliseconds since 1970-01-01, rounded down. Inngest accepts times from
    /// 1980-01-01 to 2100-01-01, both included; any other time is an [`EventError::Timestamp`] when the event
    /// is sent. A time in the future **delays** the functions until then.
    #[must_use]
    pub fn at(mut self, time: SystemTime) -> Event<E> {
        self.envelope.at(time);
        self
    }

    /// Sets the payload's version (`v`), which replaces the version of the payload's type. Inngest itself
    /// does not interpret it.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Event<E> {
        self.envelope.version(version);
        self
    }

    /// Sets the user (`user`): a value that serializes as a JSON object, such as one with an
    /// `external_id`. A value that serializes as null sets no user. For new code, Inngest recommends to put
    /// this information into the payload.
    ///
    /// The value is serialized at once. If this fails, sending the event returns the error:
    /// [`EventError::Serialize`], [`EventError::NotAnObject`] or [`EventError::UnsafeInteger`].
    #[must_use]
    pub fn user(mut self, user: impl Serialize) -> Event<E> {
        self.envelope.user(user);
        self
    }

    /// Adds the event to a session, a key and a value (`meta.sessions`). A second call with the same key replaces
    /// the value.
    ///
    /// Inngest accepts at most 5 sessions per event, keys of 1 to 128 bytes and values of 1 to 512 bytes.
    /// Sessions that break one of these rules are an [`EventError::Session`] when the event is sent.
    #[must_use]
    pub fn session(mut self, key: impl Into<String>, value: impl Display) -> Event<E> {
        self.envelope.session(key, value);
        self
    }

    /// Returns the payload without its envelope.
    pub fn into_data(self) -> E {
        self.data
    }

    /// Returns the dedup id set by [`id`](Self::id), or the dedup id of a received event.
    #[must_use]
    pub fn given_id(&self) -> Option<&str> {
        self.envelope.given_id()
    }

    /// Returns the time set by [`at`](Self::at), in whole milliseconds, or the time of a received event.
    #[must_use]
    pub fn time(&self) -> Option<SystemTime> {
        self.envelope.time()
    }

    /// Returns the version set by [`version`](Self::version), or the version of a received event.
    #[must_use]
    pub fn given_version(&self) -> Option<&str> {
        self.envelope.given_version()
    }

    /// Deserializes the user. Returns `None` if the event has no user, or if the user could not be
    /// serialized.
    pub fn user_as<U: DeserializeOwned>(&self) -> Option<Result<U, serde_json::Error>> {
        self.envelope.user_as()
    }

    /// Returns the sessions as pairs of key and value, in the order in which their keys were added.
    pub fn sessions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.envelope.sessions()
    }

    pub(crate) fn into_parts(self) -> (E, Envelope) {
        (self.data, self.envelope)
    }

    pub(crate) fn envelope(&self) -> &Envelope {
        &self.envelope
    }
}

impl<E> From<E> for Event<E> {
    fn from(data: E) -> Event<E> {
        Event::new(data)
    }
}

impl Envelope {
    /// Sets the dedup id. See [`Event::id`].
    pub fn id(&mut self, id: impl Into<String>) -> &mut Envelope {
        self.id = IdChoice::Given(id.into());
        self
    }

    /// Removes the dedup id. See [`Event::without_id`].
    pub fn without_id(&mut self) -> &mut Envelope {
        self.id = IdChoice::None;
        self
    }

    /// Sets the time at which the event happened. See [`Event::at`] for the unit and the range.
    pub fn at(&mut self, time: SystemTime) -> &mut Envelope {
        self.ts = Some(unix_millis(time));
        self
    }

    /// Sets the payload's version. See [`Event::version`].
    pub fn version(&mut self, version: impl Into<String>) -> &mut Envelope {
        self.version = Some(version.into());
        self
    }

    /// Sets the user. See [`Event::user`] for the accepted values and the errors.
    pub fn user(&mut self, user: impl Serialize) -> &mut Envelope {
        self.user = Some(checked_json::serialize_user(&user));
        self
    }

    /// Adds the event to a session, or replaces the value of the same key. See [`Event::session`] for the
    /// limits.
    pub fn session(&mut self, key: impl Into<String>, value: impl Display) -> &mut Envelope {
        let (key, value) = (key.into(), value.to_string());
        match self.sessions.iter_mut().find(|(existing, _)| *existing == key) {
            Some((_, existing)) => *existing = value,
            None => self.sessions.push((key, value)),
        }
        self
    }

    /// Returns the dedup id set for this event. Returns `None` if the template of its type renders the id,
    /// or if the event has none.
    #[must_use]
    pub fn given_id(&self) -> Option<&str> {
        match &self.id {
            IdChoice::Given(id) => Some(id),
            IdChoice::Template | IdChoice::None => None,
        }
    }

    /// Returns the time at which the event happened, in whole milliseconds, if it was set.
    #[must_use]
    pub fn time(&self) -> Option<SystemTime> {
        let millis = self.ts?;
        let distance = Duration::from_millis(millis.unsigned_abs());
        if millis < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
    }

    /// Returns the version set for this event. Returns `None` if the version of its type is sent.
    #[must_use]
    pub fn given_version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Deserializes the user. Returns `None` if the event has no user, or if the user could not be
    /// serialized.
    #[must_use]
    pub fn user_as<U: DeserializeOwned>(&self) -> Option<Result<U, serde_json::Error>> {
        let user = self.user.as_ref()?.as_ref().ok()?.as_ref()?;
        Some(serde_json::from_str(user))
    }

    /// Returns the sessions as pairs of key and value, in the order in which their keys were added.
    pub fn sessions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.sessions.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Checks the rules of the Event API, which responds with 400 to an event that breaks one, and treats an empty
    /// dedup id as none.
    pub(super) fn check(&self, event: &'static str) -> Result<(), EventError> {
        if matches!(&self.id, IdChoice::Given(id) if is_blank(id)) {
            return Err(EventError::BlankId);
        }
        if let Some(millis) = self.ts.filter(|millis| !TIMESTAMPS.contains(millis)) {
            return Err(EventError::Timestamp { event, millis });
        }
        match self.session_problem() {
            Some(problem) => Err(EventError::Session { event, problem }),
            None => Ok(()),
        }
    }

    fn session_problem(&self) -> Option<String> {
        if self.sessions.len() > MAX_SESSIONS {
            let count = self.sessions.len();
            return Some(format!("{count} sessions, but an event has at most {MAX_SESSIONS}"));
        }
        self.sessions.iter().find_map(|(key, value)| {
            let too_long = |what: &str, bytes: usize, max: usize| {
                format!("the {what} of session `{key}` is {bytes} bytes; the maximum is {max}")
            };
            if key.is_empty() {
                Some("a session key is empty".to_owned())
            } else if value.is_empty() {
                Some(format!("the value of session `{key}` is empty"))
            } else if key.len() > MAX_SESSION_KEY_BYTES {
                Some(too_long("key", key.len(), MAX_SESSION_KEY_BYTES))
            } else if value.len() > MAX_SESSION_VALUE_BYTES {
                Some(too_long("value", value.len(), MAX_SESSION_VALUE_BYTES))
            } else {
                None
            }
        })
    }
}

/// Converts to whole milliseconds since 1970-01-01, rounded down. A time beyond the range of `i64` becomes its
/// minimum or maximum, which is rejected like any other time out of range.
fn unix_millis(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos().div_ceil(1_000_000))
            .map_or(i64::MIN, |millis| -millis),
    }
}
