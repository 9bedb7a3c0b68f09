//! The data of a received event, which Inngest may write in other ways than it was sent: a payload
//! without fields comes as `null`, as `{}` or not at all.

use std::cell::Cell;
use std::fmt;
use std::iter;
use std::marker::PhantomData;

use serde::de::value::MapDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Value;

use super::set::SET;

pub(super) enum ReceivedData<E> {
    Read(E),
    /// `E` is an enum of events, which is read from the data and the event's name.
    NeedsName(Value),
}

impl<'de, E: Deserialize<'de>> Deserialize<'de> for ReceivedData<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ReceivedData<E>, D::Error> {
        // As an option, since serde takes a missing field for a missing option.
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
        read(|of_set| E::deserialize(Data { data, of_set }))
    }

    fn visit_none<R: Error>(self) -> Result<ReceivedData<E>, R> {
        read(|of_set| E::deserialize(NoData { of_set, error: PhantomData }))
    }

    fn visit_unit<R: Error>(self) -> Result<ReceivedData<E>, R> {
        self.visit_none()
    }
}

/// Reads data, unless an enum of events asks for them: then they are in the cell, and its error is
/// nobody's.
fn read<E, R>(
    read: impl FnOnce(&Cell<Option<Value>>) -> Result<E, R>,
) -> Result<ReceivedData<E>, R> {
    let of_set = Cell::new(None);
    match (read(&of_set), of_set.take()) {
        (Ok(data), _) => Ok(ReceivedData::Read(data)),
        (Err(_), Some(data)) => Ok(ReceivedData::NeedsName(data)),
        (Err(error), None) => Err(error),
    }
}

/// Data that are there: an object, from which a unit struct is read as well.
struct Data<'a, D> {
    data: D,
    of_set: &'a Cell<Option<Value>>,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Data<'_, D> {
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
        if name == SET {
            self.of_set.set(Some(Value::deserialize(self.data)?));
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

/// Reads an object, whatever is in it, as a unit.
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

/// No data: null to what can be null, an object without fields to structs.
struct NoData<'a, R> {
    of_set: &'a Cell<Option<Value>>,
    error: PhantomData<R>,
}

impl<'de, R: Error> Deserializer<'de> for NoData<'_, R> {
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
        if name == SET {
            self.of_set.set(Some(Value::Null));
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
