//! For `#[serde(with = "inngest_core::as_string")]`: a number that travels as a string.
//!
//! Inngest reads numbers as 64-bit floats, so an integer beyond ±(2^53 - 1) would be rounded on the
//! way, and sending one is an [`EventError::UnsafeInteger`](crate::EventError::UnsafeInteger).
//!
//! ```
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Account {
//!     #[serde(with = "inngest_core::as_string")]
//!     id: u64,
//! }
//!
//! let json = serde_json::to_string(&Account { id: 616_581_622_363_398_142 })?;
//! assert_eq!(json, r#"{"id":"616581622363398142"}"#);
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{self, Deserializer, Visitor};
use serde::ser::Serializer;

/// Serializes `value` as the string of its `Display`.
pub fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Deserializes from the string; an integer passes too, as events of before have it.
pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    struct Text<T>(PhantomData<T>);

    impl<T: FromStr<Err: Display>> Visitor<'_> for Text<T> {
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

    deserializer.deserialize_any(Text(PhantomData))
}
