//! The types that schemas are translated to.

use super::{catalog_of, exported_type};

/// Checks the type of a field whose schema is the JSON at the left.
macro_rules! assert_types {
    ($($json:tt => $ty:expr;)*) => {$({
        let catalog = catalog_of!("test/shown", {
            "type": "object", "properties": { "value": $json }, "required": ["value"]
        });
        let found = without_comments(&exported_type(&catalog, "Shown"));
        let expected = format!("export type Shown = {{\n  value: {};\n}};", $ty);
        assert_eq!(found, expected, "{}", stringify!($json));
    })*};
}

fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.contains("/**")).collect::<Vec<_>>().join("\n")
}

#[test]
fn simple_types_are_translated() {
    assert_types! {
        true => "unknown";
        false => "never";
        {} => "unknown";
        { "not": {} } => "never";
        { "type": "string", "format": "no", "pattern": "^a$", "maxLength": 3 } => "string";
        { "type": "integer", "format": "uint8", "minimum": 0, "maximum": 255 } => "number";
        { "type": "integer", "not": { "const": 0 } } => "number";
        { "type": "number", "x-unit": "cm" } => "number";
        { "type": "boolean" } => "boolean";
        { "type": "null" } => "null";
        { "type": ["string", "null"] } => "string | null";
        { "type": ["integer", "number"] } => "number";
        { "$comment": "text", "default": 1, "examples": [1], "title": "Title" } => "unknown";
    }
}

#[test]
fn literals_are_translated() {
    assert_types! {
        { "const": "a" } => "\"a\"";
        { "type": "string", "enum": ["a", "b"] } => "\"a\" | \"b\"";
        { "enum": ["a", 1, -2.5, true, null] } => "\"a\" | 1 | -2.5 | true | null";
        { "enum": ["quoted \" \\ text", "line\nbreak", "*/"] } =>
            "\"quoted \\\" \\\\ text\" | \"line\\nbreak\" | \"*/\"";
        { "enum": [] } => "never";
    }
}

#[test]
fn an_open_enum_accepts_other_values_of_its_type() {
    assert_types! {
        { "type": "string", "enum": ["a", "b"], "x-open": true } => "\"a\" | \"b\" | (string & {})";
        { "type": "string", "enum": ["a", "b"], "x-open": false } => "\"a\" | \"b\"";
        { "oneOf": [{ "const": "a" }, { "const": "b" }], "x-open": true } => "\"a\" | \"b\" | (string & {})";
        { "enum": [1, -2], "x-open": true } => "1 | -2 | (number & {})";
    }
}

#[test]
fn arrays_and_tuples_are_translated() {
    assert_types! {
        { "type": "array" } => "unknown[]";
        { "type": "array", "items": { "type": "string" }, "uniqueItems": true } => "string[]";
        { "type": "array", "items": { "type": ["string", "null"] } } => "(string | null)[]";
        { "type": "array", "items": { "type": "array", "items": { "type": "string" } } } => "string[][]";
        { "items": { "type": "string" } } => "string[]";
        { "type": "array", "items": { "type": "string" }, "minItems": 2, "maxItems": 2 } => "[string, string]";
        { "type": "array", "items": { "type": "string" }, "minItems": 0, "maxItems": 0 } => "[]";
        { "type": "array", "items": { "type": "string" }, "minItems": 17, "maxItems": 17 } => "string[]";
        { "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": 2 } => "string[]";
        { "type": "array", "prefixItems": [{ "type": "string" }, { "type": "null" }], "minItems": 2, "maxItems": 2 } =>
            "[string, null]";
        { "type": "array", "prefixItems": [{ "type": "string" }], "minItems": 1, "items": false } => "[string]";
        { "type": "array", "prefixItems": [{ "type": "string" }, { "type": ["null", "string"] }], "minItems": 1, "maxItems": 2 } =>
            "[string, (null | string)?]";
        { "prefixItems": [{ "type": "string" }], "minItems": 1, "items": { "type": ["null", "string"] } } =>
            "[string, ...(null | string)[]]";
        { "prefixItems": [], "maxItems": 0 } => "[]";
    }
}

