//! Writing a lock: `INNGEST_EVENTS=bless`, in child processes.

use std::path::Path;
use std::{env, fs};

use inngest_core::catalog::{Change, ChangeKind};
use serde_json::Value;

use crate::{Directory, behind, breaks, child_directory, run_child, shop};

const STATE: &str = "CATALOG_LOCK_STATE";
const CHILD: &str = "bless::assert_the_lock";
const BLESS: (&str, &str) = ("INNGEST_EVENTS", "bless");

#[test]
#[ignore = "run by other tests in a child process"]
fn assert_the_lock() {
    let state = env::var(STATE).expect("run by another test");
    shop::catalog(&state).assert_lock(child_directory().join("lock.json"));
}

/// Asserts the lock of a state of the shop with these environment variables. The error is what was printed.
fn assert_lock(
    directory: &Directory,
    state: &str,
    environment: &[(&str, &str)],
) -> Result<(), String> {
    let environment = [&[(STATE, state)], environment].concat();
    let output = run_child(CHILD, &directory.0, &environment);
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(printed) }
}

/// Writes the lock of a state of the shop.
pub(crate) fn write(directory: &Directory, state: &str) {
    assert_lock(directory, state, &[BLESS]).unwrap_or_else(|printed| panic!("{printed}"));
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).expect("a lock")).expect("JSON")
}

fn kinds(changes: Vec<Change>) -> Vec<ChangeKind> {
    changes.into_iter().map(|change| change.kind).collect()
}

#[test]
fn a_lock_is_written_once_and_then_matches() {
    let directory = Directory::new("written");
    let lock = directory.file("lock.json");
    let catalog = shop::catalog("first");
    assert_eq!(kinds(behind(&catalog, &lock)), [ChangeKind::New, ChangeKind::New]);
    assert!(assert_lock(&directory, "first", &[]).is_err());
    assert!(!lock.exists(), "a check writes nothing");

    write(&directory, "first");
    catalog.check_lock(&lock).expect("a lock that matches");
    assert_lock(&directory, "first", &[]).expect("a lock that matches");
    assert_eq!(
        fs::read_dir(&directory.0).expect("a directory").count(),
        1,
        "no other file is left"
    );
    insta::assert_snapshot!(fs::read_to_string(&lock).expect("a lock"));
}

#[test]
fn a_compatible_change_is_added_to_the_history() {
    let directory = Directory::new("history");
    let lock = directory.file("lock.json");
    write(&directory, "first");
    assert_eq!(kinds(behind(&shop::catalog("compatible"), &lock)), [ChangeKind::Compatible]);

    write(&directory, "compatible");
    assert_eq!(read(&lock)["events"][1]["schemas"].as_array().expect("schemas").len(), 2);
    shop::catalog("compatible").check_lock(&lock).expect("a lock that matches");
    // A change that is undone is no change: its schema is in the history.
    shop::catalog("first").check_lock(&lock).expect("a lock that matches");
}

#[test]
fn a_break_that_is_accepted_removes_the_schemas_that_clash() {
    let directory = Directory::new("clash");
    let lock = directory.file("lock.json");
    write(&directory, "first");
    write(&directory, "compatible");
    // A text for a coupon clashes with a number for it, but not with the schema without one.
    breaks(&shop::catalog("noted"), &lock);

    write(&directory, "noted");
    shop::catalog("noted").check_lock(&lock).expect("a lock that matches");
    let schemas = read(&lock)["events"][1]["schemas"].clone();
    let [first, noted] = &schemas.as_array().expect("schemas")[..] else { panic!("{schemas}") };
    assert_eq!(first["properties"]["coupon"], Value::Null);
    assert_eq!(noted["properties"]["coupon"]["format"], "uint32");
}

#[test]
fn every_schema_of_the_history_counts() {
    let directory = Directory::new("merged");
    let lock = directory.file("lock.json");
    write(&directory, "compatible");
    let one = read(&lock);
    fs::remove_file(&lock).expect("a file");
    write(&directory, "noted");
    // Two branches add different fields of one name, and git merges their locks.
    let mut both = read(&lock);
    let more = one["events"][1]["schemas"][0].clone();
    both["events"][1]["schemas"].as_array_mut().expect("schemas").push(more);
    fs::write(&lock, both.to_string()).expect("written");
    breaks(&shop::catalog("compatible"), &lock);
    breaks(&shop::catalog("noted"), &lock);
}

