//! One received event: its fields and the rules they follow, with the Dev Server's error texts.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::event::number::MAX_SAFE_INTEGER;

const MIN_TIMESTAMP: i64 = 315_532_800_000;
const MAX_TIMESTAMP: i64 = 4_102_444_800_000;
const MAX_SESSIONS: usize = 5;
const MAX_SESSION_KEY_BYTES: usize = 128;
const MAX_SESSION_VALUE_BYTES: usize = 512;

/// A JSON value in the place of an event. An object keeps the order of its fields and the duplicate ones,
/// since the first invalid field determines the error.
pub(super) enum JsonElement {
    Fields(Vec<(String, Value)>),
    Null,
    /// Any other value, by Go's name for its type.
    Other(&'static str),
}

/// A received event whose fields are valid.
#[derive(Default)]
pub(super) struct InboundEvent {
    pub(super) name: String,
    pub(super) data: Value,
    pub(super) id: Option<String>,
    pub(super) ts: Option<i64>,
    pub(super) v: Option<String>,
    pub(super) user: Map<String, Value>,
    pub(super) sessions: BTreeMap<String, String>,
}

impl InboundEvent {
    /// Checks all types first, then the rules for names, times and sessions, as Inngest does.
    pub(super) fn new(element: JsonElement) -> Result<InboundEvent, String> {
        let fields = match element {
            JsonElement::Fields(fields) => fields,
            JsonElement::Null => Vec::new(),
            JsonElement::Other(found) => {
                return Err(format!(
                    "json: cannot unmarshal {found} into Go value of type event.raw"
                ));
            }
        };
        let mut event = InboundEvent::default();
        for (key, value) in fields {
            event.set(&key, value)?;
        }
        event.check()?;
        if let Value::Object(data) = &mut event.data {
            data.remove("_inngest");
        }
        round(&mut event.data);
        event.user.values_mut().for_each(round);
        Ok(event)
    }

