//! `Event<E>`: a payload and what travels beside it.

use std::fmt::Display;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};

use super::error::EventError;
use super::received::ReceivedData;
use super::set;
use super::writer;

/// The earliest and the latest timestamp Inngest takes, in milliseconds: 1980-01-01 and 2100-01-01.
const TIMESTAMPS: std::ops::RangeInclusive<i64> = 315_532_800_000..=4_102_444_800_000;
const MAX_SESSIONS: usize = 5;
const MAX_SESSION_KEY_BYTES: usize = 128;
const MAX_SESSION_VALUE_BYTES: usize = 512;

/// A payload in its envelope: the data plus a dedup id, a time, a version, a user and sessions of
/// its own.
///
/// A payload alone is sent with the id and the version its type gives it; an envelope is for what
/// differs from event to event.
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
/// It is also what a receiver decodes: `Event<E>: Deserialize` reads an event as Inngest hands it to
/// functions. Where `E` is one payload, its data are read, whatever the event's name; an enum that
/// derives `InngestEvents` is read by the name.
#[derive(Clone, Debug)]
pub struct Event<E> {
    /// The payload.
    pub data: E,
    envelope: Envelope,
}

/// What travels beside a payload, where it differs from what its type says: what
/// [`ClientBuilder::before_send`](crate::ClientBuilder::before_send) sees and may change.
///
/// Its methods are those of [`Event`], which go to the event's envelope.
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
#[derive(Clone, Debug, Default)]
pub struct Envelope {
    pub(super) id: IdChoice,
    pub(super) ts: Option<i64>,
    pub(super) version: Option<String>,
    /// Serialized when it was given, since a builder's method cannot fail; an error waits for the
    /// event to be sent.
    pub(super) user: Option<Result<Option<Box<str>>, EventError>>,
    pub(super) sessions: Vec<(String, String)>,
}

/// Where an event's dedup id comes from.
#[derive(Clone, Debug, Default)]
pub(super) enum IdChoice {
    /// From the payload's template, if its type has one.
    #[default]
    Template,
    Given(String),
    None,
}

impl<E> Event<E> {
    /// An envelope around `data`, a payload or a reference to one.
    pub fn new(data: E) -> Event<E> {
        Event { data, envelope: Envelope::default() }
    }

