//! Generates values that a writer with a given schema may send.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// Keys that generated maps contain, so that they meet the keys of other schemas.
const KEYS: &[&str] = &["a", "b", "x", "type", "kind", "xylophone", "7", "-3", "id", "c"];

/// Returns a value of `schema`, a part of `root`. It has no key that the schema does not list or explicitly allow.
/// It may break rules that are not generated from, such as most patterns, so the caller checks it.
pub(crate) fn value(root: &Value, schema: &Value, rng: &mut Rng, depth: usize) -> Value {
    let Some(keywords) = schema.as_object() else { return any(rng, depth) };
    // A schema that requires itself has no value.
    if depth > 12 {
        return Value::Null;
    }
    let mut value = own(root, keywords, rng, depth);
    let list = |keyword: &str| keywords.get(keyword).and_then(Value::as_array);
    let mut parts: Vec<&Value> = Vec::new();
    if let Some(reference) = keywords.get("$ref").and_then(Value::as_str) {
        parts.extend(root.pointer(reference.trim_start_matches('#')));
    }
    parts.extend(list("allOf").into_iter().flatten());
    for keyword in ["anyOf", "oneOf"] {
        parts.extend(list(keyword).and_then(|parts| rng.choice(parts)));
    }
    for part in parts {
        // A part without a rule adds nothing.
        if part.as_object().is_some_and(Map::is_empty) {
            continue;
        }
        let part = self::value(root, part, rng, depth);
        value = Some(match (value, part) {
            (Some(Value::Object(mut keys)), Value::Object(more)) => {
                keys.extend(more);
                Value::Object(keys)
            }
            (_, part) => part,
        });
    }
    value.unwrap_or_else(|| any(rng, depth))
}

/// Returns a value by the keywords that lead to no other schema, or `None` if there are none.
fn own(root: &Value, keywords: &Map<String, Value>, rng: &mut Rng, depth: usize) -> Option<Value> {
    if let Some(constant) = keywords.get("const") {
        return Some(constant.clone());
    }
    if let Some(values) = keywords.get("enum").and_then(Value::as_array) {
        return rng.choice(values).cloned();
    }
    let name = match keywords.get("type") {
        Some(Value::String(name)) => name.as_str(),
        Some(Value::Array(names)) => rng.choice(names)?.as_str()?,
        _ if keywords.contains_key("properties") => "object",
        _ => return None,
    };
    Some(match name {
        "null" => Value::Null,
        "boolean" => rng.bool().into(),
        "integer" => integer(keywords, rng),
        "number" => number(keywords, rng),
        "string" => text(keywords, rng).into(),
        "array" => array(root, keywords, rng, depth),
        _ => object(root, keywords, rng, depth),
    })
}

/// Returns any value, mostly a small one.
fn any(rng: &mut Rng, depth: usize) -> Value {
    match rng.usize(..if depth > 4 { 6 } else { 8 }) {
        0 => Value::Null,
        1 => rng.bool().into(),
        2 => rng.i32(-3..300).into(),
        3 => json!(rng.f64() * 1e9),
        4 => json!("A"),
        5 => text(&Map::new(), rng).into(),
        6 => json!([any(rng, depth + 1)]),
        _ => {
            let keys = (0..rng.usize(..4)).map(|_| (key(rng), any(rng, depth + 1)));
            Value::Object(keys.collect::<Vec<_>>().into_iter().collect())
        }
    }
}

fn key(rng: &mut Rng) -> String {
    (*rng.choice(KEYS).expect("keys")).to_owned()
}

fn bounds(keywords: &Map<String, Value>) -> (f64, f64) {
    let safe = 9_007_199_254_740_991.0;
    let (min, max) = match keywords.get("format").and_then(Value::as_str).unwrap_or_default() {
        "int8" => (f64::from(i8::MIN), f64::from(i8::MAX)),
        "int16" => (f64::from(i16::MIN), f64::from(i16::MAX)),
        "int32" => (f64::from(i32::MIN), f64::from(i32::MAX)),
        "uint8" => (0.0, f64::from(u8::MAX)),
        "uint16" => (0.0, f64::from(u16::MAX)),
        "uint32" => (0.0, f64::from(u32::MAX)),
        "uint" | "uint64" | "uint128" => (0.0, safe),
        "float" => (f64::from(f32::MIN), f64::from(f32::MAX)),
        _ => (-safe, safe),
    };
    let bound = |keyword: &str| keywords.get(keyword).and_then(Value::as_f64);
    let bounds =
        (min.max(bound("minimum").unwrap_or(min)), max.min(bound("maximum").unwrap_or(max)));
    // A range without a number is sorted out by the caller.
    if bounds.0 <= bounds.1 { bounds } else { (min, max) }
}

