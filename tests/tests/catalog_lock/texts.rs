//! The texts of failed locks, as snapshots.

use std::fs;

use serde_json::json;

use crate::{Directory, bless, scripted, shop};

/// Returns the text of the change from the first state of the shop to another one.
fn text(test: &str, state: &str) -> String {
    let directory = Directory::new(test);
    bless::write(&directory, "first");
    let error = shop::catalog(state).check_lock(directory.file("lock.json")).expect_err("a change");
    error.to_string()
}

#[test]
fn a_break_names_both_sides_and_the_ways_out() {
    insta::assert_snapshot!(text("text-breaking", "breaking"));
}

#[test]
fn another_id_template_explains_duplicates() {
    insta::assert_snapshot!(text("text-id", "other id"));
}

#[test]
fn a_compatible_change_asks_for_the_lock_to_be_written() {
    insta::assert_snapshot!(text("text-compatible", "compatible"));
}

#[test]
fn a_new_version_explains_that_versions_do_not_route() {
    insta::assert_snapshot!(text("text-version", "new version"));
}

#[test]
fn a_removed_event_is_named() {
    insta::assert_snapshot!(text("text-removed", "orders only"));
}

#[test]
fn a_first_lock_lists_its_events() {
    let directory = Directory::new("text-first");
    let error =
        shop::catalog("two enums").check_lock(directory.file("lock.json")).expect_err("new events");
    insta::assert_snapshot!(error.to_string());
}

#[test]
fn an_undecided_break_says_so() {
    let directory = Directory::new("text-undecided");
    let schema = |pattern: &str| {
        json!({ "type": "object", "properties": { "sku": { "type": "string", "pattern": pattern } },
            "required": ["sku"] })
    };
    let result = scripted::compare(&directory.file("lock.json"), &schema("^A"), &schema("^[A-B]"));
    insta::assert_snapshot!(result.expect_err("undecided").to_string());
}

/// The panic of `assert_lock` begins with the file and the change.
#[test]
fn a_failed_assertion_names_the_file() {
    let directory = Directory::new("text-panic");
    let path = directory.file("lock.json");
    fs::write(&path, r#"{ "format": 1, "events": [] }"#).expect("written");
    let panic = std::panic::catch_unwind(|| shop::catalog("first").assert_lock(&path))
        .expect_err("a panic");
    let message = panic.downcast_ref::<String>().expect("a text");
    let expected = format!("{}: the lock of events is out of date", path.display());
    assert!(message.starts_with(&expected), "{message}");
}
