//! A received event -> the variant that holds events of its name.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Error, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::error_path::PathTracker;
use super::{EventInfo, InngestEvents};
use crate::event::received::ReceivedData;

/// How an enum of events asks for all of an event rather than for its data, as it would in an
/// [`Event`](crate::Event), which cannot tell by the type.
pub(in crate::event) const SET: &str = "$inngest_core::InngestEvents";

/// At most so many names are listed.
const MAX_LISTED: usize = 8;

/// An event as Inngest hands it to functions. The name may come behind the data, so these wait.
#[derive(Deserialize)]
#[serde(expecting = "a received event")]
struct Received {
    name: String,
    #[serde(default)]
    data: Value,
}

/// Reads a received event. `read` reads the data of the event at some index of `S::EVENTS`.
pub fn receive<'de, S: InngestEvents, D: Deserializer<'de>>(
    deserializer: D,
    read: fn(usize, RawData) -> Result<S, String>,
) -> Result<S, D::Error> {
    let Received { name, data } =
        deserializer.deserialize_newtype_struct(SET, Whole(PhantomData))?;
    let Some(at) = S::EVENTS.iter().position(|event| event.name == name) else {
        return Err(D::Error::custom(unknown(&name, S::EVENTS)));
    };
    read(at, RawData { name: S::EVENTS[at].name, data }).map_err(D::Error::custom)
}

/// A received event whose name and data are known, as it is deserialized.
pub(in crate::event) fn with_name(name: Option<String>, data: Value) -> Value {
    let name = name.map(|name| ("name".to_owned(), name.into()));
    Value::Object(name.into_iter().chain([("data".to_owned(), data)]).collect())
}

fn unknown(name: &str, events: &[EventInfo]) -> String {
    let known: Vec<_> = events.iter().map(|event| format!("`{}`", event.name)).collect();
    let known = match known.len() {
        0..=MAX_LISTED => known.join(", "),
        more => format!("{} and {} more", known[..MAX_LISTED].join(", "), more - MAX_LISTED),
    };
    format!("unknown event `{name}`, expected one of {known}")
}

struct Whole<'de>(PhantomData<&'de ()>);

impl<'de> Visitor<'de> for Whole<'de> {
    type Value = Received;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a received event")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, event: D) -> Result<Received, D::Error> {
        Received::deserialize(event)
    }
}

/// The data of an event whose name is known.
#[derive(Debug)]
pub struct RawData {
    name: &'static str,
    data: Value,
}

impl RawData {
    /// Reads them as a `T`, which `variant` holds.
    pub fn read<T: DeserializeOwned, S>(self, variant: fn(T) -> S) -> Result<S, String> {
        let RawData { name, data } = self;
        match ReceivedData::deserialize(&data) {
            Ok(ReceivedData::Read(data)) => Ok(variant(data)),
            Ok(ReceivedData::NeedsName(_)) => {
                Err(format!("data of `{name}`: is an enum of events"))
            }
            Err(error) => {
                let message = error.to_string();
                // Deserialized a second time, only to find where it fails.
                let located = ReceivedData::<T>::deserialize(PathTracker(&data)).err();
                let located = located.filter(|located| located.message == message);
                match located.map(|located| located.path).filter(|path| !path.is_empty()) {
                    Some(path) => Err(format!("`{path}` in the data of `{name}`: {message}")),
                    None => Err(format!("data of `{name}`: {message}")),
                }
            }
        }
    }
}
