//! A deserializer of JSON values whose errors include the path to the value that caused them.

use std::error::Error;
use std::fmt;

use serde::Deserializer;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Value, map};

use crate::event::json_path::Step;

/// Deserializes a value and records the path to an error.
pub(super) struct PathTracker<'de>(pub(super) &'de Value);

/// An error, with the path to the value that caused it.
#[derive(Debug)]
pub(super) struct PathError {
    pub(super) message: String,
    /// The innermost step first, since the error is returned from the inside to the outside.
    reversed_steps: Vec<Step>,
}

impl PathError {
    fn inside(mut self, step: Step) -> PathError {
        self.reversed_steps.push(step);
        self
    }

    pub(super) fn into_steps(mut self) -> Vec<Step> {
        self.reversed_steps.reverse();
        self.reversed_steps
    }
}

/// Returns the steps to the part of `value` that does not decode as a `T`. Returns no steps if it is the whole value,
/// or if [`PathTracker`] returns another error than `serde_json`.
#[cfg(feature = "encryption")]
pub(crate) fn steps_to_error<T: de::DeserializeOwned>(value: &Value) -> Vec<Step> {
    match (T::deserialize(value), T::deserialize(PathTracker(value))) {
        (Err(expected), Err(error)) if error.message == expected.to_string() => error.into_steps(),
        _ => Vec::new(),
    }
}

impl de::Error for PathError {
    fn custom<T: fmt::Display>(message: T) -> PathError {
        PathError { message: message.to_string(), reversed_steps: Vec::new() }
    }
}

impl Error for PathError {}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl<'de> Deserializer<'de> for PathTracker<'de> {
    type Error = PathError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PathError> {
        match self.0 {
            Value::Array(items) => visitor.visit_seq(TrackedItems(items.iter().enumerate())),
            Value::Object(fields) => {
                visitor.visit_map(TrackedFields { remaining: fields.iter(), current: None })
            }
            leaf => leaf.deserialize_any(visitor).map_err(de::Error::custom),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PathError> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, PathError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, PathError> {
        self.0.deserialize_enum(name, variants, visitor).map_err(de::Error::custom)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct TrackedItems<'de>(std::iter::Enumerate<std::slice::Iter<'de, Value>>);

impl<'de> SeqAccess<'de> for TrackedItems<'de> {
    type Error = PathError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, PathError> {
        let Some((index, item)) = self.0.next() else {
            return Ok(None);
        };
        let element = seed.deserialize(PathTracker(item));
        element.map(Some).map_err(|error| error.inside(Step::Index(index)))
    }
}

struct TrackedFields<'de> {
    remaining: map::Iter<'de>,
    /// The field whose key was deserialized last.
    current: Option<(&'de String, &'de Value)>,
}

impl<'de> MapAccess<'de> for TrackedFields<'de> {
    type Error = PathError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, PathError> {
        self.current = self.remaining.next();
        let Some((key, _)) = self.current else {
            return Ok(None);
        };
        // Only serde_json's own map access deserializes numbers and booleans from keys, so an object with only this
        // key is deserialized.
        let object = Value::Object([(key.clone(), Value::Null)].into_iter().collect());
        object.deserialize_any(FirstKey(seed)).map_err(de::Error::custom)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, PathError> {
        let (key, value) =
            self.current.ok_or_else(|| de::Error::custom("a value without a key"))?;
        let value = seed.deserialize(PathTracker(value));
        value.map_err(|error| error.inside(Step::Key(key.clone())))
    }
}

/// Deserializes the first key of an object.
struct FirstKey<K>(K);

impl<'de, K: DeserializeSeed<'de>> Visitor<'de> for FirstKey<K> {
    type Value = Option<K::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<K::Value>, A::Error> {
        map.next_key_seed(self.0)
    }
}
