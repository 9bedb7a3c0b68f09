//! Finds the fields that a contract requires: fields that are always serialized, and required to deserialize.
//!
//! `schemars` has one schema for what a type writes, and another for what it reads. A field with
//! `#[serde(default)]` is in each new event, but events that are stored, delayed or replayed may lack it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::schema::{definition_name, entries, list, resolve};

/// Removes from each `required` in `written` what `read` does not require in the same place.
pub(super) fn keep_common_required(written: &mut Value, read: &Value) {
    let mut comparison =
        Comparison { written, read, required: BTreeMap::new(), visited: BTreeSet::new() };
    comparison.compare(&Place::root(), read);
    for (pointer, required) in comparison.required {
        let Some(schema) = written.pointer_mut(&pointer).and_then(Value::as_object_mut) else {
            continue;
        };
        if required.is_empty() {
            schema.remove("required");
        } else if let Some(Value::Array(existing)) = schema.get_mut("required") {
            existing.retain(|key| key.as_str().is_some_and(|key| required.contains(key)));
        }
    }
}

/// Walks through two schemas of one type at once.
struct Comparison<'a> {
    written: &'a Value,
    read: &'a Value,
    /// What both require, by the pointer of the written schema.
    required: BTreeMap<String, BTreeSet<String>>,
    /// Pairs that were compared: the pointer of the written schema, and the address of the read one.
    visited: BTreeSet<(String, *const Value)>,
}

/// The place of a schema in the written document, as a JSON pointer.
struct Place(String);

impl Place {
    fn root() -> Place {
        Place(String::new())
    }

    fn inside(&self, keys: &[&str]) -> Place {
        let mut pointer = self.0.clone();
        for key in keys {
            pointer.push('/');
            pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
        }
        Place(pointer)
    }
}

impl<'a> Comparison<'a> {
    fn compare(&mut self, place: &Place, read: &'a Value) {
        if !self.visited.insert((place.0.clone(), std::ptr::from_ref(read))) {
            return;
        }
        let Some(written) = self.written.pointer(&place.0).and_then(Value::as_object) else {
            return;
        };
        if written.contains_key("required") {
            let mut required: BTreeSet<String> = strings(&written["required"]).collect();
            let read_required = self.all_required(read);
            required.retain(|key| read_required.contains(key));
            let common = self.required.entry(place.0.clone()).or_insert_with(|| required.clone());
            common.retain(|key| required.contains(key));
        }
        if let Some(name) = written.get("$ref").and_then(Value::as_str).and_then(definition_name) {
            self.compare(&Place::root().inside(&["$defs", &name]), read);
        }
        for (keyword, value) in written {
            self.compare_inside(place, read, keyword, value);
        }
    }

    /// Compares the schemas inside one keyword with their counterparts.
    fn compare_inside(&mut self, place: &Place, read: &'a Value, keyword: &str, value: &'a Value) {
        match (keyword, value) {
            ("properties" | "patternProperties", Value::Object(schemas)) => {
                for key in schemas.keys() {
                    let named = self.find(read, &|it| it.get(keyword)?.get(key));
                    let other = || self.find(read, &|it| it.get("additionalProperties"));
                    if let Some(counterpart) = named.or_else(other) {
                        self.compare(&place.inside(&[keyword, key]), counterpart);
                    }
                }
            }
            ("additionalProperties" | "items" | "unevaluatedProperties", _) => {
                if let Some(counterpart) = self.find(read, &|it| it.get(keyword)) {
                    self.compare(&place.inside(&[keyword]), counterpart);
                }
            }
            ("prefixItems", Value::Array(schemas)) => {
                for index in 0..schemas.len() {
                    if let Some(counterpart) = self.find(read, &|it| it.get(keyword)?.get(index)) {
                        self.compare(&place.inside(&[keyword, &index.to_string()]), counterpart);
                    }
                }
            }
            ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => {
                let counterparts = self.find(read, &|it| it.get(keyword)).and_then(Value::as_array);
                for index in 0..schemas.len() {
                    let counterpart = match counterparts {
                        None => Some(read),
                        Some(others) => find_variant(schemas, index, others),
                    };
                    if let Some(counterpart) = counterpart {
                        self.compare(&place.inside(&[keyword, &index.to_string()]), counterpart);
                    }
                }
            }
            _ => {}
        }
    }

    /// Returns what `find` returns first for `schema`, for the schema it refers to and for the schemas that it
    /// combines.
    fn find(
        &self,
        schema: &'a Value,
        find: &dyn Fn(&'a Value) -> Option<&'a Value>,
    ) -> Option<&'a Value> {
        self.parts(schema).into_iter().find_map(find)
    }

