//! Keywords that cannot be translated.

use inngest_core::catalog::CatalogError;

use super::catalog_of;

/// Checks the path and the keyword of the error about a schema.
macro_rules! assert_unsupported {
    ($($json:tt => $path:literal, $keyword:literal;)*) => {$({
        let catalog = catalog_of!("test/shown", { "type": "object", "properties": { "value": $json } });
        let error = catalog.typescript().unwrap_err();
        let text = error.to_string();
        assert!(text.contains("`test/shown`") && text.contains($path) && text.contains($keyword), "{text}");
        match error {
            CatalogError::Unsupported { event, path, keyword } => assert_eq!(
                (event.as_str(), path.as_str(), keyword.as_str()),
                ("test/shown", $path, $keyword)
            ),
            other => panic!("{other:?}"),
        }
    })*};
}

#[test]
fn an_unknown_keyword_is_an_error_with_its_path() {
    assert_unsupported! {
        { "if": true } => "data.value", "if";
        { "$dynamicRef": "#a" } => "data.value", "$dynamicRef";
        { "type": "array", "items": { "type": "object", "dependentSchemas": {} } } => "data.value[]", "dependentSchemas";
        { "prefixItems": [true, { "else": true }] } => "data.value[]", "else";
        { "additionalProperties": { "then": true } } => "data.value[*]", "then";
        { "patternProperties": { "^a": { "then": true } } } => "data.value[*]", "then";
        { "properties": { "odd key": { "properties": { "sku": { "typ": "string" } } } } } =>
            "data.value[\"odd key\"].sku", "typ";
        { "anyOf": [{ "type": "null" }, { "oneOf": [{ "contentSchema": {} }] }] } => "data.value", "contentSchema";
        { "allOf": [{ "unevaluatedItems": false }] } => "data.value", "unevaluatedItems";
        { "not": { "type": "string" } } => "data.value", "not";
    }
}

#[test]
fn a_keyword_with_a_value_that_it_cannot_have_is_an_error() {
    assert_unsupported! {
        { "type": "text" } => "data.value", "type";
        { "type": 1 } => "data.value", "type";
        { "type": ["string", 1] } => "data.value", "type";
        { "enum": "a" } => "data.value", "enum";
        { "enum": [["a"]] } => "data.value", "enum";
        { "const": {} } => "data.value", "const";
        { "oneOf": {} } => "data.value", "oneOf";
        { "anyOf": 1 } => "data.value", "anyOf";
        { "allOf": "a" } => "data.value", "allOf";
        { "properties": [] } => "data.value", "properties";
        { "patternProperties": [] } => "data.value", "patternProperties";
        { "prefixItems": {} } => "data.value[]", "prefixItems";
        { "$ref": "#/$defs/Missing" } => "data.value", "$ref";
        { "$ref": "https://example.com/schema" } => "data.value", "$ref";
        { "$ref": 1 } => "data.value", "$ref";
        { "items": 1 } => "data.value[]", "1";
    }
}
