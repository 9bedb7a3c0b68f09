//! Random schemas, and small changes of them.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// Returns the schema of an event with a random field `a`.
pub(crate) fn event(rng: &mut Rng) -> Value {
    json!({
        "type": "object",
        "properties": { "a": schema(rng, 0, true) },
        "required": ["a"],
        "$defs": { "R": schema(rng, 1, false) },
    })
}

/// Returns `schema` with one part replaced, added or removed.
pub(crate) fn changed(schema: &Value, rng: &mut Rng) -> Value {
    let mut schema = schema.clone();
    let root =
        if rng.u8(..4) == 0 { &mut schema["$defs"]["R"] } else { &mut schema["properties"]["a"] };
    change(root, rng, 0);
    schema
}

fn change(schema: &mut Value, rng: &mut Rng, depth: usize) {
    let inner = inner(schema);
    if !inner.is_empty() && rng.u8(..3) > 0 {
        let index = rng.usize(..inner.len());
        change(inner.into_iter().nth(index).expect("a schema"), rng, depth + 1);
        return;
    }
    match schema.as_object_mut() {
        Some(keywords) if !keywords.is_empty() && rng.bool() => {
            let index = rng.usize(..keywords.len());
            let keyword = keywords.keys().nth(index).expect("a keyword").clone();
            // Without its type, a schema allows more types, of which most are never generated.
            if keyword != "type" {
                keywords.remove(&keyword);
            }
        }
        Some(keywords) if rng.bool() => {
            let name = keywords.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
            keywords.extend(rules(&name, rng, depth + 1));
        }
        _ => *schema = self::schema(rng, depth.max(1), false),
    }
}

/// Returns the schemas inside `schema`.
fn inner(schema: &mut Value) -> Vec<&mut Value> {
    let mut inner = Vec::new();
    for (keyword, value) in schema.as_object_mut().into_iter().flatten() {
        match (keyword.as_str(), value) {
            ("properties" | "patternProperties", Value::Object(schemas)) => {
                inner.extend(schemas.values_mut());
            }
            ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(schemas)) => {
                inner.extend(schemas);
            }
            ("items" | "additionalProperties" | "propertyNames", schema) => inner.push(schema),
            _ => {}
        }
    }
    inner
}

/// Returns a random schema. A reference must be inside a list or an object, so that it describes finite values.
fn schema(rng: &mut Rng, depth: usize, reference: bool) -> Value {
    let choice = if depth > 2 { rng.usize(..8) } else { rng.usize(..14) };
    match choice {
        0 if reference => json!({ "$ref": "#/$defs/R" }),
        0 => json!({ "const": scalar(rng) }),
        1 => json!({ "enum": [scalar(rng), scalar(rng), scalar(rng)] }),
        2 if rng.bool() => true.into(),
        2..=4 => typed("string", rng, depth),
        5 | 6 => typed("integer", rng, depth),
        7 => typed(rng.choice(["number", "boolean", "null"]).expect("choices"), rng, depth),
        8 => json!({ "anyOf": [schema(rng, depth + 1, false), schema(rng, depth + 1, false)] }),
        9 => {
            json!({ "oneOf": [tagged("x", rng, depth), tagged("y", rng, depth), schema(rng, depth + 1, false)] })
        }
        10 => {
            let mut parts = typed("object", rng, depth);
            parts["allOf"] = json!([typed("object", rng, depth + 1)]);
            parts
        }
        11 => typed("array", rng, depth),
        _ => typed("object", rng, depth),
    }
}

fn tagged(tag: &str, rng: &mut Rng, depth: usize) -> Value {
    json!({
        "type": "object",
        "properties": { "type": { "const": tag }, "a": schema(rng, depth + 1, true) },
        "required": ["type"],
    })
}

fn typed(name: &str, rng: &mut Rng, depth: usize) -> Value {
    let mut keywords = rules(name, rng, depth);
    keywords.insert("type".to_owned(), name.into());
    keywords.into()
}

fn scalar(rng: &mut Rng) -> Value {
    let scalars = [
        json!("a"),
        json!("ab"),
        json!("x"),
        json!(""),
        json!(0),
        json!(1),
        json!(7),
        json!(true),
        Value::Null,
    ];
    rng.choice(scalars).expect("scalars")
}

/// Returns a few rules for a type.
fn rules(name: &str, rng: &mut Rng, depth: usize) -> Map<String, Value> {
    let mut all: Vec<(&str, Value)> = match name {
        "string" => vec![
            ("minLength", rng.u8(..3).into()),
            ("maxLength", rng.u8(1..4).into()),
            ("pattern", (*rng.choice(&["^a", "b$", r"^\d+$"]).expect("patterns")).into()),
            ("not", json!({ "const": scalar(rng) })),
        ],
        "integer" | "number" => vec![
            (
                "format",
                (*rng.choice(&["uint8", "int8", "int32", "uint64"]).expect("formats")).into(),
            ),
            ("minimum", rng.i32(-3..4).into()),
            ("maximum", rng.i32(4..300).into()),
            ("exclusiveMinimum", rng.i32(-3..4).into()),
            ("multipleOf", rng.i32(1..4).into()),
            ("not", json!({ "const": scalar(rng) })),
        ],
        "array" => vec![
            ("items", if rng.u8(..5) == 0 { false.into() } else { schema(rng, depth + 1, true) }),
            ("prefixItems", json!([schema(rng, depth + 1, true)])),
            ("minItems", rng.u8(..3).into()),
            ("maxItems", rng.u8(1..5).into()),
            ("uniqueItems", rng.bool().into()),
        ],
        "object" => vec![
            (
                "properties",
                json!({ "a": schema(rng, depth + 1, true), "b": schema(rng, depth + 1, true) }),
            ),
            (
                "properties",
                json!({ "x": schema(rng, depth + 1, true), "7": schema(rng, depth + 1, true) }),
            ),
            ("required", json!([rng.choice(["a", "b", "x"]).expect("names")])),
            (
                "additionalProperties",
                if rng.bool() { false.into() } else { schema(rng, depth + 1, true) },
            ),
            (
                "patternProperties",
                json!({ *rng.choice(&[r"^\d+$", r"^-?\d+$", "^x"]).expect("patterns"): schema(rng, depth + 1, true) }),
            ),
            ("propertyNames", json!({ "maxLength": rng.u8(1..3) })),
            ("minProperties", rng.u8(..3).into()),
            ("maxProperties", rng.u8(1..4).into()),
        ],
        _ => Vec::new(),
    };
    rng.shuffle(&mut all);
    let count = rng.usize(..4).min(all.len());
    all.into_iter().take(count).map(|(keyword, value)| (keyword.to_owned(), value)).collect()
}
