//! One event as it came in: its fields and the rules they follow, with the Dev Server's error texts.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::event::checked_json::MAX_SAFE_INTEGER;

const MIN_TIMESTAMP: i64 = 315_532_800_000;
const MAX_TIMESTAMP: i64 = 4_102_444_800_000;
const MAX_SESSIONS: usize = 5;
const MAX_SESSION_KEY_BYTES: usize = 128;
const MAX_SESSION_VALUE_BYTES: usize = 512;

/// What stands where an event belongs. An object's fields keep their order and their doubles, since
/// the first wrong one decides the error.
pub(super) enum Element {
    Fields(Vec<(String, Value)>),
    Null,
    /// Anything else, by Go's name.
    Other(&'static str),
}

/// A valid event, or nothing of it.
#[derive(Default)]
pub(super) struct Inbound {
    pub(super) name: String,
    pub(super) data: Value,
    pub(super) id: Option<String>,
    pub(super) ts: Option<i64>,
    pub(super) v: Option<String>,
    pub(super) user: Map<String, Value>,
    pub(super) sessions: BTreeMap<String, String>,
}

impl Inbound {
    /// Wrong types are found first, then names, times and sessions that break a rule.
    pub(super) fn new(element: Element) -> Result<Inbound, String> {
        let fields = match element {
            Element::Fields(fields) => fields,
            Element::Null => Vec::new(),
            Element::Other(found) => {
                return Err(format!(
                    "json: cannot unmarshal {found} into Go value of type event.raw"
                ));
            }
        };
        let mut event = Inbound::default();
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

    /// Go takes a field's name in any case, and the last of several. Null leaves a field as it is.
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
                        other => kind(other).to_owned(),
                    };
                    return Err(mismatch(&found, "ts", "int64"));
                };
                self.ts = Some(millis).filter(|millis| *millis != 0);
            }
            "meta" => {
                let Value::Object(meta) = value else {
                    return Err(mismatch(kind(&value), "meta", "event.EventMeta"));
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
        other => Err(mismatch(kind(&other), field, "string")),
    }
}

fn object(field: &str, value: Value) -> Result<Map<String, Value>, String> {
    match value {
        Value::Object(object) => Ok(object),
        other => Err(mismatch(kind(&other), field, "map[string]interface {}")),
    }
}

fn sessions(value: Value) -> Result<BTreeMap<String, String>, String> {
    let entries = match value {
        Value::Null => Map::new(),
        Value::Object(entries) => entries,
        other => {
            let found = kind(&other);
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

fn mismatch(found: &str, field: &str, go_type: &str) -> String {
    format!("json: cannot unmarshal {found} into Go struct field raw.{field} of type {go_type}")
}

/// What Go calls a JSON value.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Inngest reads numbers as 64-bit floats, and writes those that are whole as integers: 1.0 becomes
/// 1, and 616581622363398142 becomes 616581622363398100.
fn round(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(round),
        Value::Object(entries) => entries.values_mut().for_each(round),
        Value::Number(number) => *number = rounded(number),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

fn rounded(number: &Number) -> Number {
    let safe = number.as_i64().is_some_and(|integer| integer.unsigned_abs() <= MAX_SAFE_INTEGER);
    let float = match number.as_f64() {
        Some(float) if !safe && float.fract() == 0.0 => float,
        _ => return number.clone(),
    };
    // A float's `Display` has the fewest digits that tell it from its neighbors, then zeros: so
    // does Go's.
    let digits = float.to_string();
    let integer = digits.parse::<i64>().map(Number::from);
    let integer = integer.or_else(|_| digits.parse::<u64>().map(Number::from)).ok();
    integer.or_else(|| Number::from_f64(float)).unwrap_or_else(|| number.clone())
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Element, D::Error> {
        deserializer.deserialize_any(ElementVisitor)
    }
}

struct ElementVisitor;

impl<'de> Visitor<'de> for ElementVisitor {
    type Value = Element;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Element, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Element::Fields(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Element, A::Error> {
        while let Some(IgnoredAny) = seq.next_element()? {}
        Ok(Element::Other("array"))
    }

    fn visit_unit<E>(self) -> Result<Element, E> {
        Ok(Element::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Element, E> {
        Ok(Element::Other("bool"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Element, E> {
        Ok(Element::Other("number"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Element, E> {
        Ok(Element::Other("number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Element, E> {
        Ok(Element::Other("number"))
    }

    fn visit_str<E>(self, _: &str) -> Result<Element, E> {
        Ok(Element::Other("string"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Inbound, round};

    fn error(event: &Value) -> String {
        let element = serde_json::from_str(&event.to_string()).unwrap();
        Inbound::new(element).err().unwrap_or_default()
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
    fn sessions_follow_their_rules() {
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
    fn names_are_reserved_in_any_case_and_fields_match_in_any_case() {
        assert_eq!(
            error(&json!({"NAME": "InnGest/x"})),
            "event name is reserved for internal use: InnGest/x"
        );
    }

    #[test]
    fn what_is_no_object_is_no_event() {
        assert_eq!(error(&json!(null)), "event name is empty");
        assert!(error(&json!(5)).starts_with("json: cannot unmarshal number"));
        assert!(error(&json!([{}])).starts_with("json: cannot unmarshal array"));
        assert!(error(&json!({"name": "x", "ts": 1.5})).contains("number 1.5 into"));
    }
}
