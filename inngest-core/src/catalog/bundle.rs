//! The schemas of several events in one document, as definitions with unique names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::contract::Contract;
use super::encrypted::replace_by_envelopes;
use super::error::CatalogError;
use super::export_name::exports;
use super::schema::{change_references, definition_name, definitions, reference};

/// The data of events as it is sent, as named schemas that refer to each other.
pub(super) struct Bundle<'a> {
    /// What precedes a name in a reference, such as `#/$defs/`.
    prefix: &'static str,
    pub(super) schemas: Map<String, Value>,
    pub(super) events: Vec<BundledEvent<'a>>,
}

/// An event of a bundle.
pub(super) struct BundledEvent<'a> {
    /// The name of its schema: `CartUpdated`. With several versions, it is the schema of all of them together.
    pub(super) key: String,
    /// The versions, with the name of each one's schema.
    pub(super) versions: Vec<(String, &'a Contract)>,
}

impl BundledEvent<'_> {
    /// Returns the names of the event's schemas.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.key)
            .chain(self.versions.iter().map(|(key, _)| key))
            .map(String::as_str)
    }
}

impl<'a> Bundle<'a> {
    /// Bundles events. The schemas of events are named after the events. Inner types keep their names, with a
    /// number if different types have the same name. `key` converts a name to one that the document allows.
    pub(super) fn new(
        contracts: &'a [Contract],
        prefix: &'static str,
        key: fn(&str) -> String,
    ) -> Result<Bundle<'a>, CatalogError> {
        Bundle::with_schemas(contracts, prefix, key, wire_schema)
    }

    /// Bundles events as [`new`](Self::new) does. `schema` returns the schema of an event's data.
    pub(super) fn with_schemas(
        contracts: &'a [Contract],
        prefix: &'static str,
        key: fn(&str) -> String,
        schema: fn(&str, &Contract) -> Value,
    ) -> Result<Bundle<'a>, CatalogError> {
        let mut bundle = Bundle { prefix, schemas: Map::new(), events: Vec::new() };
        // All names of events come first, so that no inner type takes one.
        let mut taken = BTreeSet::new();
        for event in exports(contracts)? {
            let name = unique(&key(&event.name.of_type), |it| !taken.contains(it));
            taken.insert(name.clone());
            let versions = match event.versions.as_slice() {
                [(_, contract)] => vec![(name.clone(), *contract)],
                several => several
                    .iter()
                    .map(|(export, contract)| {
                        let name = unique(&key(&export.of_type), |it| !taken.contains(it));
                        taken.insert(name.clone());
                        (name, *contract)
                    })
                    .collect(),
            };
            bundle.events.push(BundledEvent { key: name, versions });
        }
        let mut inner = InnerTypes { prefix, key, taken, known: BTreeMap::new() };
        for event in &bundle.events {
            for (name, contract) in &event.versions {
                let schema = inner.add(&mut bundle.schemas, &schema(name, contract));
                bundle.schemas.insert(name.clone(), schema);
            }
            if event.versions.len() > 1 {
                let versions = event.versions.iter();
                let versions: Vec<_> = versions.map(|(name, _)| refer(prefix, name)).collect();
                bundle.schemas.insert(event.key.clone(), json!({ "anyOf": versions }));
            }
        }
        Ok(bundle)
    }

    /// Returns the schema of a whole event as it is sent, in its envelope.
    ///
    /// `others` are the other versions of the event.
    pub(super) fn envelope(&self, key: &str, contract: &Contract, others: &[&str]) -> Value {
        let mut required = vec!["name", "data"];
        let version = match &contract.version {
            Some(version) => {
                required.push("v");
                json!({ "const": version })
            }
            None if others.is_empty() => json!({ "type": "string" }),
            None => json!({ "type": "string", "not": { "enum": others } }),
        };
        let id = match &contract.id_template {
            Some(template) => format!("The dedup id: `{template}`"),
            None => "The dedup id, if the event has one".to_owned(),
        };
        json!({
            "type": "object",
            "properties": {
                "name": { "const": contract.name },
                "data": refer(self.prefix, key),
                "v": version,
                "id": { "type": "string", "description": id },
                "ts": {
                    "type": "integer",
                    "description": "The time of the event, in milliseconds since 1970-01-01"
                },
                "user": { "type": "object" },
                "meta": { "type": "object" }
            },
            "required": required
        })
    }
}

