//! Differences between two events.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::store::StoredEvent;
use crate::event::json_path::{self, Step};

/// One path at which two values differ; a missing value is `None`.
#[derive(Debug, PartialEq)]
pub(super) struct Difference {
    pub(super) path: String,
    pub(super) expected: Option<Value>,
    pub(super) found: Option<Value>,
}

/// Returns the fields an event was sent with, except its name, by the names that failures and snapshots use.
pub(super) fn fields(event: &StoredEvent) -> impl Iterator<Item = (&'static str, Value)> {
    let sessions = event.sessions.iter();
    let sessions = sessions.map(|(key, value)| (key.clone(), value.clone().into()));
    let filled = |map: Map<_, _>| (!map.is_empty()).then_some(Value::Object(map));
    let fields = [
        ("id", event.dedup_id.clone().map(Value::from)),
        ("v", event.version.clone().map(Value::from)),
        ("ts", (event.ts != 0).then(|| event.ts.into())),
        ("user", filled(event.user.clone())),
        ("sessions", filled(sessions.collect())),
        ("data", Some(event.data.clone())),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name, value?)))
}

/// Compares the fields that `expected` has and, with `all`, also the fields that only `found` has.
pub(super) fn between(expected: &StoredEvent, found: &StoredEvent, all: bool) -> Vec<Difference> {
    let map = |event| fields(event).map(|(name, value)| (name.to_owned(), value)).collect();
    let (expected, mut found): (Map<_, _>, Map<_, _>) = (map(expected), map(found));
    if !all {
        found.retain(|name, _| expected.contains_key(name));
    }
    let mut differences = Vec::new();
    objects("", &expected, &found, &mut differences);
    differences
}

fn values(path: &str, expected: &Value, found: &Value, out: &mut Vec<Difference>) {
    match (expected, found) {
        _ if expected == found => {}
        (Value::Object(expected), Value::Object(found)) => objects(path, expected, found, out),
        (Value::Array(expected), Value::Array(found)) => arrays(path, expected, found, out),
        _ => push(path, Some(expected), Some(found), out),
    }
}

fn objects(
    path: &str,
    expected: &Map<String, Value>,
    found: &Map<String, Value>,
    out: &mut Vec<Difference>,
) {
    let keys: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    for key in keys {
        let path = json_path::render(path, &[Step::Key(key.clone())]);
        either(&path, expected.get(key), found.get(key), out);
    }
}

/// Skips the equal elements at the beginning and at the end, so that one additional element is one
/// difference.
fn arrays(path: &str, expected: &[Value], found: &[Value], out: &mut Vec<Difference>) {
    let same = |(one, other): &(&Value, &Value)| one == other;
    let head = expected.iter().zip(found).take_while(same).count();
    let (expected, found) = (&expected[head..], &found[head..]);
    let tail = expected.iter().rev().zip(found.iter().rev()).take_while(same).count();
    let expected = &expected[..expected.len() - tail];
    let found = &found[..found.len() - tail];
    for index in 0..expected.len().max(found.len()) {
        let path = json_path::render(path, &[Step::Index(head + index)]);
        either(&path, expected.get(index), found.get(index), out);
    }
}

fn either(path: &str, expected: Option<&Value>, found: Option<&Value>, out: &mut Vec<Difference>) {
    match (expected, found) {
        (Some(expected), Some(found)) => values(path, expected, found, out),
        _ => push(path, expected, found, out),
    }
}

fn push(path: &str, expected: Option<&Value>, found: Option<&Value>, out: &mut Vec<Difference>) {
    let (expected, found) = (expected.cloned(), found.cloned());
    out.push(Difference { path: path.to_owned(), expected, found });
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Difference, values};

    fn differences(expected: &Value, found: &Value) -> Vec<Difference> {
        let mut differences = Vec::new();
        values("data", expected, found, &mut differences);
        differences
    }

    fn difference(path: &str, expected: impl Into<Value>, found: impl Into<Value>) -> Difference {
        let present = |value: Value| Some(value).filter(|value| *value != json!("(missing)"));
        let (expected, found) = (present(expected.into()), present(found.into()));
        Difference { path: path.to_owned(), expected, found }
    }

    #[test]
    fn a_difference_has_the_path_of_the_innermost_value() {
        let expected = json!({"a": {"b": [1, {"c d": 2}]}, "same": [1], "kind": "text"});
        let found = json!({"a": {"b": [1, {"c d": 3}]}, "same": [1], "kind": 7, "more": null});
        assert_eq!(
            differences(&expected, &found),
            [
                difference("data.a.b[1][\"c d\"]", 2, 3),
                difference("data.kind", "text", 7),
                difference("data.more", "(missing)", Value::Null),
            ]
        );
        assert_eq!(differences(&expected, &expected), []);
    }

    #[test]
    fn an_additional_or_missing_element_is_one_difference() {
        let whole = json!(["a", "b", "c", "d"]);
        let missing = |path, value| vec![difference(path, value, "(missing)")];
        assert_eq!(differences(&whole, &json!(["b", "c", "d"])), missing("data[0]", "a"));
        assert_eq!(differences(&whole, &json!(["a", "b", "d"])), missing("data[2]", "c"));
        assert_eq!(differences(&whole, &json!(["a", "b", "c"])), missing("data[3]", "d"));
        let more = [difference("data[1]", "(missing)", "x")];
        assert_eq!(differences(&json!(["a", "a"]), &json!(["a", "x", "a"])), more);
        assert_eq!(differences(&json!([]), &json!([1])), [difference("data[0]", "(missing)", 1)]);
    }
}
