//! The types inside of events: each is declared once, also if several events contain it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::export_name::{is_global_type, pascal_case};
use super::types::Type;

/// The types inside of events.
#[derive(Debug, Default)]
pub(super) struct InnerTypes {
    /// The names that are taken, by these types or by events.
    taken: BTreeSet<String>,
    /// The name of each type, by the schemas of the type and of all types inside of it.
    names: BTreeMap<String, String>,
    /// The declarations, with their documentation, by name.
    pub(super) declarations: BTreeMap<String, (String, Type)>,
}

impl InnerTypes {
    /// Returns no types. The names of `events` are taken.
    pub(super) fn new(events: impl IntoIterator<Item = String>) -> InnerTypes {
        InnerTypes { taken: events.into_iter().collect(), ..InnerTypes::default() }
    }

    /// Returns the name of the type of `definition` in `root`, and whether it is new. If it is, the caller
    /// adds its declaration.
    ///
    /// Types of different events are the same if their schemas are, with the schemas of all types inside of
    /// them. Types of one name that differ get numbers.
    pub(super) fn name(&mut self, root: &Value, definition: &str) -> (String, bool) {
        let schemas = json!([definition, with_inner(root, definition)]).to_string();
        if let Some(name) = self.names.get(&schemas) {
            return (name.clone(), false);
        }
        let base = pascal_case(definition);
        let prefix = if base.starts_with(unicode_ident::is_xid_start) { "" } else { "Type" };
        let base = format!("{prefix}{base}");
        let is_free = |name: &String| !is_global_type(name) && !self.taken.contains(name);
        let numbered = (2..).map(|number| format!("{base}{number}"));
        let name = std::iter::once(base.clone()).chain(numbered).find(is_free).unwrap_or(base);
        self.taken.insert(name.clone());
        self.names.insert(schemas, name.clone());
        (name, true)
    }
}

/// Returns the definition of `root` that `reference` refers to, with its name; `None` if there is none.
pub(super) fn definition<'a>(root: &'a Value, reference: &str) -> Option<(&'a str, &'a Value)> {
    let encoded = reference.strip_prefix("#/$defs/")?;
    let definitions = root.get("$defs")?.as_object()?;
    let is_meant = |(name, _): &(&String, &Value)| *name == encoded || is_encoded(encoded, name);
    definitions.iter().find(is_meant).map(|(name, schema)| (name.as_str(), schema))
}

/// Returns whether `encoded` is `name` as a part of a JSON pointer in a URL, with or without its percent
/// signs: schemars encodes names in some versions.
fn is_encoded(encoded: &str, name: &str) -> bool {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let [first, after @ ..] = rest {
        let hex =
            after.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex.trim_start(), 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    let pointer = name.replace('~', "~0").replace('/', "~1");
    bytes == pointer.as_bytes()
}

/// Returns the schemas of `definition` and of all types inside of it, by name. The root's is under the empty
/// name.
fn with_inner<'a>(root: &'a Value, definition: &'a str) -> BTreeMap<&'a str, &'a Value> {
    let mut schemas = BTreeMap::new();
    let mut open = vec![definition];
    while let Some(name) = open.pop() {
        let schema = if name.is_empty() { root } else { &root["$defs"][name] };
        if schemas.insert(name, schema).is_none() {
            references(schema, &mut |reference| match self::definition(root, reference) {
                Some((name, _)) => open.push(name),
                None => open.push(""),
            });
        }
    }
    schemas
}

/// Calls `found` with every reference in `schema`.
fn references<'a>(schema: &'a Value, found: &mut impl FnMut(&'a str)) {
    match schema {
        Value::Object(keywords) => {
            for (keyword, value) in keywords {
                match value {
                    Value::String(reference) if keyword == "$ref" => found(reference),
                    _ if keyword == "$defs" => {}
                    value => references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}
