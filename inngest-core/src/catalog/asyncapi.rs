//! AsyncAPI 3.1.

use serde_json::{Map, Value, json};

use super::Catalog;
use super::bundle::Bundle;
use super::contract::Contract;
use super::error::CatalogError;
use super::schema::for_each_schema;

const SCHEMAS: &str = "#/components/schemas/";

impl Catalog {
    /// Returns an AsyncAPI document, version 3.1.0: a channel for each event, with a message for each version.
    ///
    /// A message's payload is the whole event as it is sent, in AsyncAPI's schema dialect, a superset of JSON Schema
    /// draft-07. That draft has no `unevaluatedProperties`, so the schema of a struct with both
    /// `deny_unknown_fields` and flattened fields allows unknown fields here.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`json_schema`](Self::json_schema).
    pub fn asyncapi(&self) -> Result<Value, CatalogError> {
        let bundle = Bundle::new(self.checked_contracts()?, SCHEMAS, component_key)?;
        let (mut channels, mut operations) = (Map::new(), Map::new());
        let mut messages = Map::new();
        for event in &bundle.events {
            let mut channel_messages = Map::new();
            let versions = event.versions.iter();
            let versions: Vec<&str> =
                versions.filter_map(|(_, it)| it.version.as_deref()).collect();
            for (key, contract) in &event.versions {
                messages.insert(key.clone(), message(&bundle, key, contract, &versions));
                let reference = format!("#/components/messages/{key}");
                channel_messages.insert(key.clone(), json!({ "$ref": reference }));
            }
            let key = &event.key;
            let address = &event.versions[0].1.name;
            channels
                .insert(key.clone(), json!({ "address": address, "messages": channel_messages }));
            let channel = json!({ "$ref": format!("#/channels/{key}") });
            operations
                .insert(format!("send{key}"), json!({ "action": "send", "channel": channel }));
        }
        let mut schemas = bundle.schemas;
        schemas.values_mut().for_each(to_draft07);
        let mut info = json!({ "title": self.name, "version": "1.0.0" });
        if let Some(description) = &self.description {
            info["description"] = description.as_str().into();
        }
        Ok(json!({
            "asyncapi": "3.1.0",
            "info": info,
            "defaultContentType": "application/json",
            "channels": channels,
            "operations": operations,
            "components": { "messages": messages, "schemas": schemas }
        }))
    }
}

/// Returns the message of one version of an event. `versions` are all versions of the event.
fn message(bundle: &Bundle<'_>, key: &str, contract: &Contract, versions: &[&str]) -> Value {
    let title = match &contract.version {
        Some(version) => format!("{}, version {version}", contract.name),
        None => contract.name.to_string(),
    };
    let mut payload = bundle.envelope(key, contract, versions);
    to_draft07(&mut payload);
    let mut message = json!({
        "name": contract.name,
        "title": title,
        "contentType": "application/json",
        "payload": payload
    });
    if let Some(description) = contract.schema.get("description") {
        message["description"] = description.clone();
    }
    message
}

/// Returns `name` with the characters that AsyncAPI allows in names of components.
fn component_key(name: &str) -> String {
    let allowed = |it: char| it.is_ascii_alphanumeric() || ".-_".contains(it);
    name.chars().map(|it| if allowed(it) { it } else { '_' }).collect()
}

/// Rewrites a schema of draft 2020-12 as one of draft-07.
fn to_draft07(schema: &mut Value) {
    for_each_schema(schema, &mut |schema| {
        let Some(keywords) = schema.as_object_mut() else {
            return;
        };
        for keyword in ["minContains", "maxContains", "unevaluatedItems", "unevaluatedProperties"] {
            keywords.remove(keyword);
        }
        if let Some(tuple) = keywords.remove("prefixItems") {
            if let Some(rest) = keywords.insert("items".to_owned(), tuple) {
                keywords.insert("additionalItems".to_owned(), rest);
            }
        }
        // In draft-07, the keywords beside a `$ref` are ignored.
        if keywords.len() > 1 {
            if let Some(reference) = keywords.remove("$ref") {
                let all = keywords.entry("allOf").or_insert_with(|| json!([]));
                if let Some(all) = all.as_array_mut() {
                    all.push(json!({ "$ref": reference }));
                }
            }
        }
    });
}
