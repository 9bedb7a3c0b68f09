//! [`as_string`]: numbers that are sent as strings.

use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{self, Deserializer, Visitor};
use serde::ser::Serializer;

/// Sends a number as a string, with `#[serde(with = "inngest_core::as_string")]`.
///
/// Inngest reads numbers as 64-bit floats, so it would round an integer beyond ±(2^53 - 1). Sending such an
/// integer as a number is an [`EventError::UnsafeInteger`](crate::EventError::UnsafeInteger).
///
/// ```
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Account {
///     #[serde(with = "inngest_core::as_string")]
///     id: u64,
/// }
///
/// let json = serde_json::to_string(&Account { id: 616_581_622_363_398_142 })?;
/// assert_eq!(json, r#"{"id":"616581622363398142"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// See [events](crate::guide::events) in the guide.
// serde reads the name in the attribute as the path of a module with the functions `serialize` and `deserialize`.
#[allow(non_camel_case_types, reason = "`with` contains the name, as if it were a module")]
#[derive(Clone, Copy, Debug)]
pub struct as_string;

impl as_string {
    /// Serializes `value` as a string, by its `Display` implementation.
    pub fn serialize<T: Display, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    /// Deserializes a value from a string, by its `FromStr` implementation. Also accepts an integer, for events
    /// that were sent before the field became a string.
    ///
    /// # Errors
    ///
    /// Returns an error if the text cannot be parsed, or the value is neither a string nor an integer.
    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        struct TextVisitor<T>(PhantomData<T>);

        impl<T: FromStr<Err: Display>> Visitor<'_> for TextVisitor<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an integer")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_u64<E: de::Error>(self, integer: u64) -> Result<T, E> {
                self.visit_str(&integer.to_string())
            }

            fn visit_i64<E: de::Error>(self, integer: i64) -> Result<T, E> {
                self.visit_str(&integer.to_string())
            }
        }

        deserializer.deserialize_any(TextVisitor(PhantomData))
    }
}

/// `schemars` uses the type in the attribute `with` for the schema.
#[cfg(feature = "schema")]
impl schemars::JsonSchema for as_string {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NumberAsString".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}
