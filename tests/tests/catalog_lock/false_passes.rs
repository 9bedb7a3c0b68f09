//! A search for changes that pass although they break: values of the writer's schema that another validator
//! refuses by the reader's.

use std::env;
use std::fmt::Write as _;
use std::path::Path;

use fastrand::Rng;
use inngest_core::catalog::Catalog;
use inngest_tests::payloads::PayloadEvent;
use jsonschema::Validator;
use serde_json::Value;

use crate::events::PAIRS;
use crate::generate::value;
use crate::pairs::{locked_schema, write_locks};
use crate::schemas::schema_pairs;
use crate::{Directory, bless, child_directory, directions, random, scripted};

/// A schema with its validator and values that match it.
struct Subject {
    title: String,
    schema: Value,
    validator: Validator,
    values: Vec<Value>,
}

impl Subject {
    /// Returns `None` for a schema that the validator refuses, such as one with a lost reference, and for one of
    /// which no values are found.
    fn new(title: String, schema: Value, values: usize, rng: &mut Rng) -> Option<Subject> {
        let mut reader = schema.clone();
        open(&mut reader);
        let validator = jsonschema::options().should_validate_formats(true).build(&reader).ok()?;
        let writer = jsonschema::options().should_validate_formats(true).build(&schema).ok()?;
        let generated = (0..values * 4).map(|_| value(&schema, &schema, rng, 0));
        let values: Vec<Value> =
            generated.filter(|value| writer.is_valid(value)).take(values).collect();
        (!values.is_empty()).then_some(Subject { title, schema, validator, values })
    }
}

/// Returns the number in an environment variable, or `default`.
fn setting(variable: &str, default: usize) -> usize {
    let number = env::var(variable).ok();
    number.map_or(default, |number| number.parse().expect("a number"))
}

/// Removes the lists that may grow, which other validators take for closed.
fn open(schema: &mut Value) {
    match schema {
        Value::Array(schemas) => schemas.iter_mut().for_each(open),
        Value::Object(keywords) => {
            if keywords.get("x-open") == Some(&Value::Bool(true)) {
                for keyword in ["enum", "const", "oneOf", "anyOf"] {
                    keywords.remove(keyword);
                }
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
    let values = setting("CATALOG_LOCK_VALUES", 100);
    let subjects = schemas
        .into_iter()
        .filter_map(|(title, schema)| Subject::new(title, schema, values, &mut rng));
    let subjects: Vec<Subject> = subjects.collect();
    // Of the tables, one schema has a lost reference.
    assert_eq!(subjects.len() + 1, count);
    subjects
}

/// Returns the values of the writer's that the reader's validator refuses.
fn refused(writer: &Subject, reader: &Subject) -> Option<String> {
    let value = writer.values.iter().find(|value| !reader.validator.is_valid(value))?;
    let error = reader.validator.iter_errors(value).next().map(|error| error.to_string());
    Some(format!("{} -> {}: {value}: {error:?}", writer.title, reader.title))
}

/// The pairs that were compared.
#[derive(Debug, Default)]
struct Search {
    wrong: String,
    passed: usize,
    refuted: usize,
    unproven: usize,
}

impl Search {
    /// Compares a change in both directions. The lock holds the old schema.
    fn compare(&mut self, old: &Subject, new: &Subject, lock: &Path) {
        let (forward, backward) = directions(scripted::catalog(&new.schema).check_lock(lock));
        for (problems, writer, reader) in [(forward, new, old), (backward, old, new)] {
            match (problems.is_empty(), refused(writer, reader)) {
                (true, Some(example)) => {
                    let (writer, reader) = (&writer.schema, &reader.schema);
                    let _ = writeln!(self.wrong, "{example}\n  sent {writer}\n  read {reader}");
                }
                (true, None) => self.passed += 1,
                (false, Some(_)) => self.refuted += 1,
                (false, None) => self.unproven += 1,
            }
        }
    }

    /// Asserts that no pair passes wrongly, and that enough are compared for the search to mean something.
    fn finish(self, passed: usize, refuted: usize) {
        println!(
            "{} pairs pass, {} are refused with an example, {} without one",
            self.passed, self.refuted, self.unproven
        );
        assert_eq!(self.wrong, "");
        assert!(self.passed > passed && self.refuted > refuted, "too few pairs: {self:?}");
    }
}

#[test]
fn no_pair_of_schemas_passes_that_another_validator_finds_to_break() {
    let subjects = subjects();
    let directory = Directory::new("search");
    let lock = directory.file("lock.json");
    let mut search = Search::default();
    for (index, old) in subjects.iter().enumerate() {
        scripted::write_lock(&lock, &old.schema);
        for new in &subjects[index + 1..] {
            search.compare(old, new, &lock);
        }
    }
    search.finish(1_000, 10_000);
}

#[test]
fn no_change_of_a_random_schema_passes_that_another_validator_finds_to_break() {
    let directory = Directory::new("random");
    let lock = directory.file("lock.json");
    let mut search = Search::default();
    for seed in 0..setting("CATALOG_LOCK_RANDOM", 500) as u64 {
        let mut rng = Rng::with_seed(seed);
        let old = random::event(&mut rng);
        let new = random::changed(&old, &mut rng);
        let mut subject = |schema| Subject::new(format!("seed {seed}"), schema, 60, &mut rng);
        if let (Some(old), Some(new)) = (subject(old), subject(new)) {
            scripted::write_lock(&lock, &old.schema);
            search.compare(&old, &new, &lock);
        }
    }
    search.finish(200, 100);
}
