//! The decoders of received events: of a payload, of an enum of events, and of both in an envelope.
#![no_main]

use std::collections::BTreeMap;
use std::fmt::Debug;

use inngest_core::{Batch, Event, InngestEvent, InngestEvents, IntoEvent};
use inngest_fuzz::{has_duplicate_keys, mutate_json};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

const WORDS: &[&str] = &[
    "",
    "1",
    "2",
    "Card",
    "Cash",
    "a",
    "accounts",
    "amount",
    "b",
    "card",
    "cash",
    "counts",
    "data",
    "external_id",
    "fuzz/flat",
    "fuzz/nested",
    "fuzz/plain",
    "fuzz/unit",
    "fuzz/versioned",
    "id",
    "kind",
    "meta",
    "name",
    "nested",
    "number",
    "option",
    "part",
    "pair",
    "rest",
    "sessions",
    "text",
    "time",
    "ts",
    "user",
    "v",
    "value",
    "-1",
    "true",
];

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "fuzz/unit")]
struct Unit;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "fuzz/plain", id = "plain-{text}-{number}")]
#[serde(deny_unknown_fields)]
struct Plain {
    text: String,
    number: i64,
    #[serde(default)]
    option: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Payment {
    Cash,
    Card { number: u32, pair: (u8, char) },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Loose {
    Number(u64),
    Text(String),
    List(Vec<Loose>),
    Part { part: Box<Loose> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Choice {
    Cash,
    Card(u8),
    // Not a struct variant, which serde_json reads from an array in a text and not in a `Value`.
    Part(Part),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Part {
    a: Option<Box<Choice>>,
    b: (),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "fuzz/nested")]
struct Nested {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    nested: Vec<Payment>,
    #[serde(default)]
    value: Option<Loose>,
    #[serde(default)]
    part: Option<Choice>,
    #[serde(default)]
    counts: BTreeMap<i32, bool>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "fuzz/flat")]
struct Flat {
    #[serde(default)]
    id: u64,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "fuzz/versioned", version = "1")]
struct VersionedOne {
    a: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "fuzz/versioned", version = "2", id = "versioned-{b}")]
struct VersionedTwo {
    b: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "fuzz/versioned")]
struct Unversioned {
    #[serde(default)]
    a: Option<Value>,
}

#[derive(Clone, Debug, PartialEq, InngestEvents)]
enum Any {
    Unit(Unit),
    Plain(Box<Plain>),
    Nested(Nested),
    Flat(Flat),
    VersionedOne(VersionedOne),
    VersionedTwo(VersionedTwo),
    Unversioned(Unversioned),
}

/// Two versions of an event, none of them without a version.
#[derive(Clone, Debug, PartialEq, InngestEvents)]
enum Versions {
    One(VersionedOne),
    Two(VersionedTwo),
}

/// An event with its envelope, to be compared.
#[derive(Debug, PartialEq)]
struct Whole<E> {
    data: E,
    id: Option<String>,
    time: Option<std::time::SystemTime>,
    version: Option<String>,
    user: Option<Value>,
    sessions: BTreeMap<String, String>,
}

fuzz_target!(|data: &[u8]| {
    let value = serde_json::from_slice::<Value>(data).ok();
    let source = Source { text: data, value, is_distinct: !has_duplicate_keys(data) };
    source.check_enum::<Any>();
    source.check_enum::<Versions>();
    source.check_event::<Unit>();
    source.check_event::<Plain>();
    source.check_event::<Nested>();
    source.check_event::<Flat>();
    source.check_event::<VersionedTwo>();
    source.check_names();
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mutated = if seed % 4 > 0 { mutate_json(data, size, max_size, seed, WORDS) } else { None };
    mutated.unwrap_or_else(|| fuzzer_mutate(data, size, max_size))
});

struct Source<'a> {
    text: &'a [u8],
    value: Option<Value>,
    /// Whether no object has a key twice. Otherwise, a decoder refuses what `Value` accepts.
    is_distinct: bool,
}

