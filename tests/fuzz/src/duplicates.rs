//! Finds keys that occur twice in an object, which serde refuses in a struct and `serde_json::Value` does not.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Returns whether an object in `json` has a key twice, or `json` is not JSON.
pub fn has_duplicate_keys(json: &[u8]) -> bool {
    serde_json::from_slice::<DistinctKeys>(json).is_err()
}

/// Any JSON value whose objects have no key twice.
struct DistinctKeys;

impl<'de> Deserialize<'de> for DistinctKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<DistinctKeys, D::Error> {
        deserializer.deserialize_any(DistinctKeys)
    }
}

impl<'de> Visitor<'de> for DistinctKeys {
    type Value = DistinctKeys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<DistinctKeys, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<DistinctKeys, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<DistinctKeys, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<DistinctKeys, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<DistinctKeys, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<DistinctKeys, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<DistinctKeys, A::Error> {
        while items.next_element::<DistinctKeys>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<DistinctKeys, A::Error> {
        let mut keys = HashSet::new();
        while let Some((key, DistinctKeys)) = fields.next_entry::<String, DistinctKeys>()? {
            if !keys.insert(key) {
                return Err(A::Error::custom("a key occurs twice"));
            }
        }
        Ok(self)
    }
}