#[allow(clippy::cast_possible_truncation, reason = "the bounds are within 2^53")]
fn integer(keywords: &Map<String, Value>, rng: &mut Rng) -> Value {
    let (min, max) = bounds(keywords);
    let (min, max) = (min as i64, max as i64);
    let (near, other) = (rng.i64(-2..12).clamp(min, max), rng.i64(min..=max));
    let choices = [min, max, near, other, near * 5, near * 10];
    (*rng.choice(&choices).expect("choices")).into()
}

fn number(keywords: &Map<String, Value>, rng: &mut Rng) -> Value {
    let (min, max) = bounds(keywords);
    let near = (rng.f64() * 10.0).clamp(min, max);
    json!(rng.choice(&[min, max, near, near.round(), 0.0]).expect("choices"))
}

fn text(keywords: &Map<String, Value>, rng: &mut Rng) -> String {
    let of = |keyword: &str| keywords.get(keyword).and_then(Value::as_str).unwrap_or_default();
    let number = rng.u32(..);
    match of("format") {
        "uuid" => return format!("67e55044-10b1-426f-9247-{number:012x}"),
        "date-time" => return format!("2026-11-0{}T10:00:00Z", 1 + number % 9),
        "date" => return format!("2026-11-0{}", 1 + number % 9),
        "time" | "partial-time" => return "10:00:00Z".to_owned(),
        "partial-date-time" => return "2026-11-01T10:00:00".to_owned(),
        "email" => return "a@example.com".to_owned(),
        _ => {}
    }
    let choices: &[&str] = match of("pattern") {
        "" => {
            &["", "A", "B", "x", "ab", "2026-11-01", "7", "é€", "a longer text, with punctuation"]
        }
        _ => &["7", "-7", "0", "12.50", "-0.5", "a", "ab", "x", "AB-1"],
    };
    let mut text = (*rng.choice(choices).expect("choices")).to_owned();
    let size = |keyword: &str| {
        keywords.get(keyword).and_then(Value::as_u64).and_then(|it| usize::try_from(it).ok())
    };
    while text.chars().count() < size("minLength").unwrap_or(0) {
        text.push('z');
    }
    text.chars().take(size("maxLength").unwrap_or(usize::MAX)).collect()
}

fn array(root: &Value, keywords: &Map<String, Value>, rng: &mut Rng, depth: usize) -> Value {
    let prefix =
        keywords.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let size = |keyword: &str| {
        keywords.get(keyword).and_then(Value::as_u64).and_then(|it| usize::try_from(it).ok())
    };
    let min = size("minItems").unwrap_or(0);
    let spread = if depth > 4 { 1 } else { 4 };
    let mut length = (min + rng.usize(..spread)).min(size("maxItems").unwrap_or(usize::MAX));
    let rest = keywords.get("items").unwrap_or(&Value::Bool(true));
    if rest == &Value::Bool(false) {
        length = length.min(prefix.len());
    }
    let items =
        (0..length).map(|index| value(root, prefix.get(index).unwrap_or(rest), rng, depth + 1));
    let mut items: Vec<Value> = items.collect();
    if keywords.get("uniqueItems") == Some(&Value::Bool(true)) {
        let mut unique: Vec<Value> = Vec::new();
        items.retain(|item| {
            let is_new = !unique.contains(item);
            unique.push(item.clone());
            is_new
        });
    }
    Value::Array(items)
}

fn object(root: &Value, keywords: &Map<String, Value>, rng: &mut Rng, depth: usize) -> Value {
    let required =
        keywords.get("required").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let schemas = |keyword: &str| keywords.get(keyword).and_then(Value::as_object);
    let mut keys = Map::new();
    let others =
        keywords.get("additionalProperties").filter(|schema| schema != &&Value::Bool(false));
    if let Some(schema) = others {
        for _ in 0..rng.usize(..3) {
            keys.insert(key(rng), value(root, schema, rng, depth + 1));
        }
    }
    for (pattern, schema) in schemas("patternProperties").into_iter().flatten() {
        let matching: &[&str] = match pattern.as_str() {
            r"^\d+$" => &["7", "12"],
            r"^-?\d+$" => &["7", "-3"],
            "^x" => &["x", "xylophone"],
            _ => panic!("no key that matches {pattern}"),
        };
        if rng.bool() {
            let name = (*rng.choice(matching).expect("keys")).to_owned();
            keys.insert(name, value(root, schema, rng, depth + 1));
        }
    }
    for (name, schema) in schemas("properties").into_iter().flatten() {
        let is_required = required.iter().any(|it| it == name);
        if is_required || depth <= 4 && rng.bool() {
            keys.insert(name.clone(), value(root, schema, rng, depth + 1));
        } else {
            keys.remove(name);
        }
    }
    for name in required.iter().filter_map(Value::as_str) {
        if !keys.contains_key(name) {
            keys.insert(name.to_owned(), any(rng, depth + 1));
        }
    }
    Value::Object(keys)
}