    /// Sets a field. As in Go, field names are case-insensitive, the last duplicate counts, and null leaves
    /// a field unchanged.
    fn set(&mut self, key: &str, value: Value) -> Result<(), String> {
        if value.is_null() {
            return Ok(());
        }
        match key.to_ascii_lowercase().as_str() {
            "name" => self.name = text("name", value)?,
            "id" => self.id = Some(text("id", value)?).filter(|id| !id.is_empty()),
            "v" => self.v = Some(text("v", value)?).filter(|version| !version.is_empty()),
            "data" => self.data = Value::Object(object("data", value)?),
            "user" => self.user = object("user", value)?,
            "ts" => {
                let Some(millis) = value.as_i64() else {
                    let found = match &value {
                        Value::Number(number) => format!("number {number}"),
                        other => go_type(other).to_owned(),
                    };
                    return Err(mismatch(&found, "ts", "int64"));
                };
                self.ts = Some(millis).filter(|millis| *millis != 0);
            }
            "meta" => {
                let Value::Object(meta) = value else {
                    return Err(mismatch(go_type(&value), "meta", "event.EventMeta"));
                };
                for (key, value) in meta {
                    if key.eq_ignore_ascii_case("sessions") {
                        self.sessions = sessions(value)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        let prefix = self.name.get(.."inngest/".len());
        if prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case("inngest/")) {
            return Err(format!("event name is reserved for internal use: {}", self.name));
        }
        if self.name.is_empty() {
            return Err("event name is empty".to_owned());
        }
        if self.ts.is_some_and(|millis| millis < MIN_TIMESTAMP) {
            return Err("timestamp is before Jan 1, 1980".to_owned());
        }
        if self.ts.is_some_and(|millis| millis > MAX_TIMESTAMP) {
            return Err("timestamp is after Jan 1, 2100".to_owned());
        }
        self.check_sessions()
    }

    fn check_sessions(&self) -> Result<(), String> {
        if self.sessions.len() > MAX_SESSIONS {
            return Err(format!("event sessions can include at most {MAX_SESSIONS} entries"));
        }
        for (key, value) in &self.sessions {
            if key.is_empty() {
                return Err("event session keys cannot be empty".to_owned());
            }
            if key.len() > MAX_SESSION_KEY_BYTES {
                return Err(format!(
                    "event session key {key:?} exceeds {MAX_SESSION_KEY_BYTES} bytes"
                ));
            }
            if value.is_empty() {
                return Err(format!("event session {key:?} cannot have an empty ID"));
            }
            if value.len() > MAX_SESSION_VALUE_BYTES {
                return Err(format!(
                    "event session {key:?} exceeds {MAX_SESSION_VALUE_BYTES} bytes"
                ));
            }
        }
        Ok(())
    }
}

fn text(field: &str, value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(mismatch(go_type(&other), field, "string")),
    }
}

fn object(field: &str, value: Value) -> Result<Map<String, Value>, String> {
    match value {
        Value::Object(object) => Ok(object),
        other => Err(mismatch(go_type(&other), field, "map[string]interface {}")),
    }
}

fn sessions(value: Value) -> Result<BTreeMap<String, String>, String> {
    let entries = match value {
        Value::Null => Map::new(),
        Value::Object(entries) => entries,
        other => {
            let found = go_type(&other);
            return Err(format!(
                "json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
            ));
        }
    };
    let text = |(key, value)| match value {
        Value::String(text) => Ok((key, text)),
        Value::Number(number) => Ok((key, number.to_string())),
        _ => Err(format!("event session {key:?} must be a string or number")),
    };
    entries.into_iter().map(text).collect()
}

fn mismatch(found: &str, field: &str, expected: &str) -> String {
    format!("json: cannot unmarshal {found} into Go struct field raw.{field} of type {expected}")
}

/// Returns Go's name for the type of a JSON value.
fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Rounds numbers as Inngest does: it reads them as 64-bit floats, and writes whole ones as integers. 1.0
/// becomes 1, and 616581622363398142 becomes 616581622363398100.
fn round(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(round),
        Value::Object(entries) => entries.values_mut().for_each(round),
        Value::Number(number) => *number = rounded(number),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

fn rounded(number: &Number) -> Number {
    let exact = number.as_i64().is_some_and(|integer| integer.unsigned_abs() <= MAX_SAFE_INTEGER);
    let float = match number.as_f64() {
        Some(float) if !exact && float.fract() == 0.0 => float,
        _ => return number.clone(),
    };
    // `Display` of a float writes the fewest digits that identify it, then zeros, as Go does.
    let digits = float.to_string();
    let integer = digits.parse::<i64>().map(Number::from);
    let integer = integer.or_else(|_| digits.parse::<u64>().map(Number::from)).ok();
    integer.or_else(|| Number::from_f64(float)).unwrap_or_else(|| number.clone())
}

impl<'de> Deserialize<'de> for JsonElement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<JsonElement, D::Error> {
        deserializer.deserialize_any(ElementVisitor)
    }
}

struct ElementVisitor;

impl<'de> Visitor<'de> for ElementVisitor {
    type Value = JsonElement;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonElement, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(JsonElement::Fields(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<JsonElement, A::Error> {
        while let Some(IgnoredAny) = seq.next_element()? {}
        Ok(JsonElement::Other("array"))
    }

    fn visit_unit<E>(self) -> Result<JsonElement, E> {
        Ok(JsonElement::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<JsonElement, E> {
        Ok(JsonElement::Other("bool"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<JsonElement, E> {
        Ok(JsonElement::Other("number"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<JsonElement, E> {
        Ok(JsonElement::Other("number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<JsonElement, E> {
        Ok(JsonElement::Other("number"))
    }

    fn visit_str<E>(self, _: &str) -> Result<JsonElement, E> {
        Ok(JsonElement::Other("string"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{InboundEvent, round};

    fn error(event: &Value) -> String {
        let element = serde_json::from_str(&event.to_string()).unwrap();
        InboundEvent::new(element).err().unwrap_or_default()
    }

    #[test]
    fn numbers_are_rounded_to_64_bit_floats() {
        let mut value: Value = serde_json::from_str(
            "[616581622363398142, 18446744073709551615, 1.0, 1.5, -3e2, 1e25, 9007199254740991]",
        )
        .unwrap();
        round(&mut value);
        let expected =
            "[616581622363398100,18446744073709552000.0,1,1.5,-300,1e25,9007199254740991]";
        assert_eq!(value, serde_json::from_str::<Value>(expected).unwrap());
    }

    #[test]
    fn sessions_beyond_the_limits_are_errors() {
        let with = |sessions: Value| error(&json!({"name": "p/x", "meta": {"sessions": sessions}}));
        assert_eq!(with(json!({"a": "1", "b": 2, "c": "3", "d": "4", "e": "5"})), "");
        assert_eq!(with(json!(null)), "");
        for (sessions, expected) in [
            (json!({"a":1,"b":1,"c":1,"d":1,"e":1,"f":1}), "at most 5 entries"),
            (json!({"": "1"}), "keys cannot be empty"),
            (json!({"a": ""}), "\"a\" cannot have an empty ID"),
            (json!({"a": true}), "\"a\" must be a string or number"),
            (json!({"a": "x".repeat(513)}), "\"a\" exceeds 512 bytes"),
            (json!({"x".repeat(129): "1"}), "exceeds 128 bytes"),
            (json!([]), "cannot unmarshal array"),
        ] {
            let error = with(sessions);
            assert!(error.contains(expected), "{error}");
        }
        assert_eq!(with(json!({"x".repeat(128): "y".repeat(512)})), "");
    }

    #[test]
    fn field_names_and_the_reserved_prefix_are_case_insensitive() {
        assert_eq!(
            error(&json!({"NAME": "InnGest/x"})),
            "event name is reserved for internal use: InnGest/x"
        );
    }

    #[test]
    fn values_other_than_objects_are_errors() {
        assert_eq!(error(&json!(null)), "event name is empty");
        assert!(error(&json!(5)).starts_with("json: cannot unmarshal number"));
        assert!(error(&json!([{}])).starts_with("json: cannot unmarshal array"));
        assert!(error(&json!({"name": "x", "ts": 1.5})).contains("number 1.5 into"));
    }
}
