//! The file of a lock: editors, merges, damage, and locks of other versions of this crate.

use std::fs;

use inngest_core::catalog::LockError;
use serde_json::Value;

use crate::{Directory, bless, events, shop};

/// Returns the lock of the first state of the shop.
fn first_lock(directory: &Directory) -> String {
    bless::write(directory, "first");
    fs::read_to_string(directory.file("lock.json")).expect("a lock")
}

/// Returns what is wrong with a lock.
fn problem(directory: &Directory, text: impl AsRef<[u8]>) -> String {
    let path = directory.file("lock.json");
    fs::write(&path, text).expect("written");
    match shop::catalog("first").check_lock(&path) {
        Err(LockError::Format { path: found, problem }) => {
            assert_eq!(found, path);
            problem
        }
        other => panic!("expected a damaged lock, found {other:?}"),
    }
}

/// The lock was written by the first version of the format. `tests/schemars` checks it with the oldest version of
/// schemars that this crate allows, so no version between must change it. The path is relative to the package.
#[test]
fn a_committed_lock_matches_with_every_version_of_schemars() {
    events::all().assert_lock("golden/shapes.lock.json");
}

#[test]
fn line_endings_and_a_byte_order_mark_do_not_count() {
    let directory = Directory::new("endings");
    let text = first_lock(&directory);
    for text in [text.replace('\n', "\r\n"), format!("\u{feff}{text}"), format!("{text}\n\n")] {
        fs::write(directory.file("lock.json"), text).expect("written");
        shop::catalog("first")
            .check_lock(directory.file("lock.json"))
            .expect("a lock that matches");
    }
}

#[test]
fn the_order_of_entries_and_keys_does_not_count() {
    let directory = Directory::new("order");
    let mut lock: Value = serde_json::from_str(&first_lock(&directory)).expect("JSON");
    lock["events"].as_array_mut().expect("events").reverse();
    fs::write(directory.file("lock.json"), lock.to_string()).expect("written");
    shop::catalog("first").check_lock(directory.file("lock.json")).expect("a lock that matches");
}

#[test]
fn a_merge_conflict_is_named_with_its_line() {
    let directory = Directory::new("conflict");
    let text = first_lock(&directory);
    let conflict = "<<<<<<< HEAD\n  \"events\": [\n=======\n  \"events\": [],\n>>>>>>> other\n";
    let problem = problem(&directory, text.replacen("  \"events\": [\n", conflict, 1));
    assert!(
        problem.starts_with("contains a merge conflict, at line 3: keep the entries"),
        "{problem}"
    );
}

#[test]
fn two_entries_for_one_version_are_an_error() {
    let directory = Directory::new("twice");
    let mut lock: Value = serde_json::from_str(&first_lock(&directory)).expect("JSON");
    let entry = lock["events"][0].clone();
    lock["events"].as_array_mut().expect("events").push(entry);
    let problem = problem(&directory, lock.to_string());
    let expected = "has two entries for `shop/cart.updated`, version `1`, perhaps after a merge";
    assert!(problem.starts_with(expected), "{problem}");
}

#[test]
fn a_format_that_no_version_has_written_is_an_error() {
    let directory = Directory::new("format-0");
    let problem = problem(&directory, r#"{ "format": 0, "events": [] }"#);
    assert!(
        problem.starts_with("is not a lock of events (its format is 0); correct it"),
        "{problem}"
    );
}

#[test]
fn a_newer_format_asks_for_an_update() {
    let directory = Directory::new("newer");
    let problem = problem(&directory, r#"{ "format": 2, "catalog": {}, "events": "other" }"#);
    assert!(
        problem.starts_with("has the format 2, which a newer version of inngest-core"),
        "{problem}"
    );
}

#[test]
fn damage_is_reported_with_its_place() {
    let directory = Directory::new("damage");
    let text = first_lock(&directory);
    let cut = problem(&directory, &text[..text.len() / 2]);
    assert!(cut.starts_with("is not a lock of events (EOF while parsing"), "{cut}");
    let misspelled = problem(&directory, text.replacen("\"schemas\"", "\"shemas\"", 1));
    assert!(misspelled.contains("unknown field `shemas`"), "{misspelled}");
    assert!(misspelled.contains(" line "), "{misspelled}");
    assert!(problem(&directory, "").starts_with("is not a lock of events"));
    assert!(problem(&directory, "[]").starts_with("is not a lock of events"));
    assert!(problem(&directory, [0xff, 0xfe, b'{']).starts_with("is not UTF-8"));
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_of_the_system() {
    let directory = Directory::new("unreadable");
    let error =
        shop::catalog("first").check_lock(&directory.0).expect_err("a directory is no file");
    assert!(matches!(error, LockError::Io { .. }), "{error:?}");
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn two_enums_share_a_lock() {
    let directory = Directory::new("enums");
    bless::write(&directory, "two enums");
    let lock = directory.file("lock.json");
    shop::catalog("two enums").check_lock(&lock).expect("a lock that matches");
    let text = fs::read_to_string(&lock).expect("a lock");
    let lock: Value = serde_json::from_str(&text).expect("JSON");
    let events = lock["events"].as_array().expect("events").iter().map(|event| &event["event"]);
    // The order is in both enums.
    assert_eq!(
        events.collect::<Vec<_>>(),
        ["shop/cart.updated", "shop/order.placed", "staff/shift.started"]
    );
}
