//! Deserialization of a received event into the variant that holds events of its name.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Error, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::error_path::{PathError, PathTracker};
use super::{EventInfo, InngestEvents};
use crate::event::json_path;
use crate::event::received::{ENUM_MARKER, ReceivedData, version_text};

/// The number of event names or versions that an error lists.
const MAX_LISTED: usize = 8;

/// A received event whose data is not decoded yet, since the name can come after the data.
#[derive(Deserialize)]
#[serde(expecting = "a received event")]
struct UndecodedEvent {
    name: String,
    #[serde(default)]
    v: Value,
    #[serde(default)]
    data: Value,
}

/// Deserializes an enum of events. `decode_data` decodes the data of the event at the given index of
/// `S::EVENTS`.
///
/// If several variants have the event's name, its `v` selects one: the variant of this version, or else the variant
/// without a version.
pub fn decode<'de, S: InngestEvents, D: Deserializer<'de>>(
    deserializer: D,
    decode_data: fn(usize, RawData) -> Result<S, String>,
) -> Result<S, D::Error> {
    let UndecodedEvent { name, v, data } =
        deserializer.deserialize_newtype_struct(ENUM_MARKER, UndecodedEventVisitor(PhantomData))?;
    let version = version_text(v);
    let index = select(S::EVENTS, &name, version.as_deref()).map_err(D::Error::custom)?;
    decode_data(index, RawData { name: S::EVENTS[index].name, version, data })
        .map_err(D::Error::custom)
}

/// Returns the index of the variant that a received event becomes.
fn select(events: &[EventInfo], name: &str, version: Option<&str>) -> Result<usize, String> {
    let mut of_name = events.iter().enumerate().filter(|(_, event)| event.name == name);
    let (first, others) = (of_name.next(), of_name.clone().count());
    let Some((first, _)) = first else {
        return Err(unknown_event(name, events));
    };
    if others == 0 {
        return Ok(first);
    }
    let position = |version: Option<&str>| {
        events.iter().position(|event| event.name == name && event.version == version)
    };
    position(version).or_else(|| position(None)).ok_or_else(|| {
        let versions: Vec<_> = events
            .iter()
            .filter(|event| event.name == name)
            .filter_map(|event| Some(format!("`{}`", event.version?)))
            .collect();
        let found =
            version.map_or("no version".to_owned(), |version| format!("version `{version}`"));
        format!("`{name}` has {found}, expected one of {}", list(&versions))
    })
}

fn unknown_event(name: &str, events: &[EventInfo]) -> String {
    let is_first = |(index, event): &(usize, &EventInfo)| {
        events[..*index].iter().all(|earlier| earlier.name != event.name)
    };
    let names = events.iter().enumerate().filter(is_first);
    let known: Vec<_> = names.map(|(_, event)| format!("`{}`", event.name)).collect();
    format!("unknown event `{name}`, expected one of {}", list(&known))
}

fn list(quoted: &[String]) -> String {
    match quoted.len() {
        0..=MAX_LISTED => quoted.join(", "),
        count => format!("{} and {} more", quoted[..MAX_LISTED].join(", "), count - MAX_LISTED),
    }
}

struct UndecodedEventVisitor<'de>(PhantomData<&'de ()>);

impl<'de> Visitor<'de> for UndecodedEventVisitor<'de> {
    type Value = UndecodedEvent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a received event")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        event: D,
    ) -> Result<UndecodedEvent, D::Error> {
        UndecodedEvent::deserialize(event)
    }
}

/// The data of an event whose name is known.
#[derive(Debug)]
pub struct RawData {
    name: &'static str,
    version: Option<String>,
    data: Value,
}

impl RawData {
    /// Decodes the data as the payload of `variant`.
    pub fn decode<T: DeserializeOwned, S>(self, variant: fn(T) -> S) -> Result<S, String> {
        let RawData { name, version, data } = self;
        let event = match version {
            Some(version) => format!("`{name}`, version `{version}`"),
            None => format!("`{name}`"),
        };
        match ReceivedData::deserialize(&data) {
            Ok(ReceivedData::Decoded(payload)) => Ok(variant(payload)),
            Ok(ReceivedData::NeedsName(_)) => {
                Err(format!("`data` of {event}: the payload is itself an enum of events"))
            }
            Err(error) => {
                let message = error.to_string();
                let path = path_to_error::<T>(&data, &message);
                Err(format!("`{path}` of {event}: {message}"))
            }
        }
    }
}

/// Returns the path to the value that cannot be decoded as a `T`, by decoding the data again with
/// [`PathTracker`]. If that gives another error than `message`, the path is `data`.
fn path_to_error<T: DeserializeOwned>(data: &Value, message: &str) -> String {
    let error: Option<PathError> = ReceivedData::<T>::deserialize(PathTracker(data)).err();
    let steps = error.filter(|error| error.message == message).map(PathError::into_steps);
    json_path::render("data", &steps.unwrap_or_default())
}
