//! Encrypted fields: which fields can be encrypted, and the envelope that is sent instead of a value.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::contract::Contract;
use super::error::CatalogError;
use super::schema::{entries, for_each_schema, list, target, types};

/// The keyword that marks the schema of a value that is encrypted when it is sent. The rest of the schema describes
/// the decrypted value.
const MARK: &str = "x-inngest-encrypted";

/// Returns whether the value of `schema` is encrypted when it is sent.
pub(super) fn is_encrypted(schema: &Value) -> bool {
    schema.get(MARK) == Some(&Value::Bool(true))
}

/// Checks the rules of Inngest's encryption packages: the Python package decrypts only the first encrypted field, and
/// no package decrypts a field inside a field.
pub(super) fn check(contract: &Contract) -> Result<(), CatalogError> {
    let mut search = Search {
        root: &contract.schema,
        top: BTreeSet::new(),
        deeper: BTreeSet::new(),
        visited: BTreeSet::new(),
    };
    search.visit(&contract.schema, "data", Depth::Data);
    let error = |path: &String, problem| {
        Err(CatalogError::Encrypted { event: contract.title(), path: path.clone(), problem })
    };
    if let Some(path) = search.deeper.first() {
        return error(
            path,
            "only a field at the top of the data is decrypted; move it there, and name it `encrypted`",
        );
    }
    match search.top.iter().nth(1) {
        Some(second) => error(
            second,
            "it is the second one, but the Python package decrypts only the first; put both into one \
             struct, in one encrypted field",
        ),
        None => Ok(()),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Depth {
    /// The data itself.
    Data,
    /// A field of the data.
    Field,
    /// A value inside a field.
    Inside,
}

/// A search for the encrypted values of a schema.
struct Search<'a> {
    root: &'a Value,
    /// The paths of encrypted fields of the data.
    top: BTreeSet<String>,
    /// The paths of other encrypted values.
    deeper: BTreeSet<String>,
    /// The schemas that were visited, each with its path: two fields of one type are two encrypted fields.
    visited: BTreeSet<(*const Value, Depth, String)>,
}

impl<'a> Search<'a> {
    fn visit(&mut self, schema: &'a Value, path: &str, depth: Depth) {
        if is_encrypted(schema) {
            let found = if depth == Depth::Field { &mut self.top } else { &mut self.deeper };
            found.insert(path.to_owned());
            return;
        }
        let by_path = if depth == Depth::Field { path } else { "" };
        if !self.visited.insert((std::ptr::from_ref(schema), depth, by_path.to_owned())) {
            return;
        }
        if let Some(target) = target(self.root, schema) {
            self.visit(target, path, depth);
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            for part in list(schema, keyword) {
                self.visit(part, path, depth);
            }
        }
        let inside = if depth == Depth::Data { Depth::Field } else { Depth::Inside };
        for (key, value) in entries(schema, "properties") {
            self.visit(value, &format!("{path}.{key}"), inside);
        }
        for (_, value) in entries(schema, "patternProperties") {
            self.visit(value, &format!("{path}.*"), Depth::Inside);
        }
        for keyword in ["additionalProperties", "unevaluatedProperties"] {
            if let Some(value) = schema.get(keyword) {
                self.visit(value, &format!("{path}.*"), Depth::Inside);
            }
        }
        for item in schema.get("items").into_iter().chain(list(schema, "prefixItems")) {
            self.visit(item, &format!("{path}[]"), Depth::Inside);
        }
    }
}

/// Replaces the schemas of encrypted values by the schema of the envelope that is sent.
pub(super) fn replace_by_envelopes(schema: &mut Value) {
    for_each_schema(schema, &mut |schema| {
        if is_encrypted(schema) {
            *schema = envelope(schema);
        }
    });
}

/// Returns the schema of the envelope around an encrypted value, as the packages of Inngest write it.
fn envelope(schema: &Value) -> Value {
    let mut envelope = json!({
        "type": "object",
        "properties": {
            "__ENCRYPTED__": { "const": true },
            "__STRATEGY__": { "const": "inngest/libsodium" },
            "data": { "type": "string" }
        },
        "required": ["__ENCRYPTED__", "__STRATEGY__", "data"]
    });
    if types(schema).contains(&"null") {
        // An optional field: `schemars` adds null to the type of an inline schema.
        envelope = json!({ "anyOf": [envelope, { "type": "null" }] });
    }
    for keyword in ["title", "description", "deprecated", MARK] {
        if let Some(value) = schema.get(keyword) {
            envelope[keyword] = value.clone();
        }
    }
    envelope
}
