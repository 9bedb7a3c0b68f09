//! The types of values inside events. Each type is declared once, also if several events contain it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::export_name::{is_global_type, pascal_case};
use super::super::schema::{definition_name, definitions};
use super::types::Type;

/// The types of values inside events.
#[derive(Debug, Default)]
pub(super) struct InnerTypes {
    /// The names that are taken, by these types or by events.
    taken: BTreeSet<String>,
    /// The name of each type, by the schemas of the type and of all types that it contains.
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
    /// Types of different events are the same if their schemas, and the schemas of all types that they contain, are
    /// equal. Different types with the same name get numbers.
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

/// Returns the definition of `root` that `reference` leads to, with its name; `None` if there is none.
pub(super) fn definition<'a>(root: &'a Value, reference: &str) -> Option<(&'a str, &'a Value)> {
    let name = definition_name(reference)?;
    definitions(root)?.get_key_value(&name).map(|(name, schema)| (name.as_str(), schema))
}

/// Returns the schemas of `definition` and of all types that it contains, by name.
fn with_inner<'a>(root: &'a Value, definition: &'a str) -> BTreeMap<&'a str, &'a Value> {
    let mut schemas = BTreeMap::new();
    let mut open = vec![definition];
    while let Some(name) = open.pop() {
        let schema = &root["$defs"][name];
        if schemas.insert(name, schema).is_none() {
            references(schema, &mut |reference| {
                open.extend(self::definition(root, reference).map(|(name, _)| name));
            });
        }
    }
    schemas
}

/// Calls `found` with every reference in `schema`.
fn references<'a>(schema: &'a Value, found: &mut impl FnMut(&'a str)) {
    match schema {
        Value::Object(keywords) => {
            if let Some(Value::String(reference)) = keywords.get("$ref") {
                found(reference);
            }
            keywords.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}
