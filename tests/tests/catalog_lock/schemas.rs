//! The table of changes, as schemas, for what no Rust type shows.
#![allow(clippy::needless_pass_by_value, reason = "rows of the table are written as values")]
#![allow(clippy::too_many_lines, reason = "the functions are the table")]

use serde_json::{Value, json};

/// A change of a schema: title, old, new, and what breaks forward and backward.
pub(crate) type SchemaPair =
    (&'static str, Value, Value, &'static [&'static str], &'static [&'static str]);

fn field(schema: &Value) -> Value {
    json!({ "type": "object", "properties": { "a": schema }, "required": ["a"] })
}

fn pair(
    title: &'static str,
    old: Value,
    new: Value,
    forward: &'static [&'static str],
    backward: &'static [&'static str],
) -> SchemaPair {
    (title, field(&old), field(&new), forward, backward)
}

/// Changes that are the same schema, written differently.
pub(crate) fn same_schemas() -> Vec<SchemaPair> {
    let same = |title, old, new| pair(title, old, new, &[], &[]);
    vec![
        same(
            "a constant is a list of one",
            json!({ "const": "x" }),
            json!({ "enum": ["x"], "type": "string" }),
        ),
        same(
            "the order of types and values changes",
            json!({ "type": ["string", "null"], "enum": ["x", "y", null] }),
            json!({ "anyOf": [{ "type": "null" }, { "enum": ["y", "x"] }] }),
        ),
        same(
            "bounds are written out",
            json!({ "type": "integer", "format": "uint8" }),
            json!({ "type": "integer", "format": "uint8", "minimum": 0, "maximum": 255 }),
        ),
        same(
            "parts are merged",
            json!({ "allOf": [
                { "type": "object", "properties": { "x": { "type": "null" } }, "required": ["x"] },
                { "type": "object", "properties": { "y": { "type": "null" } } },
            ] }),
            json!({ "type": "object", "properties": { "x": { "type": "null" }, "y": { "type": "null" } },
                "required": ["x"] }),
        ),
        same(
            "unlisted keys are forbidden for all parts",
            json!({ "allOf": [{ "type": "object", "properties": { "x": { "type": "null" } } }],
                "unevaluatedProperties": false }),
            json!({ "type": "object", "properties": { "x": { "type": "null" } }, "additionalProperties": false }),
        ),
    ]
}

fn text_and_number_schemas() -> Vec<SchemaPair> {
    let text = |rules: Value| {
        let mut schema = json!({ "type": "string" });
        schema
            .as_object_mut()
            .expect("an object")
            .extend(rules.as_object().expect("an object").clone());
        schema
    };
    vec![
        pair(
            "a pattern is added",
            text(json!({})),
            text(json!({ "pattern": "^a" })),
            &[],
            &["data.a"],
        ),
        pair(
            "a pattern changes",
            text(json!({ "pattern": "^a" })),
            text(json!({ "pattern": "^[a]" })),
            &["data.a?"],
            &["data.a?"],
        ),
        pair(
            "a constant gets a pattern",
            json!({ "const": "ab" }),
            text(json!({ "pattern": "^a" })),
            &["data.a"],
            &["data.a?"],
        ),
        pair(
            "a format is added",
            text(json!({})),
            text(json!({ "format": "email" })),
            &[],
            &["data.a"],
        ),
        pair(
            "an encoding is added",
            text(json!({})),
            text(json!({ "contentEncoding": "base64" })),
            &[],
            &["data.a"],
        ),
        pair(
            "a longer text is allowed",
            text(json!({ "maxLength": 3 })),
            text(json!({ "maxLength": 4 })),
            &["data.a"],
            &[],
        ),
        pair(
            "a shorter text is allowed",
            text(json!({ "minLength": 3 })),
            text(json!({ "minLength": 2 })),
            &["data.a"],
            &[],
        ),
        pair(
            "a factor is added",
            json!({ "type": "integer", "format": "int32" }),
            json!({ "type": "integer", "format": "int32", "multipleOf": 5 }),
            &[],
            &["data.a"],
        ),
        pair(
            "a factor becomes its multiple",
            json!({ "type": "integer", "multipleOf": 5 }),
            json!({ "type": "integer", "multipleOf": 10 }),
            &[],
            &["data.a"],
        ),
        pair(
            "a bound is excluded",
            json!({ "type": "number", "minimum": 0 }),
            json!({ "type": "number", "exclusiveMinimum": 0 }),
            &[],
            &["data.a"],
        ),
        pair(
            "an integer bound is excluded",
            json!({ "type": "integer", "minimum": 1, "maximum": 9 }),
            json!({ "type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 10 }),
            &[],
            &[],
        ),
        pair(
            "one value is forbidden",
            json!({ "type": "integer", "format": "int32" }),
            json!({ "type": "integer", "format": "int32", "not": { "const": 0 } }),
            &[],
            &["data.a"],
        ),
        pair(
            "a value that is never sent is forbidden",
            json!({ "type": "integer", "minimum": 1 }),
            json!({ "type": "integer", "minimum": 1, "not": { "const": 0 } }),
            &[],
            &[],
        ),
        pair(
            "a constant changes",
            json!({ "const": 1 }),
            json!({ "const": 2 }),
            &["data.a"],
            &["data.a"],
        ),
    ]
}

fn structure_schemas() -> Vec<SchemaPair> {
    let list = |more: Value| {
        let mut schema = json!({ "type": "array", "items": { "type": "integer" } });
        schema
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        schema
    };
    let x = json!({ "x": { "type": "string" } });
    vec![
        pair(
            "a rule that is not understood is added",
            list(json!({})),
            list(json!({ "contains": { "const": 1 } })),
            &[],
            &["data.a?"],
        ),
        pair(
            "the same rule that is not understood",
            list(json!({ "contains": { "const": 1 } })),
            list(json!({ "contains": { "const": 1 }, "maxItems": 3 })),
            &[],
            &["data.a"],
        ),
        pair(
            "a list may be longer",
            list(json!({ "maxItems": 2 })),
            list(json!({ "maxItems": 3 })),
            &["data.a"],
            &[],
        ),
        pair(
            "a tuple loses its open end",
            json!({ "type": "array", "prefixItems": [{ "type": "string" }] }),
            json!({ "type": "array", "prefixItems": [{ "type": "string" }], "items": false }),
            &[],
            &["data.a"],
        ),
        pair(
            "keys are restricted",
            json!({ "type": "object", "additionalProperties": { "type": "string" } }),
            json!({ "type": "object", "additionalProperties": { "type": "string" },
                "propertyNames": { "maxLength": 2 } }),
            &[],
            &["data.a[*]"],
        ),
        pair(
            "the number of keys is restricted",
            json!({ "type": "object", "additionalProperties": { "type": "string" } }),
            json!({ "type": "object", "additionalProperties": { "type": "string" }, "maxProperties": 2 }),
            &[],
            &["data.a"],
        ),
        pair(
            "keys of one pattern get another type",
            json!({ "type": "object", "patternProperties": { "^x": { "type": "string" } }, "additionalProperties": false }),
            json!({ "type": "object", "patternProperties": { "^x": { "type": "integer" } }, "additionalProperties": false }),
            &["data.a[*]"],
            &["data.a[*]"],
        ),
        pair(
            "a listed key may match a pattern that is not understood",
            json!({ "type": "object", "properties": x, "additionalProperties": false }),
            json!({ "type": "object", "patternProperties": { "^x": { "type": "string" } }, "additionalProperties": false }),
            &["data.a[*]"],
            &["data.a.x?"],
        ),
        pair(
            "alternatives of which one must match overlap",
            json!({ "type": "integer", "minimum": 0, "maximum": 9 }),
            json!({ "oneOf": [{ "type": "integer", "minimum": 0 }, { "type": "integer", "minimum": 5 }] }),
            &["data.a"],
            &["data.a?"],
        ),
        pair(
            "a condition is added",
            json!({ "type": "string" }),
            json!({ "type": "string", "if": { "const": "x" }, "then": false }),
            &[],
            &["data.a?"],
        ),
        pair(
            "the forbidden shortest text is just out of reach",
            json!({ "type": "string", "minLength": 5, "maxLength": 7 }),
            json!({ "type": "string", "minLength": 5, "maxLength": 7, "not": { "type": "string", "maxLength": 4 } }),
            &[],
            &[],
        ),
        pair(
            "the forbidden shortest text is reached",
            json!({ "type": "string", "minLength": 5, "maxLength": 7 }),
            json!({ "type": "string", "minLength": 5, "maxLength": 7, "not": { "type": "string", "maxLength": 5 } }),
            &[],
            &["data.a?"],
        ),
        pair(
            "the forbidden longest text is just out of reach",
            json!({ "type": "string", "minLength": 5, "maxLength": 7 }),
            json!({ "type": "string", "minLength": 5, "maxLength": 7, "not": { "type": "string", "minLength": 8 } }),
            &[],
            &[],
        ),
        pair(
            "the forbidden longest text is reached",
            json!({ "type": "string", "minLength": 5, "maxLength": 7 }),
            json!({ "type": "string", "minLength": 5, "maxLength": 7, "not": { "type": "string", "minLength": 7 } }),
            &[],
            &["data.a?"],
        ),
        pair(
            "the forbidden smallest number is just out of reach",
            json!({ "type": "integer", "minimum": 5, "maximum": 7 }),
            json!({ "type": "integer", "minimum": 5, "maximum": 7, "not": { "type": "integer", "maximum": 4 } }),
            &[],
            &[],
        ),
        pair(
            "the forbidden smallest number is reached",
            json!({ "type": "integer", "minimum": 5, "maximum": 7 }),
            json!({ "type": "integer", "minimum": 5, "maximum": 7, "not": { "type": "integer", "maximum": 5 } }),
            &[],
            &["data.a?"],
        ),
        pair(
            "the forbidden largest number is just out of reach",
            json!({ "type": "integer", "minimum": 5, "maximum": 7 }),
            json!({ "type": "integer", "minimum": 5, "maximum": 7, "not": { "type": "integer", "minimum": 8 } }),
            &[],
            &[],
        ),
        pair(
            "the forbidden largest number is reached",
            json!({ "type": "integer", "minimum": 5, "maximum": 7 }),
            json!({ "type": "integer", "minimum": 5, "maximum": 7, "not": { "type": "integer", "minimum": 7 } }),
            &[],
            &["data.a?"],
        ),
        pair(
            "the forbidden shortest list is just out of reach",
            json!({ "type": "array", "minItems": 5, "maxItems": 7 }),
            json!({ "type": "array", "minItems": 5, "maxItems": 7, "not": { "type": "array", "maxItems": 4 } }),
            &[],
            &[],
        ),
        pair(
            "the forbidden shortest list is reached",
            json!({ "type": "array", "minItems": 5, "maxItems": 7 }),
            json!({ "type": "array", "minItems": 5, "maxItems": 7, "not": { "type": "array", "maxItems": 5 } }),
            &[],
            &["data.a?"],
        ),
        pair(
            "the forbidden longest list is just out of reach",
            json!({ "type": "array", "minItems": 5, "maxItems": 7 }),
            json!({ "type": "array", "minItems": 5, "maxItems": 7, "not": { "type": "array", "minItems": 8 } }),
            &[],
            &[],
        ),
        pair(
            "the forbidden longest list is reached",
            json!({ "type": "array", "minItems": 5, "maxItems": 7 }),
            json!({ "type": "array", "minItems": 5, "maxItems": 7, "not": { "type": "array", "minItems": 7 } }),
            &[],
            &["data.a?"],
        ),
        pair(
            "any value becomes a constant",
            json!(true),
            json!({ "const": "x" }),
            &[],
            &["data.a"],
        ),
        pair(
            "nearly any value becomes a constant",
            json!({ "anyOf": [{ "type": ["string", "boolean", "null", "array", "object"] },
                { "type": "number", "minimum": 5 }] }),
            json!({ "const": "x" }),
            &[],
            &["data.a"],
        ),
        pair(
            "a part restricts the keys that another lists",
            json!({ "allOf": [
                { "type": "object", "additionalProperties": { "type": "string" } },
                { "type": "object", "properties": { "x": true }, "required": ["x"] },
            ] }),
            json!({ "type": "object", "properties": x, "required": ["x"] }),
            &[],
            &[],
        ),
        pair(
            "a part lists a key beside the pattern of another",
            json!({ "type": "object", "properties": { "x1": { "type": "string" } } }),
            json!({ "allOf": [
                { "type": "object", "patternProperties": { "^x": { "type": "string" } },
                    "additionalProperties": { "type": "integer" } },
                { "type": "object", "properties": { "x1": { "type": "string" } } },
            ] }),
            &[],
            &["data.a?"],
        ),
        pair(
            "the first element of the forbidden list is never sent",
            json!({ "type": "array", "prefixItems": [{ "type": "string" }], "minItems": 1 }),
            json!({ "type": "array", "prefixItems": [{ "type": "string" }], "minItems": 1,
                "not": { "type": "array", "prefixItems": [{ "type": "integer" }] } }),
            &[],
            &[],
        ),
        pair(
            "a reference leads nowhere",
            json!({ "type": "string" }),
            json!({ "$ref": "#/$defs/Missing" }),
            &["data.a?"],
            &["data.a?"],
        ),
        pair(
            "a required key is listed",
            json!({ "type": "object", "required": ["x"] }),
            json!({ "type": "object", "properties": x, "required": ["x"] }),
            &[],
            &["data.a.x"],
        ),
        pair(
            "a part forbids the keys of a pattern",
            json!({ "type": "object", "patternProperties": { "^\\d+$": { "type": "string" } } }),
            json!({ "type": "object", "patternProperties": { "^\\d+$": { "type": "string" } },
                "allOf": [{ "type": "object", "additionalProperties": false }] }),
            &[],
            &["data.a[*]"],
        ),
        pair(
            "a field is encrypted",
            json!({ "type": "string" }),
            json!({ "type": "string", "x-inngest-encrypted": true }),
            &["data.a"],
            &["data.a"],
        ),
        pair(
            "a field of encrypted data is removed",
            json!({ "type": "object", "properties": x, "required": ["x"], "x-inngest-encrypted": true }),
            json!({ "type": "object", "x-inngest-encrypted": true }),
            &["data.a.x"],
            &[],
        ),
        pair(
            "an enum is no longer open",
            json!({ "enum": ["x"], "x-open": true }),
            json!({ "enum": ["x"] }),
            &[],
            &[],
        ),
    ]
}

/// All changes of schemas.
pub(crate) fn schema_pairs() -> Vec<SchemaPair> {
    [same_schemas(), text_and_number_schemas(), structure_schemas()].concat()
}
