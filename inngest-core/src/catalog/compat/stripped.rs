//! Removes from a schema what allows and forbids nothing.

use serde_json::{Map, Value};

use super::expand::{ENCRYPTED, OPEN, is_annotation};

/// Returns the schema without titles, descriptions, examples and other comments, with sorted keys.
///
/// Keys are sorted here, since another crate may enable the feature `preserve_order` of `serde_json`.
pub(crate) fn stripped(schema: &Value) -> Value {
    let Value::Object(keywords) = schema else { return schema.clone() };
    let mut kept: Vec<_> =
        keywords.iter().filter(|(keyword, value)| !is_comment(keyword, value)).collect();
    kept.sort_unstable_by_key(|(keyword, _)| *keyword);
    let kept =
        kept.into_iter().map(|(keyword, value)| (keyword.clone(), stripped_value(keyword, value)));
    Value::Object(kept.collect())
}

fn is_comment(keyword: &str, value: &Value) -> bool {
    is_annotation(keyword) || matches!(keyword, OPEN | ENCRYPTED) && value == &Value::Bool(false)
}

/// Returns the value of `keyword` with the schemas in it stripped.
fn stripped_value(keyword: &str, value: &Value) -> Value {
    match (keyword, value) {
        // Values of events, not schemas.
        ("const" | "enum", value) => sorted(value),
        ("required", Value::Array(names)) => {
            let mut names = names.clone();
            names.sort_unstable_by(|one, other| one.as_str().cmp(&other.as_str()));
            Value::Array(names)
        }
        (
            "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas",
            Value::Object(map),
        ) => {
            let mut schemas: Vec<_> = map.iter().collect();
            schemas.sort_unstable_by_key(|(name, _)| *name);
            let schemas =
                schemas.into_iter().map(|(name, schema)| (name.clone(), stripped(schema)));
            Value::Object(schemas.collect::<Map<_, _>>())
        }
        (_, Value::Array(parts)) => parts.iter().map(stripped).collect(),
        (_, value) => stripped(value),
    }
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().map(sorted).collect(),
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            Value::Object(
                entries.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect(),
            )
        }
        scalar => scalar.clone(),
    }
}
