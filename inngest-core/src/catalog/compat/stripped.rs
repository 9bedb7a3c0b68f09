//! Removes the keywords of a schema that allow and forbid nothing.

use serde_json::Value;

use super::expand::{ENCRYPTED, OPEN, is_annotation};
use crate::catalog::schema::for_each_schema;

/// Returns the schema without titles, descriptions, examples and other annotations, with sorted keys.
pub(crate) fn stripped(schema: &Value) -> Value {
    let mut schema = schema.clone();
    for_each_schema(&mut schema, &mut |schema| {
        let Some(keywords) = schema.as_object_mut() else { return };
        keywords.retain(|keyword, value| !is_comment(keyword, value));
        if let Some(Value::Array(names)) = keywords.get_mut("required") {
            names.sort_unstable_by(|one, other| one.as_str().cmp(&other.as_str()));
        }
    });
    sorted(schema)
}

fn is_comment(keyword: &str, value: &Value) -> bool {
    is_annotation(keyword) || matches!(keyword, OPEN | ENCRYPTED) && value == &Value::Bool(false)
}

/// Sorts the keys, since another crate may enable the feature `preserve_order` of `serde_json`.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(values) => values.into_iter().map(sorted).collect(),
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.into_iter().collect();
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            entries.into_iter().map(|(key, value)| (key, sorted(value))).collect()
        }
        scalar => scalar,
    }
}