#[test]
fn a_removed_event_is_retired_and_can_return() {
    let directory = Directory::new("retired");
    let lock = directory.file("lock.json");
    write(&directory, "first");
    assert_eq!(kinds(behind(&shop::catalog("orders only"), &lock)), [ChangeKind::Removed]);

    write(&directory, "orders only");
    shop::catalog("orders only").check_lock(&lock).expect("a lock that matches");
    let cart = &read(&lock)["events"][0];
    assert_eq!((&cart["event"], &cart["retired"]), (&"shop/cart.updated".into(), &true.into()));
    assert_eq!(cart["schemas"].as_array().expect("schemas").len(), 1);

    assert_eq!(kinds(behind(&shop::catalog("first"), &lock)), [ChangeKind::New]);
    write(&directory, "first");
    shop::catalog("first").check_lock(&lock).expect("a lock that matches");
    assert_eq!(read(&lock)["events"][0]["retired"], Value::Null);
}

#[test]
fn a_new_version_starts_a_history_and_notes_its_id_template() {
    let directory = Directory::new("version");
    let lock = directory.file("lock.json");
    write(&directory, "first");
    let template = ChangeKind::IdTemplate {
        old: Some("cart-updated-{cart_id}".to_owned()),
        new: Some("cart-updated-{cart_id}-{revision}".to_owned()),
    };
    let expected = [ChangeKind::Removed, ChangeKind::NewVersion, template];
    assert_eq!(kinds(behind(&shop::catalog("new version"), &lock)), expected);
    write(&directory, "new version");
    shop::catalog("new version").check_lock(&lock).expect("a lock that matches");
}

#[test]
fn another_id_template_under_one_version_breaks() {
    let directory = Directory::new("id");
    let lock = directory.file("lock.json");
    write(&directory, "first");
    let (old, new) = (Some("order-placed-{number}".to_owned()), Some("order-{number}".to_owned()));
    let changes = breaks(&shop::catalog("other id"), &lock);
    assert_eq!(kinds(changes), [ChangeKind::IdTemplate { old, new }]);
    write(&directory, "other id");
    shop::catalog("other id").check_lock(&lock).expect("a lock that matches");
}

#[test]
fn writing_is_refused_in_continuous_integration() {
    let directory = Directory::new("ci");
    for ci in ["true", "1", "yes"] {
        let printed = assert_lock(&directory, "first", &[BLESS, ("CI", ci)]).expect_err("refused");
        assert!(printed.contains("INNGEST_EVENTS=bless is refused because CI"), "{printed}");
        assert!(!directory.file("lock.json").exists());
    }
    for ci in ["", "0", "false"] {
        assert_lock(&directory, "first", &[BLESS, ("CI", ci)]).expect("written");
        fs::remove_file(directory.file("lock.json")).expect("a lock was written");
    }
}

#[test]
fn an_unknown_value_of_the_variable_is_an_error() {
    let directory = Directory::new("value");
    let printed =
        assert_lock(&directory, "first", &[("INNGEST_EVENTS", "1")]).expect_err("refused");
    assert!(printed.contains("INNGEST_EVENTS is `1`; its only value is `bless`"), "{printed}");
    let printed = assert_lock(&directory, "first", &[("INNGEST_EVENTS", "")]).expect_err("no lock");
    assert!(printed.contains("the lock of events is out of date"), "{printed}");
}

#[test]
fn a_lock_that_cannot_be_read_is_never_overwritten() {
    let directory = Directory::new("damaged");
    let lock = directory.file("lock.json");
    for damaged in ["{", "{\"format\": 2, \"events\": []}", "<<<<<<< HEAD\n"] {
        fs::write(&lock, damaged).expect("written");
        let printed = assert_lock(&directory, "first", &[BLESS]).expect_err("refused");
        assert!(printed.contains("the lock of events "), "{printed}");
        assert_eq!(fs::read_to_string(&lock).expect("a file"), damaged);
    }
}

#[test]
fn a_lock_that_matches_is_not_touched() {
    let directory = Directory::new("untouched");
    let lock = directory.file("lock.json");
    write(&directory, "first");
    let windows = fs::read_to_string(&lock).expect("a lock").replace('\n', "\r\n");
    fs::write(&lock, &windows).expect("written");
    write(&directory, "first");
    assert_eq!(fs::read_to_string(&lock).expect("a lock"), windows);
}