fn refer(prefix: &str, name: &str) -> Value {
    json!({ "$ref": reference(prefix, name) })
}

/// Returns `name` or, if that is not free, the first of `name2`, `name3` and so on that is.
fn unique(name: &str, is_free: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number: u32| format!("{name}{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| is_free(name)).unwrap_or_default()
}

/// Returns the schema of an event's data as it is sent: with envelopes for encrypted values.
///
/// The data of a unit struct is null. Functions receive an empty object instead, so both are allowed.
pub(super) fn wire_schema(title: &str, contract: &Contract) -> Value {
    let mut schema = contract.schema.clone();
    replace_by_envelopes(&mut schema);
    if schema["type"] == "null" {
        schema["type"] = json!(["object", "null"]);
    }
    mark_event(&mut schema, title, contract);
    schema
}

/// Returns the schema of an event's data as functions receive it: encrypted values are decrypted.
pub(super) fn decrypted_schema(title: &str, contract: &Contract) -> Value {
    let mut schema = contract.schema.clone();
    mark_event(&mut schema, title, contract);
    schema
}

fn mark_event(schema: &mut Value, title: &str, contract: &Contract) {
    schema["title"] = title.into();
    schema["x-inngest-event"] = contract.name.as_ref().into();
    if let Some(version) = &contract.version {
        schema["x-inngest-version"] = version.as_ref().into();
    }
}

/// The inner types of a bundle.
struct InnerTypes {
    prefix: &'static str,
    key: fn(&str) -> String,
    /// The names in use.
    taken: BTreeSet<String>,
    /// The name of each type, by its schema and the schemas that it refers to.
    known: BTreeMap<String, String>,
}

impl InnerTypes {
    /// Adds the definitions that `root` uses to `schemas`, and returns `root` with references to them, without
    /// its definitions.
    fn add(&mut self, schemas: &mut Map<String, Value>, root: &Value) -> Value {
        let mut names = BTreeMap::new();
        let mut new = Vec::new();
        for name in used_definitions(root, root) {
            let identity = identity(root, &name);
            if let Some(known) = self.known.get(&identity) {
                names.insert(name, known.clone());
                continue;
            }
            let unique = unique(&(self.key)(&name), |it| !self.taken.contains(it));
            self.taken.insert(unique.clone());
            self.known.insert(identity, unique.clone());
            new.push((name.clone(), unique.clone()));
            names.insert(name, unique);
        }
        let rename = |schema: &Value| {
            let mut schema = schema.clone();
            change_references(&mut schema, &mut |it| {
                Some(reference(self.prefix, names.get(&definition_name(it)?)?))
            });
            schema
        };
        for (name, unique) in new {
            schemas.insert(unique, rename(&root["$defs"][name]));
        }
        let mut schema = rename(root);
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("$defs");
        }
        schema
    }
}

/// Returns a text that is equal for equal types only: the definition `name` of `root` and all that it uses.
fn identity(root: &Value, name: &str) -> String {
    let schema = &root["$defs"][name];
    let used = used_definitions(root, schema);
    let used: BTreeMap<_, _> = used.iter().map(|name| (name, &root["$defs"][name])).collect();
    json!([name, schema, used]).to_string()
}

/// Returns the names of the definitions of `root` that `schema` uses, directly or through other definitions.
fn used_definitions(root: &Value, schema: &Value) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let mut pending = vec![schema.clone()];
    while let Some(mut schema) = pending.pop() {
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("$defs");
        }
        change_references(&mut schema, &mut |it| {
            let name = definition_name(it)?;
            let definition = definitions(root)?.get(&name)?;
            if used.insert(name) {
                pending.push(definition.clone());
            }
            None
        });
    }
    used
}
