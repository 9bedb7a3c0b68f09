//! The reader of the catalog's lock, the comparison of its schemas, and its writer.
//!
//! An input is a lock. The catalog has one event, whose schema is the newest one of that event in the lock.
#![no_main]

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::env;
use std::fs;
use std::path::PathBuf;
use std::process;
use std::sync::LazyLock;

use inngest_core::InngestEvent;
use inngest_core::catalog::{Catalog, LockError};
use inngest_fuzz::{has_duplicate_keys, mutate_json};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Value, json};

const WORDS: &[&str] = &[
    "",
    "#",
    "#/$defs/A",
    "$defs",
    "$ref",
    "1",
    "2",
    "A",
    "a",
    "additionalProperties",
    "allOf",
    "anyOf",
    "array",
    "b",
    "boolean",
    "const",
    "default",
    "description",
    "enum",
    "event",
    "events",
    "exclusiveMinimum",
    "format",
    "fuzz/event",
    "fuzz/other",
    "id",
    "int64",
    "integer",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minimum",
    "multipleOf",
    "not",
    "null",
    "number",
    "object",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "required",
    "retired",
    "schemas",
    "string",
    "title",
    "type",
    "uint8",
    "unevaluatedProperties",
    "uniqueItems",
    "version",
    "x-inngest-encrypted",
    "x-open",
    "{a}-{b}",
];

#[derive(Serialize, InngestEvent)]
#[inngest(name = "fuzz/event", version = "1", id = "event-{a}")]
struct FuzzEvent {
    a: u8,
}

thread_local! {
    /// The schema of [`FuzzEvent`].
    static SCHEMA: RefCell<Schema> = RefCell::default();
}

impl JsonSchema for FuzzEvent {
    fn schema_name() -> Cow<'static, str> {
        "FuzzEvent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        SCHEMA.with_borrow(Schema::clone)
    }

    fn inline_schema() -> bool {
        true
    }
}

/// The file of this process.
static PATH: LazyLock<PathBuf> = LazyLock::new(|| {
    let shared_memory = PathBuf::from("/dev/shm");
    let directory = if shared_memory.is_dir() { shared_memory } else { env::temp_dir() };
    directory.join(format!("inngest-fuzz-{}.lock.json", process::id()))
});

fuzz_target!(
    init: {
        // SAFETY: the process has no other thread yet.
        unsafe {
            env::set_var("INNGEST_EVENTS", "bless");
            env::remove_var("CI");
        }
    },
    |data: &[u8]| {
        let lock = serde_json::from_slice::<Value>(data).unwrap_or_default();
        let catalog = catalog_for(&lock);
        fs::write(&*PATH, data).expect("the file is written");
        let checked = catalog.check_lock(&*PATH);
        if let Err(error) = &checked {
            assert!(!error.to_string().is_empty() && !format!("{error:?}").is_empty());
        }
        match checked {
            Err(LockError::Catalog(_)) => return,
            Err(LockError::Io { source, .. }) => panic!("{source}"),
            Err(LockError::Format { problem, .. }) => {
                assert!(!is_lock(data, &lock), "a lock is refused: {problem}");
                return;
            }
            Ok(()) | Err(_) => {}
        }
        check_written(&catalog, data, &lock);
    }
);

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mutated = if seed % 8 > 0 { mutate_json(data, size, max_size, seed, WORDS) } else { None };
    mutated.unwrap_or_else(|| fuzzer_mutate(data, size, max_size))
});

/// Returns a catalog with the newest schema that the lock has for the event, or with a schema of its own.
fn catalog_for(lock: &Value) -> Catalog {
    let entries = lock["events"].as_array().into_iter().flatten();
    let entry = entries.into_iter().find(|event| event["event"] == "fuzz/event");
    let schema = entry.and_then(|event| event["schemas"].as_array()?.last());
    let own = json!({ "type": "object", "properties": { "a": { "type": "integer" } } });
    let schema = schema.filter(|schema| schema.is_object()).unwrap_or(&own);
    SCHEMA.set(Schema::try_from(schema.clone()).expect("an object is a schema"));
    Catalog::new("fuzz").event::<FuzzEvent>()
}

/// Returns whether the text is a lock of today's format, by an independent reading.
fn is_lock(data: &[u8], lock: &Value) -> bool {
    let Value::Object(fields) = lock else { return false };
    let text = std::str::from_utf8(data).unwrap_or("<<<<<<<");
    let has_conflict = text
        .lines()
        .any(|line| ["<<<<<<<", "|||||||", ">>>>>>>"].iter().any(|it| line.starts_with(it)));
    let is_text = |value: &Value| value.is_string() || value.is_null();
    let is_entry = |entry: &Value| {
        let known = ["event", "id", "retired", "schemas", "version"];
        let Value::Object(fields) = entry else { return false };
        fields.keys().all(|key| known.contains(&key.as_str()))
            && entry["event"].is_string()
            && is_text(&entry["id"])
            && is_text(&entry["version"])
            && fields.get("retired").is_none_or(Value::is_boolean)
            && entry["schemas"].is_array()
    };
    let mut keys = HashSet::new();
    !has_conflict
        && !has_duplicate_keys(data)
        && fields.keys().eq(["events", "format"])
        && lock["format"] == 1
        && lock["events"].as_array().is_some_and(|events| {
            events.iter().all(|it| is_entry(it) && keys.insert((&it["event"], &it["version"])))
        })
}

/// Brings the lock up to date, and checks that nothing but the catalog's event has changed.
fn check_written(catalog: &Catalog, data: &[u8], lock: &Value) {
    catalog.assert_lock(&*PATH);
    let first = fs::read(&*PATH).expect("the file is read");
    catalog.check_lock(&*PATH).unwrap_or_else(|error| {
        panic!("{error} in {}", String::from_utf8_lossy(&first));
    });
    let written: Value = serde_json::from_slice(&first).expect("the lock is JSON");
    assert!(is_lock(&first, &written));
    if first == data {
        return;
    }
    catalog.assert_lock(&*PATH);
    assert_eq!(
        fs::read(&*PATH).expect("the file is read"),
        first,
        "a lock that is up to date changes"
    );

    // A file that begins with a byte order mark or has keys twice is not compared.
    if lock.is_null() || has_duplicate_keys(data) {
        return;
    }
    let (mut before, after) = (entries(lock), entries(&written));
    let own = ("fuzz/event".to_owned(), Some("1".to_owned()));
    before.remove(&own);
    for (key, (id, schemas, _)) in &before {
        assert_eq!(after.get(key), Some(&(id.clone(), schemas.clone(), true)), "{key:?}");
    }
    let (id, schemas, retired) = &after[&own];
    assert_eq!((id.as_deref(), *retired), (Some("event-{a}"), false));
    assert!(!schemas.is_empty());
    assert_eq!(after.len(), before.len() + 1);
}

/// The id template, the schemas and whether the event is retired, by name and version.
type Entries = BTreeMap<(String, Option<String>), (Option<String>, Vec<Value>, bool)>;

fn entries(lock: &Value) -> Entries {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let entry = |entry: &Value| {
        let key = (text(&entry["event"]).unwrap_or_default(), text(&entry["version"]));
        let schemas = entry["schemas"].as_array().cloned().unwrap_or_default();
        (key, (text(&entry["id"]), schemas, entry["retired"] == true))
    };
    lock["events"].as_array().into_iter().flatten().map(entry).collect()
}
