//! The structure of a JSON Schema: its subschemas and its references.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The prefix of references to definitions in a contract's schema.
pub(super) const DEFINITIONS: &str = "#/$defs/";

/// Keywords that hold one schema.
const ONE: &[&str] = &[
    "additionalItems",
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords that hold a list of schemas.
const LIST: &[&str] = &["allOf", "anyOf", "items", "oneOf", "prefixItems"];
/// Keywords that hold an object whose values are schemas.
const NAMED: &[&str] = &["$defs", "dependentSchemas", "patternProperties", "properties"];

/// Calls `change` with each schema directly inside `schema`.
pub(super) fn for_each_subschema(schema: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    let Some(keywords) = schema.as_object_mut() else {
        return;
    };
    for (keyword, value) in keywords {
        let keyword = keyword.as_str();
        match value {
            Value::Array(schemas) if LIST.contains(&keyword) => {
                schemas.iter_mut().for_each(&mut *change);
            }
            Value::Object(schemas) if NAMED.contains(&keyword) => {
                schemas.values_mut().for_each(&mut *change);
            }
            Value::Object(_) | Value::Bool(_) if ONE.contains(&keyword) => change(value),
            _ => {}
        }
    }
}

/// Calls `change` with `schema` and every schema inside it, the outer ones last.
pub(super) fn for_each_schema(schema: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    for_each_subschema(schema, &mut |inner| for_each_schema(inner, change));
    change(schema);
}

/// Replaces every reference in `schema` by the result of `change`, or keeps it if the result is `None`.
pub(super) fn change_references(
    schema: &mut Value,
    change: &mut dyn FnMut(&str) -> Option<String>,
) {
    for_each_schema(schema, &mut |schema| {
        if let Some(Value::String(reference)) = schema.get_mut("$ref") {
            if let Some(changed) = change(reference) {
                *reference = changed;
            }
        }
    });
}

/// Returns the name of the definition that `reference` leads to.
pub(super) fn definition_name(reference: &str) -> Option<String> {
    let encoded = reference.strip_prefix(DEFINITIONS)?.as_bytes();
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let [first, tail @ ..] = rest {
        let decoded = match (first, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        bytes.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { &tail[2..] } else { tail };
    }
    Some(String::from_utf8(bytes).ok()?.replace("~1", "/").replace("~0", "~"))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Returns a reference to the definition `name` below `prefix`, such as `#/$defs/`.
pub(super) fn reference(prefix: &str, name: &str) -> String {
    let mut reference = prefix.to_owned();
    for byte in name.replace('~', "~0").replace('/', "~1").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            reference.push(char::from(byte));
        } else {
            let _ = write!(reference, "%{byte:02X}");
        }
    }
    reference
}

/// Returns the definitions of a contract's schema.
pub(super) fn definitions(root: &Value) -> Option<&Map<String, Value>> {
    root.get("$defs")?.as_object()
}

/// Returns the schema that `reference` leads to in `root`.
pub(super) fn resolve<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    if reference == "#" {
        return Some(root);
    }
    definitions(root)?.get(&definition_name(reference)?)
}

/// Returns the schema that `schema` refers to, if it has a reference.
pub(super) fn target<'a>(root: &'a Value, schema: &Value) -> Option<&'a Value> {
    resolve(root, schema.get("$ref")?.as_str()?)
}

/// Returns the elements of an array keyword, or none.
pub(super) fn list<'a>(schema: &'a Value, keyword: &str) -> &'a [Value] {
    schema.get(keyword).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Returns the entries of an object keyword.
pub(super) fn entries<'a>(
    schema: &'a Value,
    keyword: &str,
) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
    schema.get(keyword).and_then(Value::as_object).into_iter().flatten()
}

/// Returns the types that the keyword `type` allows.
pub(super) fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Returns whether the keyword `required` of `schema` contains `key`.
pub(super) fn is_required(schema: &Value, key: &str) -> bool {
    list(schema, "required").iter().any(|it| it == key)
}

#[cfg(test)]
mod tests {
    use super::{DEFINITIONS, definition_name, reference};

    #[test]
    fn references_lead_to_definitions_of_any_name() {
        for name in ["Item", "a/b", "a~b", "größe", "odd name", "100%", "%41"] {
            let reference = reference(DEFINITIONS, name);
            assert!(reference.is_ascii(), "{reference}");
            assert_eq!(definition_name(&reference).as_deref(), Some(name));
        }
        assert_eq!(definition_name("#/$defs/größe~1").as_deref(), Some("größe/"));
        assert_eq!(definition_name("#/$defs/5%"), Some("5%".to_owned()));
        assert_eq!(definition_name("https://example.com/schema"), None);
    }
}