#[test]
fn objects_and_maps_are_translated() {
    assert_types! {
        { "type": "object" } => "{}";
        { "type": "object", "additionalProperties": false } => "{}";
        { "type": "object", "additionalProperties": true } => "{ [key: string]: unknown }";
        { "type": "object", "additionalProperties": { "type": "string" } } => "{ [key: string]: string }";
        { "type": "object", "patternProperties": { "^\\d+$": { "type": "string" } }, "additionalProperties": false } =>
            "{ [key: string]: string }";
        { "type": "object", "patternProperties": { "^a": { "type": "string" } }, "additionalProperties": { "type": "null" } } =>
            "{ [key: string]: string | null }";
        { "type": "object", "properties": { "b": { "type": "string" }, "a": true }, "required": ["b"] } =>
            "{ a?: unknown; b: string }";
        { "properties": { "a": { "type": "string" } }, "required": ["a"], "unevaluatedProperties": false } => "{ a: string }";
        { "required": ["a"] } => "{ a: unknown }";
        { "required": ["a"], "additionalProperties": { "type": "string" } } => "{ a: string; [key: string]: string }";
        { "type": ["object", "null"], "properties": { "a": { "type": "string" } }, "required": ["a"] } =>
            "{ a: string } | null";
    }
}

#[test]
fn an_index_signature_includes_the_properties_beside_it() {
    assert_types! {
        { "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"], "additionalProperties": true } =>
            "{ a: string; [key: string]: unknown }";
        { "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"], "additionalProperties": { "type": "integer" } } =>
            "{ a: string; [key: string]: number | string }";
        { "type": "object", "properties": { "a": { "type": "string" } }, "additionalProperties": { "type": "integer" } } =>
            "{ a?: string; [key: string]: number | string | undefined }";
        // The properties of the other part are in no relation to the type of the map.
        { "type": "object", "unevaluatedProperties": { "type": "integer" }, "oneOf": [{ "properties": { "a": { "const": "b" } }, "required": ["a"] }] } =>
            "{ [key: string]: unknown } & { a: \"b\" }";
    }
}

#[test]
fn keys_are_quoted_where_they_must_be() {
    assert_types! {
        { "properties": { "a b": true, "": true, "1": true, "1a": true, "a-b": true, "\"": true, "\n": true } } =>
            "{ \"\"?: unknown; \"\\n\"?: unknown; \"\\\"\"?: unknown; \"1\"?: unknown; \"1a\"?: unknown; \"a b\"?: unknown; \"a-b\"?: unknown }"
                .replace("{ ", "{\n    ").replace("; ", ";\n    ").replace(" }", ";\n  }");
        { "properties": { "$a": true, "_": true, "class": true, "größe": true } } =>
            "{ $a?: unknown; _?: unknown; class?: unknown; größe?: unknown }";
    }
}

#[test]
fn unions_and_intersections_are_translated() {
    assert_types! {
        { "anyOf": [{ "type": "string" }, { "type": "null" }] } => "string | null";
        // An option of an option.
        { "anyOf": [{ "anyOf": [{ "type": "string" }, { "type": "null" }] }, { "type": "null" }] } => "string | null";
        { "oneOf": [{ "type": "string" }, true] } => "unknown";
        { "oneOf": [] } => "never";
        { "oneOf": [false, { "type": "string" }] } => "string";
        { "allOf": [{ "required": ["a"] }, { "required": ["b"] }] } => "{ a: unknown } & { b: unknown }";
        { "type": "object", "allOf": [{ "required": ["a"] }, true] } => "{ a: unknown }";
        { "type": "string", "anyOf": [{ "pattern": "a" }, { "pattern": "b" }] } => "string";
        { "type": "array", "items": { "allOf": [{ "required": ["a"] }, { "required": ["b"] }] } } =>
            "({ a: unknown } & { b: unknown })[]";
        { "properties": { "a": { "type": "string" } }, "required": ["a"], "oneOf": [{ "type": "string" }, { "type": "null" }] } =>
            "{ a: string } & (string | null)";
    }
}

#[test]
fn data_without_fields_is_an_empty_record() {
    for catalog in [
        catalog_of!("test/shown", { "type": "null" }),
        catalog_of!("test/shown", { "type": "object" }),
        catalog_of!("test/shown", { "type": "object", "additionalProperties": false }),
    ] {
        assert_eq!(exported_type(&catalog, "Shown"), "export type Shown = Record<string, never>;");
    }
}