    fn all_required(&self, schema: &'a Value) -> BTreeSet<String> {
        let parts = self.parts(schema).into_iter();
        parts.filter_map(|part| part.get("required")).flat_map(strings).collect()
    }

    /// Returns `schema`, the schema it refers to and the schemas that it combines.
    fn parts(&self, schema: &'a Value) -> Vec<&'a Value> {
        let mut parts = vec![schema];
        let mut next = 0;
        while let Some(&part) = parts.get(next) {
            let reference = part.get("$ref").and_then(Value::as_str);
            let target = reference.and_then(|reference| resolve(self.read, reference));
            for found in target.into_iter().chain(list(part, "allOf")) {
                if !parts.iter().any(|known| std::ptr::eq(*known, found)) {
                    parts.push(found);
                }
            }
            next += 1;
        }
        parts
    }
}

fn strings(value: &Value) -> impl Iterator<Item = String> + use<'_> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned)
}

/// Returns the schema in `others` of the variant that `schemas` has at `index`. Each direction may lack variants.
fn find_variant<'a>(schemas: &[Value], index: usize, others: &'a [Value]) -> Option<&'a Value> {
    let variant = identity(&schemas[index]);
    let is_same = |other: &&Value| identity(other) == variant;
    let in_place = others.get(index);
    // A variant that is serialized and deserialized in different forms has the same index in both schemas.
    let is_left = |other: &&Value| !schemas.iter().any(|it| identity(it) == identity(other));
    in_place
        .filter(is_same)
        .or_else(|| others.iter().find(is_same))
        .or_else(|| in_place.filter(|_| others.len() == schemas.len()).filter(is_left))
}

/// The identity of an enum's variant: its type, its value or reference, and its tag or else the names of its fields.
type Identity<'a> = (Option<&'a Value>, Option<&'a Value>, Vec<(&'a String, Option<&'a Value>)>);

fn identity(schema: &Value) -> Identity<'_> {
    let value = ["const", "enum", "$ref"].iter().find_map(|keyword| schema.get(keyword));
    let mut fields: Vec<_> =
        entries(schema, "properties").map(|(name, field)| (name, field.get("const"))).collect();
    if fields.iter().any(|(_, tag)| tag.is_some()) {
        fields.retain(|(_, tag)| tag.is_some());
    }
    (schema.get("type"), value, fields)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::keep_common_required;

    #[test]
    fn required_is_what_both_directions_require() {
        let mut written = json!({
            "properties": { "a": {}, "b": { "$ref": "#/$defs/Inner" }, "c": {} },
            "required": ["a", "b", "c"],
            "$defs": { "Inner": { "properties": { "x": {}, "y": {} }, "required": ["x", "y"] } }
        });
        let read = json!({
            "allOf": [{ "$ref": "#/$defs/Other" }],
            "required": ["b"],
            "$defs": {
                "Other": { "properties": { "b": { "required": ["y"] } }, "required": ["a", "z"] }
            }
        });
        keep_common_required(&mut written, &read);
        assert_eq!(written["required"], json!(["a", "b"]));
        assert_eq!(written["$defs"]["Inner"]["required"], json!(["y"]));
    }

    #[test]
    fn variants_are_compared_by_their_tags_if_a_direction_lacks_one() {
        let mut written = json!({ "oneOf": [
            { "properties": { "tag": { "const": "A" } }, "required": ["tag", "n"] },
            { "properties": { "tag": { "const": "B" }, "n": {} }, "required": ["tag", "n"] },
            { "properties": { "C": {} }, "required": ["C"] },
        ] });
        let read = json!({ "oneOf": [
            { "properties": { "tag": { "const": "B" }, "n": {} }, "required": ["tag"] },
            { "properties": { "C": {} }, "required": ["C"] },
        ] });
        keep_common_required(&mut written, &read);
        let required: Vec<_> =
            (0..3).map(|index| written["oneOf"][index]["required"].clone()).collect();
        assert_eq!(required, [json!(["tag", "n"]), json!(["tag"]), json!(["C"])]);
    }

    #[test]
    fn recursive_types_end() {
        let mut written = json!({
            "$ref": "#/$defs/Tree",
            "$defs": { "Tree": {
                "properties": { "of": { "$ref": "#/$defs/Tree" }, "n": {} }, "required": ["of", "n"]
            } }
        });
        let mut read = written.clone();
        read["$defs"]["Tree"]["required"] = json!(["of"]);
        keep_common_required(&mut written, &read);
        assert_eq!(written["$defs"]["Tree"]["required"], json!(["of"]));
        read["$defs"]["Tree"]["required"] = json!([]);
        keep_common_required(&mut written, &read);
        assert_eq!(written["$defs"]["Tree"].get("required"), None);
    }
}
