//! The events sent, in a form that is the same in every run.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::diff::fields;
use super::record::SentEvent;

/// The events sent to a [`Recorder`](super::Recorder), in order, as a value for snapshot tests.
///
/// It is the same in every run of a test: Inngest ids are replaced by `[id 1]`, `[id 2]` and so on, also inside an
/// event's data and dedup id, times that were sent are replaced by `[ts]`, and keys are sorted. Dedup ids are
/// otherwise unchanged.
///
/// It serializes as a list and displays as indented JSON, for `insta::assert_json_snapshot!` and
/// `insta::assert_snapshot!`.
///
/// See [testing](crate::guide::testing) in the guide.
#[derive(Clone, Debug)]
pub struct Snapshot(Vec<SnapshotEvent>);

/// The fields of an event, in the order in which they are shown.
#[derive(Clone, Debug)]
struct SnapshotEvent(Vec<(&'static str, Value)>);

impl Snapshot {
    pub(super) fn new(sent: &[SentEvent]) -> Snapshot {
        let ids: Vec<&str> = sent.iter().map(|sent| sent.event.id.as_str()).collect();
        let events = sent.iter().enumerate().map(|(index, sent)| {
            let mut event =
                vec![("name", sent.event.name.as_str().into()), ("event_id", label(index).into())];
            event.extend(fields(&sent.event).map(|(name, value)| match name {
                "ts" => (name, "[ts]".into()),
                _ => (name, redact(value, &ids)),
            }));
            SnapshotEvent(event)
        });
        Snapshot(events.collect())
    }
}

fn label(index: usize) -> String {
    format!("[id {}]", index + 1)
}

/// Replaces Inngest ids by labels and sorts keys, since the feature `preserve_order` of `serde_json` may be
/// enabled.
fn redact(value: Value, ids: &[&str]) -> Value {
    match value {
        Value::String(mut text) => {
            // Most texts are shorter than an id's 26 characters, and are not searched.
            if text.len() >= 26 {
                for (index, id) in ids.iter().enumerate() {
                    text = text.replace(id, &label(index));
                }
            }
            Value::String(text)
        }
        Value::Array(values) => values.into_iter().map(|value| redact(value, ids)).collect(),
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.into_iter().collect();
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            entries.into_iter().map(|(key, value)| (key, redact(value, ids))).collect()
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
