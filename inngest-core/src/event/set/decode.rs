//! Deserialization of a received event into the variant that holds events of its name.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Error, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::error_path::{PathError, PathTracker};
use super::{EventInfo, InngestEvents};
use crate::event::json_path;
use crate::event::received::{ENUM_MARKER, ReceivedData};

/// The number of event names that an error lists.
const MAX_LISTED: usize = 8;

/// A received event before its data is decoded, since the name may follow the data.
#[derive(Deserialize)]
#[serde(expecting = "a received event")]
struct UndecodedEvent {
    name: String,
    #[serde(default)]
    data: Value,
}

/// Deserializes an enum of events. `decode_data` decodes the data of the event at the given index of
/// `S::EVENTS`.
pub fn decode<'de, S: InngestEvents, D: Deserializer<'de>>(
    deserializer: D,
    decode_data: fn(usize, RawData) -> Result<S, String>,
) -> Result<S, D::Error> {
    let UndecodedEvent { name, data } =
        deserializer.deserialize_newtype_struct(ENUM_MARKER, UndecodedEventVisitor(PhantomData))?;
    let Some(index) = S::EVENTS.iter().position(|event| event.name == name) else {
        return Err(D::Error::custom(unknown_event(&name, S::EVENTS)));
    };
    decode_data(index, RawData { name: S::EVENTS[index].name, data }).map_err(D::Error::custom)
}

fn unknown_event(name: &str, events: &[EventInfo]) -> String {
    let known: Vec<_> = events.iter().map(|event| format!("`{}`", event.name)).collect();
    let known = match known.len() {
        0..=MAX_LISTED => known.join(", "),
        count => format!("{} and {} more", known[..MAX_LISTED].join(", "), count - MAX_LISTED),
    };
    format!("unknown event `{name}`, expected one of {known}")
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
    data: Value,
}

impl RawData {
    /// Decodes the data as the payload of `variant`.
    pub fn decode<T: DeserializeOwned, S>(self, variant: fn(T) -> S) -> Result<S, String> {
        let RawData { name, data } = self;
        match ReceivedData::deserialize(&data) {
            Ok(ReceivedData::Decoded(payload)) => Ok(variant(payload)),
            Ok(ReceivedData::NeedsName(_)) => {
                Err(format!("`data` of `{name}`: the payload is itself an enum of events"))
            }
            Err(error) => {
                let message = error.to_string();
                let path = path_to_error::<T>(&data, &message);
                Err(format!("`{path}` of `{name}`: {message}"))
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
