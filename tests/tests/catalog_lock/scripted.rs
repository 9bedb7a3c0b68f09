//! An event with the schema that a test gives it.

use std::borrow::Cow;
use std::cell::RefCell;
use std::path::Path;

use inngest_core::catalog::{Catalog, LockError};
use inngest_core::{DedupId, EventError, InngestEvent};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Value, json};

thread_local! {
    static SCHEMA: RefCell<Value> = const { RefCell::new(Value::Null) };
}

#[derive(Serialize)]
struct Scripted {}

impl InngestEvent for Scripted {
    const NAME: &'static str = "shop/changed";

    fn dedup_id(&self) -> Result<Option<DedupId>, EventError> {
        Ok(None)
    }
}

impl JsonSchema for Scripted {
    fn schema_name() -> Cow<'static, str> {
        "Scripted".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        SCHEMA.with_borrow(|schema| schema.clone().try_into().expect("an object"))
    }
}

/// Returns a catalog of one event with this schema.
pub(crate) fn catalog(schema: &Value) -> Catalog {
    SCHEMA.set(schema.clone());
    Catalog::new("shop").event::<Scripted>()
}

/// Writes a lock of one event with this schema.
pub(crate) fn write_lock(path: &Path, schema: &Value) {
    let lock = json!({ "format": 1, "events": [{ "event": "shop/changed", "schemas": [schema] }] });
    std::fs::write(path, lock.to_string()).expect("the lock is written");
}

/// Compares an event that had the schema `old` and has the schema `new`.
pub(crate) fn compare(path: &Path, old: &Value, new: &Value) -> Result<(), LockError> {
    write_lock(path, old);
    catalog(new).check_lock(path)
}