    /// Sets the dedup id, in place of the one the payload's template makes. Ids are global across
    /// event types. An empty one is an [`EventError::BlankId`] when the event is sent.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Event<E> {
        self.envelope.id(id);
        self
    }

    /// Sends the event without a dedup id, although its type has a template: functions run for
    /// every one sent. (Retries of one send are still told apart from it, by its Inngest id.)
    #[must_use]
    pub fn without_id(mut self) -> Event<E> {
        self.envelope.without_id();
        self
    }

    /// Sets when it happened (`ts`, in milliseconds on the wire), from 1980-01-01 to 2100-01-01;
    /// Inngest takes the time of arrival otherwise.
    ///
    /// A time in the future **delays** the functions until then.
    #[must_use]
    pub fn at(mut self, time: SystemTime) -> Event<E> {
        self.envelope.at(time);
        self
    }

    /// Sets the payload's version (`v`), in place of the type's own.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Event<E> {
        self.envelope.version(version);
        self
    }

    /// Sets the user (`user`): anything that serializes as an object, such as one with
    /// `external_id`. New code rather puts it in the payload.
    ///
    /// What cannot be serialized is an error when the event is sent.
    #[must_use]
    pub fn user(mut self, user: impl Serialize) -> Event<E> {
        self.envelope.user(user);
        self
    }

    /// Adds the event to a session (`meta.sessions`), or moves it to another of the same key: at
    /// most 5, a key of at most 128 bytes, a value of at most 512, neither empty.
    #[must_use]
    pub fn session(mut self, key: impl Into<String>, value: impl Display) -> Event<E> {
        self.envelope.session(key, value);
        self
    }

    /// The payload, without its envelope.
    pub fn into_data(self) -> E {
        self.data
    }

    /// The dedup id that [`id`](Self::id) set, or that a received event has.
    #[must_use]
    pub fn given_id(&self) -> Option<&str> {
        self.envelope.given_id()
    }

    /// When it happened, as [`at`](Self::at) set it or as it was received.
    #[must_use]
    pub fn time(&self) -> Option<SystemTime> {
        self.envelope.time()
    }

    /// The version that [`version`](Self::version) set, or that a received event has.
    #[must_use]
    pub fn given_version(&self) -> Option<&str> {
        self.envelope.given_version()
    }

    /// The user, decoded; `None` where there is none.
    pub fn user_as<U: DeserializeOwned>(&self) -> Option<Result<U, serde_json::Error>> {
        self.envelope.user_as()
    }

    /// The sessions, keys and values.
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
    /// Sets the dedup id: see [`Event::id`].
    pub fn id(&mut self, id: impl Into<String>) -> &mut Envelope {
        self.id = IdChoice::Given(id.into());
        self
    }

    /// Sends the event without a dedup id: see [`Event::without_id`].
    pub fn without_id(&mut self) -> &mut Envelope {
        self.id = IdChoice::None;
        self
    }

    /// Sets when it happened: see [`Event::at`].
    pub fn at(&mut self, time: SystemTime) -> &mut Envelope {
        self.ts = Some(unix_millis(time));
        self
    }

    /// Sets the payload's version: see [`Event::version`].
    pub fn version(&mut self, version: impl Into<String>) -> &mut Envelope {
        self.version = Some(version.into());
        self
    }

    /// Sets the user: see [`Event::user`].
    pub fn user(&mut self, user: impl Serialize) -> &mut Envelope {
        self.user = Some(writer::user(&user));
        self
    }

    /// Adds the event to a session, or moves it to another of the same key: see [`Event::session`].
    pub fn session(&mut self, key: impl Into<String>, value: impl Display) -> &mut Envelope {
        let (key, value) = (key.into(), value.to_string());
        match self.sessions.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = value,
            None => self.sessions.push((key, value)),
        }
        self
    }

    /// The dedup id that was set for this event; `None` where its type's template makes it.
    #[must_use]
    pub fn given_id(&self) -> Option<&str> {
        match &self.id {
            IdChoice::Given(id) => Some(id),
            IdChoice::Template | IdChoice::None => None,
        }
    }

    /// When it happened, if that was set.
    #[must_use]
    pub fn time(&self) -> Option<SystemTime> {
        let millis = self.ts?;
        let distance = Duration::from_millis(millis.unsigned_abs());
        if millis < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
    }

    /// The version that was set for this event; `None` where its type's own is sent.
    #[must_use]
    pub fn given_version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The user, decoded; `None` where there is none.
    #[must_use]
    pub fn user_as<U: DeserializeOwned>(&self) -> Option<Result<U, serde_json::Error>> {
        let user = self.user.as_ref()?.as_ref().ok()?.as_ref()?;
        Some(serde_json::from_str(user))
    }

    /// The sessions, keys and values.
    pub fn sessions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.sessions.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// What the server would refuse, or take for something else.
    pub(super) fn check(&self, event: &'static str) -> Result<(), EventError> {
        if matches!(&self.id, IdChoice::Given(id) if id.trim().is_empty()) {
            return Err(EventError::BlankId);
        }
        if let Some(millis) = self.ts.filter(|millis| !TIMESTAMPS.contains(millis)) {
            return Err(EventError::Timestamp { event, millis });
        }
        if self.sessions.len() > MAX_SESSIONS {
            let problem = format!("{} sessions, but an event has at most 5", self.sessions.len());
            return Err(EventError::Session { event, problem });
        }
        for (key, value) in &self.sessions {
            let too_long = |what: &str, bytes: usize, max: usize| {
                format!("the {what} of session `{key}` is {bytes} bytes, of at most {max}")
            };
            let problem = if key.is_empty() {
                "a session key is empty".to_owned()
            } else if value.is_empty() {
                format!("the value of session `{key}` is empty")
            } else if key.len() > MAX_SESSION_KEY_BYTES {
                too_long("key", key.len(), MAX_SESSION_KEY_BYTES)
            } else if value.len() > MAX_SESSION_VALUE_BYTES {
                too_long("value", value.len(), MAX_SESSION_VALUE_BYTES)
            } else {
                continue;
            };
            return Err(EventError::Session { event, problem });
        }
        Ok(())
    }
}

/// Whole milliseconds, rounded down; a time too far off for an `i64` is out of range all the same.
fn unix_millis(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos().div_ceil(1_000_000))
            .map_or(i64::MIN, |millis| -millis),
    }
}

/// An event as Inngest hands it to functions.
#[derive(Deserialize)]
#[serde(bound = "E: Deserialize<'de>", expecting = "a received event")]
struct Received<E> {
    #[serde(default)]
    name: Option<String>,
    data: ReceivedData<E>,
    #[serde(default)]
    id: Option<String>,
    /// Inngest keeps it as a float.
    #[serde(default)]
    ts: Option<f64>,
    #[serde(default)]
    v: Option<String>,
    #[serde(default)]
    user: Option<serde_json::Map<String, serde_json::Value>>,
    #[serde(default)]
    meta: Option<ReceivedMeta>,
}

#[derive(Default, Deserialize)]
struct ReceivedMeta {
    #[serde(default)]
    sessions: Option<serde_json::Map<String, serde_json::Value>>,
}

impl<'de, E: Deserialize<'de>> Deserialize<'de> for Event<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Event<E>, D::Error> {
        let received = Received::<E>::deserialize(deserializer)?;
        let data = match received.data {
            ReceivedData::Read(data) => data,
            ReceivedData::NeedsName(data) => {
                E::deserialize(set::with_name(received.name, data)).map_err(D::Error::custom)?
            }
        };
        let sessions = received.meta.unwrap_or_default().sessions.unwrap_or_default();
        let session_text = |value: serde_json::Value| match value {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        let user = received.user.filter(|user| !user.is_empty()).map(serde_json::Value::Object);
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds of any year fit")]
        let ts = received.ts.map(|millis| millis as i64);
        Ok(Event {
            data,
            envelope: Envelope {
                id: received.id.filter(|id| !id.is_empty()).map_or(IdChoice::None, IdChoice::Given),
                ts: ts.filter(|millis| *millis != 0),
                version: received.v.filter(|version| !version.is_empty()),
                user: user.map(|user| Ok(Some(user.to_string().into()))),
                sessions: sessions
                    .into_iter()
                    .map(|(key, value)| (key, session_text(value)))
                    .collect(),
            },
        })
    }
}
