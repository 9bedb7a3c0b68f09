//! Deserialization of an event as Inngest passes it to functions.
//!
//! The form of a received event can differ from the one that was sent: the data of a payload without fields is
//! `null`, `{}` or missing.

use std::cell::Cell;
use std::fmt;
use std::iter;
use std::marker::PhantomData;

use serde::de::value::MapDeserializer;
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};
use serde_json::{Map, Value};

use super::envelope::{Envelope, Event, IdChoice};

/// The newtype name by which an enum of events requests the whole event.
///
/// The type parameter of an [`Event`] can be a payload or an enum of events, and only an enum needs the
/// event's name. An enum deserializes as a newtype of this name, which [`ReceivedData`] recognizes.
pub(super) const ENUM_MARKER: &str = "$inngest_core::InngestEvents";

/// Returns the event from which an enum of events is deserialized.
fn with_name(name: Option<String>, version: Option<&str>, data: Value) -> Value {
    let name = name.map(|name| ("name".to_owned(), name.into()));
    let version = version.map(|version| ("v".to_owned(), version.into()));
    let fields = name.into_iter().chain(version);
    Value::Object(fields.chain([("data".to_owned(), data)]).collect())
}

/// Returns the text of a received `v`, unless it is missing, null or empty. Other senders can send a number.
pub(super) fn version_text(v: Value) -> Option<String> {
    match v {
        Value::Null => None,
        Value::String(text) => Some(text).filter(|text| !text.is_empty()),
        other => Some(other.to_string()),
    }
}

#[derive(Deserialize)]
#[serde(bound = "E: Deserialize<'de>", expecting = "a received event")]
struct ReceivedEvent<E> {
    #[serde(default)]
    name: Option<String>,
    data: ReceivedData<E>,
    #[serde(default)]
    id: Option<String>,
    /// Milliseconds since 1970-01-01. Inngest stores it as a float.
    #[serde(default)]
    ts: Option<f64>,
    #[serde(default)]
    v: Value,
    #[serde(default)]
    user: Option<Map<String, Value>>,
    #[serde(default)]
    meta: Option<ReceivedMeta>,
}

#[derive(Default, Deserialize)]
struct ReceivedMeta {
    #[serde(default)]
    sessions: Option<Map<String, Value>>,
}

impl<'de, E: Deserialize<'de>> Deserialize<'de> for Event<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Event<E>, D::Error> {
        let received = ReceivedEvent::<E>::deserialize(deserializer)?;
        let version = version_text(received.v);
        let data = match received.data {
            ReceivedData::Decoded(data) => data,
            ReceivedData::NeedsName(data) => {
                let event = with_name(received.name, version.as_deref(), data);
                E::deserialize(event).map_err(D::Error::custom)?
            }
        };
        let sessions = received.meta.unwrap_or_default().sessions.unwrap_or_default();
        let session_text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let user = received.user.filter(|user| !user.is_empty()).map(Value::Object);
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds of any year fit")]
        let ts = received.ts.map(|millis| millis as i64);
        Ok(Event {
            data,
            envelope: Envelope {
                id: received.id.filter(|id| !id.is_empty()).map_or(IdChoice::None, IdChoice::Given),
                ts: ts.filter(|millis| *millis != 0),
                version,
                user: user.map(|user| Ok(Some(user.to_string().into()))),
                sessions: sessions
                    .into_iter()
                    .map(|(key, value)| (key, session_text(value)))
                    .collect(),
            },
        })
    }
}

/// Decodes an event from its envelope, an object without data, and its data, from which `E` can borrow.
#[cfg(feature = "testing")]
pub(crate) fn decode_event<'a, E: Deserialize<'a>>(
    envelope: Value,
    data: &'a Value,
) -> Result<Event<E>, serde_json::Error> {
    let name = envelope["name"].as_str().map(str::to_owned);
    let Event { data: IgnoredAny, envelope } = Event::deserialize(envelope)?;
    let data = match ReceivedData::deserialize(data)? {
        ReceivedData::Decoded(data) => data,
        ReceivedData::NeedsName(data) => {
            E::deserialize(with_name(name, envelope.given_version(), data))?
        }
    };
    Ok(Event { data, envelope })
}

