//! What was sent, in a form that is the same in every run.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::diff::fields;
use super::record::Sent;

/// The events a [`Recorder`](super::Recorder) saw, in order, as a value for a snapshot.
///
/// Inngest's ids are `[id 1]`, `[id 2]` and so on, also where they stand in an event's data or in a dedup
/// id; a time that was sent is `[ts]`. Dedup ids are otherwise as they are, and keys are sorted.
///
/// It serializes as a list and displays as indented JSON, for `insta::assert_json_snapshot!` and
/// `insta::assert_snapshot!`.
#[derive(Clone, Debug)]
pub struct Snapshot(Vec<SnapshotEvent>);

/// Its fields, in the order in which they are shown.
#[derive(Clone, Debug)]
struct SnapshotEvent(Vec<(&'static str, Value)>);

impl Snapshot {
    pub(super) fn new(sent: &[Sent]) -> Snapshot {
        let ids: Vec<&str> = sent.iter().map(|sent| sent.event.id.as_str()).collect();
        let events = sent.iter().enumerate().map(|(index, sent)| {
            let mut event =
                vec![("name", sent.event.name.as_str().into()), ("event_id", label(index).into())];
            event.extend(fields(&sent.event).map(|(name, value)| match name {
                "ts" => (name, "[ts]".into()),
                _ => (name, stable(value, &ids)),
            }));
            SnapshotEvent(event)
        });
        Snapshot(events.collect())
    }
}

fn label(index: usize) -> String {
    format!("[id {}]", index + 1)
}

/// Without Inngest ids, and with the keys in one order, whatever order `serde_json` was built to keep.
fn stable(value: Value, ids: &[&str]) -> Value {
    match value {
        Value::String(mut text) => {
            // An id is 26 characters long: most texts are shorter than that.
            if text.len() >= 26 {
                for (index, id) in ids.iter().enumerate() {
                    text = text.replace(id, &label(index));
                }
            }
            Value::String(text)
        }
        Value::Array(values) => values.into_iter().map(|value| stable(value, ids)).collect(),
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.into_iter().collect();
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            entries.into_iter().map(|(key, value)| (key, stable(value, ids))).collect()
        }
        other => other,
    }
}

impl Serialize for Snapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Serialize for SnapshotEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string_pretty(self).map_err(|_| fmt::Error)?)
    }
}
