//! The changes of the tables, and what breaks.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use inngest_core::catalog::LockError;
use serde_json::{Value, json};

use crate::events::PAIRS;
use crate::schemas::{same_schemas, schema_pairs};
use crate::{Directory, bless, child_directory, directions, scripted};

#[test]
#[ignore = "run by other tests in a child process"]
fn write_the_locks_of_the_pairs() {
    let directory = child_directory();
    for (index, pair) in PAIRS.iter().enumerate() {
        pair.before().assert_lock(directory.join(format!("{index}-old.json")));
        pair.after().assert_lock(directory.join(format!("{index}-new.json")));
    }
}

/// Writes the locks of the pairs of types.
pub(crate) fn write_locks(directory: &Directory) {
    bless("pairs::write_the_locks_of_the_pairs", &directory.0);
}

/// Returns the schema of the only event of a lock.
pub(crate) fn locked_schema(path: &Path) -> Value {
    let lock: Value =
        serde_json::from_str(&fs::read_to_string(path).expect("a lock")).expect("JSON");
    lock["events"][0]["schemas"][0].clone()
}

/// Adds what was found to `texts`, and returns the paths that break in both directions.
fn paths(title: &str, result: Result<(), LockError>, texts: &mut String) -> [Vec<String>; 2] {
    let (forward, backward) = directions(result);
    let _ = writeln!(texts, "# {title}");
    [(">", forward), ("<", backward)].map(|(arrow, problems)| {
        let path = |problem: &String| {
            let _ = writeln!(texts, "{arrow} {problem}");
            let path = problem.split_once(": ").expect("a path").0;
            let unsure = if problem.ends_with("(cannot tell)") { "?" } else { "" };
            format!("{path}{unsure}")
        };
        problems.iter().map(path).collect()
    })
}

#[test]
fn each_change_breaks_what_the_table_says() {
    let directory = Directory::new("pairs");
    write_locks(&directory);
    let (mut texts, mut wrong) = (String::new(), String::new());
    let mut expect = |title: &str, result, expected: [&[&str]; 2]| {
        let found = paths(title, result, &mut texts);
        if found.each_ref().map(Vec::as_slice) != expected {
            let _ = writeln!(wrong, "{title}: expected {expected:?}, found {found:?}");
        }
    };
    for (index, pair) in PAIRS.iter().enumerate() {
        let result = pair.after().check_lock(directory.file(&format!("{index}-old.json")));
        expect(pair.title, result, [pair.forward, pair.backward]);
    }
    let lock = directory.file("scripted.json");
    for (title, old, new, forward, backward) in &schema_pairs() {
        expect(title, scripted::compare(&lock, old, new), [forward, backward]);
    }
    assert_eq!(wrong, "");
    insta::assert_snapshot!(texts);
}

#[test]
fn a_schema_that_is_only_written_differently_is_no_change() {
    let directory = Directory::new("same");
    let lock = directory.file("lock.json");
    for (title, old, new, ..) in same_schemas() {
        scripted::compare(&lock, &old, &new).unwrap_or_else(|error| panic!("{title}: {error}"));
    }
    write_locks(&directory);
    let titles = [
        "an integer keeps its range",
        "an option of an option is an option",
        "variants are documented",
        "a nested struct is flattened",
        "a text becomes a newtype",
        "values are put behind pointers",
        "an inner type is renamed",
        "only comments change",
        "a value is shared, and fields are reordered",
    ];
    let pairs = PAIRS.iter().enumerate().filter(|(_, pair)| titles.contains(&pair.title));
    let mut checked = 0;
    for (index, pair) in pairs {
        let result = pair.after().check_lock(directory.file(&format!("{index}-old.json")));
        result.unwrap_or_else(|error| panic!("{}: {error}", pair.title));
        checked += 1;
    }
    assert_eq!(checked, titles.len());
}

#[test]
fn a_type_that_is_used_in_many_places_is_compared_once() {
    let directory = Directory::new("shared");
    // Each type has two fields of the next one: 2^40 paths lead to the last.
    let schema = |more: &str| {
        let next = |number: usize| json!({ "$ref": format!("#/$defs/T{}", number + 1) });
        let mut types: serde_json::Map<String, Value> = (0..40)
            .map(|number| {
                let fields =
                    json!({ "a": next(number), "b": next(number), more: { "type": "null" } });
                (format!("T{number}"), json!({ "type": "object", "properties": fields }))
            })
            .collect();
        types.insert("T40".to_owned(), json!({ "type": "object", "properties": {} }));
        json!({ "type": "object", "properties": { "a": { "$ref": "#/$defs/T0" } }, "$defs": types })
    };
    let result = scripted::compare(&directory.file("lock.json"), &schema("x"), &schema("y"));
    assert!(matches!(result, Err(LockError::Behind(_))), "{result:?}");
}
