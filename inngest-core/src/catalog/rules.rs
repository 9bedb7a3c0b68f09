//! The rules for the data of an event.

use serde_json::Value;

use super::contract::Contract;
use super::encrypted;
use super::error::CatalogError;
use super::schema::{list, target, types};

/// Checks that an event's data can be sent, and that its encrypted field can be decrypted.
pub(super) fn check(contract: &Contract) -> Result<(), CatalogError> {
    match unlike_object(&contract.schema, &contract.schema, 0) {
        Some(found) => Err(CatalogError::NotAnObject { event: contract.title(), found }),
        None => encrypted::check(contract),
    }
}

/// Returns what `schema` describes if that is neither an object nor null. Inngest treats null as an empty object.
fn unlike_object(root: &Value, schema: &Value, depth: usize) -> Option<String> {
    // References that form a cycle describe nothing.
    if depth > 32 {
        return Some("nothing".to_owned());
    }
    let types = types(schema);
    if let Some(other) = types.iter().find(|it| !["object", "null"].contains(it)) {
        let article = if other.starts_with(['a', 'i']) { "an" } else { "a" };
        return Some(format!("{article} {other}"));
    }
    if !types.is_empty() || schema.get("properties").is_some() {
        return None;
    }
    if let Some(target) = target(root, schema) {
        return unlike_object(root, target, depth + 1);
    }
    let all = list(schema, "allOf");
    if all.iter().any(|part| unlike_object(root, part, depth + 1).is_none()) {
        return None;
    }
    let variants = [list(schema, "anyOf"), list(schema, "oneOf")].concat();
    if variants.is_empty() {
        return Some("any value".to_owned());
    }
    variants.iter().find_map(|variant| unlike_object(root, variant, depth + 1))
}
