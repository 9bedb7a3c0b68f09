//! A value tree, read so that an error knows where it is: `account.id`, `items[3]`.

use std::error::Error;
use std::fmt;

use serde::Deserializer;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Value, map};

pub(super) struct PathTracker<'de>(pub(super) &'de Value);

/// What does not fit, and where.
#[derive(Debug)]
pub(super) struct PathError {
    pub(super) path: String,
    pub(super) message: String,
}

impl PathError {
    fn in_field(mut self, field: &str) -> PathError {
        let separator = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{field}{separator}{}", self.path);
        self
    }

    fn in_item(self, index: usize) -> PathError {
        self.in_field(&format!("[{index}]"))
    }
}

impl de::Error for PathError {
    fn custom<T: fmt::Display>(message: T) -> PathError {
        PathError { path: String::new(), message: message.to_string() }
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
            Value::Array(items) => visitor.visit_seq(Items(items.iter().enumerate())),
            Value::Object(fields) => visitor.visit_map(Fields { left: fields.iter(), read: None }),
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

struct Items<'de>(std::iter::Enumerate<std::slice::Iter<'de, Value>>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = PathError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, PathError> {
        let Some((index, item)) = self.0.next() else {
            return Ok(None);
        };
        seed.deserialize(PathTracker(item)).map(Some).map_err(|error| error.in_item(index))
    }
}

struct Fields<'de> {
    left: map::Iter<'de>,
    /// The field whose name was read.
    read: Option<(&'de String, &'de Value)>,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = PathError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, PathError> {
        self.read = self.left.next();
        let Some((name, _)) = self.read else {
            return Ok(None);
        };
        // serde_json reads numbers and the like from the keys of its objects.
        let alone = Value::Object([(name.clone(), Value::Null)].into_iter().collect());
        alone.deserialize_any(FirstKey(seed)).map_err(de::Error::custom)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, PathError> {
        let (name, value) = self.read.ok_or_else(|| de::Error::custom("a value without a key"))?;
        seed.deserialize(PathTracker(value)).map_err(|error| error.in_field(name))
    }
}

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
