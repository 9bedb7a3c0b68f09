//! The tests of the package that `main.rs` creates.
#![cfg(test)]

use std::collections::BTreeMap;

use inngest_core::encryption::{Encrypted, EncryptionKeys};
use inngest_core::{Batch, Event, EventError, InngestEvent, IntoEvent};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::Number;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "test/numbers")]
struct Numbers {
    text: &'static str,
    numbers: Vec<Number>,
}

/// An event whose data is a text of JSON.
#[derive(Serialize, InngestEvent)]
#[inngest(name = "test/raw")]
#[serde(transparent)]
struct Raw {
    json: Box<RawValue>,
}

/// An event with texts of JSON inside its data.
#[derive(Serialize, InngestEvent)]
#[inngest(name = "test/parts")]
struct Parts {
    part: Box<RawValue>,
    #[serde(flatten)]
    more: BTreeMap<String, Box<RawValue>>,
}

fn number(text: &str) -> Number {
    text.parse().expect("a number")
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).expect("JSON")
}

fn parts(part: &str, more: (&str, &str)) -> Parts {
    Parts { part: raw(part), more: BTreeMap::from([(more.0.to_owned(), raw(more.1))]) }
}

fn push(event: impl IntoEvent) -> Result<(), EventError> {
    Batch::new().push(event)
}

/// Returns the path and the text of the unsafe integer.
fn unsafe_integer(event: impl IntoEvent) -> (String, String) {
    match push(event) {
        Err(EventError::UnsafeInteger { path, integer, .. }) => (path, integer),
        other => panic!("{other:?}"),
    }
}

/// Returns the path and the text of the number that is out of range.
fn out_of_range(event: impl IntoEvent) -> (String, String) {
    match push(event) {
        Err(EventError::NumberOutOfRange { path, number, .. }) => (path, number),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_number_that_a_float_changes_as_an_integer_is_an_error_with_its_path() {
    for text in [
        "9007199254740992",
        "-18446744073709551616",
        "9007199254740993.0",
        "9.007199254740993e15",
        "-123456789012345678901234567890.0",
    ] {
        let numbers = Numbers { text: "[1,", numbers: vec![number("1"), number(text)] };
        let (path, integer) = unsafe_integer(&numbers);
        // `serde_json` writes an exponent with its sign.
        assert_eq!((path.as_str(), integer.replace('+', "")), ("data.numbers[1]", text.to_owned()));
    }
}

#[test]
fn a_number_beyond_the_range_of_floats_is_an_error_with_its_path() {
    for text in ["1e400", "-1e400"] {
        let numbers = Numbers { text: "", numbers: vec![number(text)] };
        let (path, number) = out_of_range(&numbers);
        assert_eq!((path.as_str(), number.replace('+', "")), ("data.numbers[0]", text.to_owned()));
    }
    let error = push(
        Event::new(Numbers { text: "", numbers: vec![] })
            .user(BTreeMap::from([("credit", number("1e400"))])),
    )
    .expect_err("out of range")
    .to_string();
    assert!(error.starts_with("`user.credit` of `test/numbers` is 1e+400, beyond"), "{error}");
}

#[test]
fn numbers_that_a_float_keeps_are_accepted() {
    let texts = ["9007199254740991", "-1.50", "1e300", "0.1000000000000000055511151231257827"];
    let mut numbers = texts.map(number).to_vec();
    numbers.extend(
        [1e300, 2_f64.powi(60), f64::MAX, 0.1].map(|float| Number::from_f64(float).unwrap()),
    );
    push(Numbers { text: "", numbers }).expect("numbers that survive");
}

#[test]
fn numbers_in_a_raw_value_are_checked() {
    let path = |path: &str, number: &str| (path.to_owned(), number.to_owned());
    let json = r#"{ "lines" : [ {"sku": 1}, { "sku" : "9007199254740993", "number" :9007199254740993 } ] }"#;
    assert_eq!(
        unsafe_integer(Raw { json: raw(json) }),
        path("data.lines[1].number", "9007199254740993")
    );
    let json = r#"{"a": {"b\"": [[], -9007199254740993.0]}}"#;
    assert_eq!(
        unsafe_integer(Raw { json: raw(json) }),
        path(r#"data.a["b\""][1]"#, "-9007199254740993.0")
    );
    assert_eq!(out_of_range(parts("[1, 1e400]", ("x", "1"))), path("data.part[1]", "1e400"));
    assert_eq!(
        unsafe_integer(parts("1", ("x", "99999999999999999999"))),
        path("data.x", "99999999999999999999")
    );
    push(Raw { json: raw(r#"{"1e400": "1e400", "n": [9007199254740991, 1e300, 0.1]}"#) })
        .expect("numbers that survive");
}

#[test]
fn the_key_that_inngest_removes_is_an_error_in_a_raw_value_that_is_the_data() {
    for json in [
        r#"{"_inngest": 1}"#,
        r#"{ "a": {"b": ["}"]}, "_inngest" : null }"#,
        r#"{"\u005finngest": 1}"#,
    ] {
        let error = push(Raw { json: raw(json) }).expect_err("a reserved key");
        assert!(matches!(error, EventError::ReservedKey { event: "test/raw" }), "{error:?}");
    }
    let error = push(parts("1", ("_inngest", "1"))).expect_err("a reserved key");
    assert!(matches!(error, EventError::ReservedKey { event: "test/parts" }), "{error:?}");
}

#[test]
fn the_key_that_inngest_removes_is_accepted_elsewhere_in_a_raw_value() {
    for json in [
        r#"{"a": {"_inngest": 1}}"#,
        r#"{"a": [{"_inngest": 1}]}"#,
        r#"{"a": "_inngest", "b": ["_inngest"], "_inngest2": "\"_inngest\":"}"#,
    ] {
        push(Raw { json: raw(json) }).expect("another key");
    }
    push(parts(r#"{"_inngest": 1}"#, ("x", r#"{"_inngest": 1}"#))).expect("inside the data");
}

#[test]
fn a_raw_value_must_be_an_object_or_null() {
    push(Raw { json: raw(" null ") }).expect("null");
    push(Raw { json: raw(" {} ") }).expect("an object");
    let error = push(Raw { json: raw(" [1]") }).expect_err("an array");
    assert!(matches!(error, EventError::NotAnObject { found: "an array", .. }), "{error:?}");
}

#[test]
fn encrypted_values_are_checked_and_keep_the_text_of_numbers() {
    let keys = EncryptionKeys::new("a secret key").expect("a key");
    let text = r#"{"price":10.50,"lines":[{"sku":1}]}"#;
    let encrypted = keys.encrypt(&raw(text)).expect("encrypted");
    assert_eq!(keys.decrypt(&encrypted).expect("decrypted").get(), text);
    let encrypted = keys.encrypt(&number("10.50")).expect("encrypted");
    assert_eq!(keys.decrypt(&encrypted).expect("decrypted").to_string(), "10.50");
    for (json, path) in [
        (r#"{"lines":[{"sku":9007199254740993}]}"#, "`value.lines[0].sku` is an integer beyond"),
        (r#"{"price":1e999}"#, "`value.price` is a number beyond the range"),
    ] {
        let error = keys.encrypt(&raw(json)).expect_err("a rounded number").to_string();
        assert!(error.contains(path) && !error.contains("9007199254740993"), "{error}");
    }
    // A value that was not encrypted is sent on unchanged.
    let plain: Encrypted<u8> = serde_json::from_str("10.50").expect("any JSON");
    assert_eq!(serde_json::to_string(&plain).expect("JSON"), "10.50");
}