/// The data of a received event.
pub(super) enum ReceivedData<E> {
    Decoded(E),
    /// `E` is an enum of events, which needs the event's name as well as the data.
    NeedsName(Value),
}

impl<'de, E: Deserialize<'de>> Deserialize<'de> for ReceivedData<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ReceivedData<E>, D::Error> {
        // As an option, since serde calls `visit_none` for a missing field only if an option is requested.
        deserializer.deserialize_option(DataVisitor(PhantomData))
    }
}

struct DataVisitor<E>(PhantomData<E>);

impl<'de, E: Deserialize<'de>> Visitor<'de> for DataVisitor<E> {
    type Value = ReceivedData<E>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event's data")
    }

    fn visit_some<D: Deserializer<'de>>(self, data: D) -> Result<ReceivedData<E>, D::Error> {
        decode_unless_enum(|enum_data| E::deserialize(DataDeserializer { data, enum_data }))
    }

    fn visit_none<R: Error>(self) -> Result<ReceivedData<E>, R> {
        decode_unless_enum(|enum_data| {
            E::deserialize(NoDataDeserializer { enum_data, error: PhantomData })
        })
    }

    fn visit_unit<R: Error>(self) -> Result<ReceivedData<E>, R> {
        self.visit_none()
    }
}

/// Calls `decode`, whose deserializer stores the data in the cell if an enum of events requests the whole
/// event. The deserializer ends the enum's deserialization by an error, which is then discarded.
fn decode_unless_enum<E, R>(
    decode: impl FnOnce(&Cell<Option<Value>>) -> Result<E, R>,
) -> Result<ReceivedData<E>, R> {
    let enum_data = Cell::new(None);
    match (decode(&enum_data), enum_data.take()) {
        (Ok(data), _) => Ok(ReceivedData::Decoded(data)),
        (Err(_), Some(data)) => Ok(ReceivedData::NeedsName(data)),
        (Err(error), None) => Err(error),
    }
}

/// Deserializes data that is present: an object, from which a unit struct deserializes as well.
struct DataDeserializer<'a, D> {
    data: D,
    enum_data: &'a Cell<Option<Value>>,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for DataDeserializer<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.data.deserialize_any(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.data.deserialize_any(UnitVisitor(visitor))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        if name == ENUM_MARKER {
            // The data is stored and the deserialization fails: the caller then deserializes the enum from
            // the data and the event's name.
            self.enum_data.set(Some(Value::deserialize(self.data)?));
            return Err(D::Error::custom("the event's name is needed"));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.data.deserialize_struct(name, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.data.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf seq tuple
        tuple_struct map identifier ignored_any
    }
}

/// Accepts an object with any content as a unit.
struct UnitVisitor<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for UnitVisitor<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or null")
    }

    fn visit_unit<R: Error>(self) -> Result<V::Value, R> {
        self.0.visit_unit()
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<V::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.0.visit_unit()
    }
}

/// Deserializes absent data: as an object without fields for structs and maps, otherwise as null.
struct NoDataDeserializer<'a, R> {
    enum_data: &'a Cell<Option<Value>>,
    error: PhantomData<R>,
}

impl<'de, R: Error> Deserializer<'de> for NoDataDeserializer<'_, R> {
    type Error = R;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, R> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, R> {
        visitor.visit_none()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, R> {
        if name == ENUM_MARKER {
            // As in `DataDeserializer`, with data that is null.
            self.enum_data.set(Some(Value::Null));
            return Err(R::custom("the event's name is needed"));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, R> {
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, R> {
        visitor.visit_map(MapDeserializer::new(iter::empty::<((), ())>()))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct enum identifier ignored_any
    }
}