impl Source<'_> {
    fn check_enum<E>(&self)
    where
        E: InngestEvents + IntoEvent + DeserializeOwned + Clone + Debug + PartialEq,
    {
        self.check_event::<E>();
        let Some(event) = self.decode::<E>() else { return };
        let mut batch = Batch::new();
        if batch.push(event.clone()).is_ok() {
            assert_eq!(decode_first::<E>(&batch), event, "{batch:?}");
        }
    }

    fn check_event<E>(&self)
    where
        E: IntoEvent + DeserializeOwned + Clone + Debug + PartialEq,
        Event<E>: IntoEvent,
    {
        let Some(event) = self.decode::<Event<E>>() else { return };
        // The event's envelope, read independently.
        let found = whole(&event);
        if let (true, Some(value @ Value::Object(_))) = (self.is_distinct, &self.value) {
            self.check_envelope(value, &found);
        }
        let mut batch = Batch::new();
        if batch.push(event).is_ok() {
            let again = whole(&decode_first::<Event<E>>(&batch));
            let json = batch.events().next().map(|event| event.json().to_owned());
            assert_eq!(again.data, found.data, "{json:?}");
            assert_eq!(again.time, found.time, "{json:?}");
            assert_eq!(again.user, found.user, "{json:?}");
            assert_eq!(again.sessions, found.sessions, "{json:?}");
            // The id and the version of the type are added if the event has none.
            assert!(found.id.is_none() || again.id == found.id, "{json:?}");
            assert!(found.version.is_none() || again.version == found.version, "{json:?}");
        }
    }

    /// Decodes the text, and compares the result with a decode through [`Value`].
    fn decode<E: DeserializeOwned + Debug>(&self) -> Option<E> {
        let direct = serde_json::from_slice::<E>(self.text);
        // serde_json does not validate the values of fields that are ignored.
        let value = self.value.as_ref()?;
        if self.is_distinct && !matches!(value, Value::Array(_)) {
            let through_value = serde_json::from_value::<E>(value.clone());
            let by_reference = E::deserialize(value);
            let debug = |event: &Result<E, serde_json::Error>| match event {
                Ok(event) => format!("{event:?}"),
                Err(_) => "an error".to_owned(),
            };
            assert_eq!(debug(&direct), debug(&through_value));
            assert_eq!(debug(&direct), debug(&by_reference));
        }
        direct.ok()
    }

    fn check_envelope<E>(&self, value: &Value, found: &Whole<E>) {
        let text = |value: &Value| match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        assert_eq!(found.id, text(&value["id"]).filter(|id| !id.is_empty()));
        assert_eq!(found.version, text(&value["v"]).filter(|version| !version.is_empty()));
        let user =
            Some(&value["user"]).filter(|user| user.as_object().is_some_and(|it| !it.is_empty()));
        assert_eq!(found.user.as_ref(), user);
        // serde reads a struct also from an array of its fields.
        let sessions = value["meta"].get("sessions").or(value["meta"].get(0));
        let sessions = sessions.and_then(Value::as_object).into_iter().flatten();
        let sessions = sessions.map(|(key, value)| match value {
            Value::String(text) => (key.clone(), text.clone()),
            other => (key.clone(), other.to_string()),
        });
        assert_eq!(found.sessions, sessions.collect());
        let millis = found.time.map(|time| match time.duration_since(std::time::UNIX_EPOCH) {
            Ok(since) => since.as_millis() as f64,
            Err(before) => -(before.duration().as_millis() as f64),
        });
        let ts = value["ts"].as_f64().unwrap_or_default();
        let expected = ts.trunc().clamp(i64::MIN as f64, i64::MAX as f64);
        assert!(
            (millis.unwrap_or_default() - expected).abs() <= expected.abs() / 1e9,
            "{millis:?}"
        );
    }

    /// An enum of events decodes the events whose names it has, and no others.
    fn check_names(&self) {
        let Some(Ok(event)) = self.value.clone().map(serde_json::from_value::<Any>) else { return };
        let value = self.value.as_ref().unwrap_or(&Value::Null);
        if let Value::Object(value) = value {
            assert_eq!(Some(event.event_name()), value["name"].as_str());
        }
    }
}

fn decode_first<E: DeserializeOwned>(batch: &Batch) -> E {
    let json = batch.events().next().expect("an event").json();
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error} in {json}"))
}

fn whole<E: Clone>(event: &Event<E>) -> Whole<E> {
    Whole {
        data: event.data.clone(),
        id: event.given_id().map(str::to_owned),
        time: event.time(),
        version: event.given_version().map(str::to_owned),
        user: event.user_as::<Value>().map(|user| user.expect("the user is JSON")),
        sessions: event.sessions().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
    }
}
