//! A search for changes that pass although they break: values of the writer's schema that another validator
//! refuses by the reader's.

use std::env;
use std::fmt::Write as _;

use fastrand::Rng;
use inngest_core::catalog::Catalog;
use inngest_tests::payloads::PayloadEvent;
use jsonschema::Validator;
use serde_json::Value;

use crate::events::PAIRS;
use crate::generate::value;
use crate::pairs::{locked_schema, schema_pairs, write_locks};
use crate::{Directory, bless, child_directory, directions, scripted};

/// A schema with its validator and values that match it.
struct Subject {
    title: String,
    schema: Value,
    validator: Validator,
    values: Vec<Value>,
}

impl Subject {
    /// Returns `None` for a schema that the validator refuses, such as one with a lost reference.
    fn new(title: String, schema: Value, rng: &mut Rng) -> Option<Subject> {
        let mut options = jsonschema::options();
        options = options.should_validate_formats(true);
        let mut reader = schema.clone();
        open(&mut reader);
        let validator = options.build(&reader).ok()?;
        let writer = jsonschema::options().should_validate_formats(true).build(&schema).ok()?;
        let generated = (0..values_per_schema() * 4).map(|_| value(&schema, &schema, rng, 0));
        let values: Vec<Value> =
            generated.filter(|value| writer.is_valid(value)).take(values_per_schema()).collect();
        assert!(values.len() > 10, "{title}: only {} values of {schema}", values.len());
        Some(Subject { title, schema, validator, values })
    }
}

/// 300, or the number in `CATALOG_LOCK_VALUES`.
fn values_per_schema() -> usize {
    let number = env::var("CATALOG_LOCK_VALUES").ok();
    number.map_or(300, |number| number.parse().expect("CATALOG_LOCK_VALUES is a number"))
}

/// Removes the lists that may grow, which other validators take for closed.
fn open(schema: &mut Value) {
    match schema {
        Value::Array(schemas) => schemas.iter_mut().for_each(open),
        Value::Object(keywords) => {
            if keywords.get("x-open") == Some(&Value::Bool(true)) {
                ["enum", "const", "oneOf", "anyOf"].map(|keyword| keywords.remove(keyword));
            }
            keywords.values_mut().for_each(open);
        }
        _ => {}
    }
}

#[test]
#[ignore = "run by other tests in a child process"]
fn write_the_lock_of_the_payloads() {
    Catalog::new("payloads")
        .events::<PayloadEvent>()
        .assert_lock(child_directory().join("payloads.json"));
}

/// Returns the schemas of the tables and of the payloads.
fn subjects() -> Vec<Subject> {
    let directory = Directory::new("subjects");
    write_locks(&directory);
    bless("false_passes::write_the_lock_of_the_payloads", &directory.0);
    let mut schemas = Vec::new();
    for (index, pair) in PAIRS.iter().enumerate() {
        for side in ["old", "new"] {
            let schema = locked_schema(&directory.file(&format!("{index}-{side}.json")));
            schemas.push((format!("{}, {side}", pair.title), schema));
        }
    }
    for (title, old, new, ..) in schema_pairs() {
        schemas.extend([(format!("{title}, old"), old), (format!("{title}, new"), new)]);
    }
    let text = std::fs::read_to_string(directory.file("payloads.json")).expect("a lock");
    let lock: Value = serde_json::from_str(&text).expect("JSON");
    for event in lock["events"].as_array().expect("events") {
        schemas.push((event["event"].to_string(), event["schemas"][0].clone()));
    }
    let mut rng = Rng::with_seed(13);
    let count = schemas.len();
    let subjects: Vec<Subject> = schemas
        .into_iter()
        .filter_map(|(title, schema)| Subject::new(title, schema, &mut rng))
        .collect();
    assert!(subjects.len() + 3 > count, "{} of {count} schemas can be validated", subjects.len());
    subjects
}

/// Returns the values of the writer's that the reader's validator refuses.
fn refused(writer: &Subject, reader: &Subject) -> Option<String> {
    let value = writer.values.iter().find(|value| !reader.validator.is_valid(value))?;
    let error = reader.validator.iter_errors(value).next().map(|error| error.to_string());
    Some(format!("{} -> {}: {value}: {error:?}", writer.title, reader.title))
}

#[test]
fn no_change_passes_that_another_validator_finds_to_break() {
    let subjects = subjects();
    let directory = Directory::new("search");
    let lock = directory.file("lock.json");
    let (mut wrong, mut passed, mut refuted, mut unproven) = (String::new(), 0, 0, 0);
    for (index, old) in subjects.iter().enumerate() {
        scripted::write_lock(&lock, &old.schema);
        for new in &subjects[index + 1..] {
            let (forward, backward) = directions(scripted::catalog(&new.schema).check_lock(&lock));
            for (problems, writer, reader) in [(forward, new, old), (backward, old, new)] {
                match (problems.is_empty(), refused(writer, reader)) {
                    (true, Some(example)) => {
                        let _ = writeln!(wrong, "{example}");
                    }
                    (true, None) => passed += 1,
                    (false, Some(_)) => refuted += 1,
                    (false, None) => unproven += 1,
                }
            }
        }
    }
    println!(
        "{} schemas with {} values each: {passed} pairs pass, {refuted} are refused with an example, \
         {unproven} without one",
        subjects.len(),
        values_per_schema()
    );
    assert_eq!(wrong, "");
    assert!(passed > 100 && refuted > 1_000, "the search compares {passed} and {refuted} pairs");
}
