//! `Event<E>` is deserialized from all forms of events that Inngest passes to functions.

use std::collections::BTreeMap;

use inngest_core::testing::{EventApi, RunState};
use inngest_core::{Event, InngestEvent};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc;

#[derive(Debug, PartialEq, Deserialize)]
struct Unit;

#[derive(Debug, PartialEq, Deserialize)]
struct Empty {}

#[derive(Debug, PartialEq, Deserialize)]
struct Wrapped(Unit);

#[derive(Debug, PartialEq, Deserialize)]
struct Optional {
    note: Option<String>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Price {
    amount: f64,
    count: u32,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Flat {
    id: u32,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Card { last: u16 },
    Cash,
}

#[derive(Debug, PartialEq, Deserialize)]
enum Outer {
    Card { last: u16 },
}

#[derive(Debug, PartialEq, Deserialize)]
struct Borrowed<'a> {
    name: &'a str,
}

/// Deserializes an event from text and from a tree.
fn receive<E: DeserializeOwned>(event: &Value) -> Result<E, String> {
    let tree = Event::<E>::deserialize(event);
    let text = serde_json::from_str::<Event<E>>(&event.to_string());
    assert_eq!(tree.is_ok(), text.is_ok());
    tree.map(Event::into_data).map_err(|error| error.to_string())
}

#[test]
fn data_without_fields_can_be_null_empty_or_missing() {
    for event in [json!({}), json!({"data": null}), json!({"data": {}})] {
        assert_eq!(receive(&event), Ok(Unit));
        assert_eq!(receive(&event), Ok(Wrapped(Unit)));
        assert_eq!(receive(&event), Ok(Empty {}));
        assert_eq!(receive(&event), Ok(Optional { note: None }));
        assert_eq!(receive(&event), Ok(BTreeMap::<String, Value>::new()));
        assert_eq!(receive::<Price>(&event).unwrap_err(), "missing field `amount`");
    }
    assert_eq!(receive(&json!({"data": {"_inngest": {}}})), Ok(Unit));
    assert_eq!(receive(&json!({"data": null})), Ok(None::<Price>));
    assert_eq!(receive(&json!({"data": null})), Ok(Value::Null));
    let error = receive::<Unit>(&json!({"data": "x"})).unwrap_err();
    assert_eq!(error, "invalid type: string \"x\", expected an object or null");
}

#[test]
fn data_can_be_of_any_type_that_implements_deserialize() {
    let data = |data: Value| json!({"name": "p/x", "data": data});
    let price = json!({"amount": 10, "count": 2, "more": 1});
    assert_eq!(receive(&data(price.clone())), Ok(Price { amount: 10.0, count: 2 }));
    assert_eq!(receive(&data(price.clone())), Ok(Some(Price { amount: 10.0, count: 2 })));
    assert_eq!(receive(&data(price.clone())), Ok(price));
    let rest = BTreeMap::from([("x".to_owned(), json!("y"))]);
    assert_eq!(receive(&data(json!({"id": 1, "x": "y"}))), Ok(Flat { id: 1, rest }));
    assert_eq!(receive(&data(json!({"kind": "Card", "last": 42}))), Ok(Tagged::Card { last: 42 }));
    assert_eq!(receive(&data(json!({"kind": "Cash"}))), Ok(Tagged::Cash));
    assert_eq!(receive(&data(json!({"Card": {"last": 42}}))), Ok(Outer::Card { last: 42 }));

    let event: Event<Borrowed<'_>> = serde_json::from_str(r#"{"data":{"name":"a"}}"#).unwrap();
    assert_eq!(event.data, Borrowed { name: "a" });
}

#[test]
fn every_field_of_the_envelope_can_be_missing() {
    let bare = [
        json!({"data": {}}),
        json!({"data": {}, "id": null, "ts": null, "v": null, "user": null, "meta": null}),
        json!({"data": {}, "id": "", "ts": 0, "v": "", "user": {}, "meta": {"sessions": null}}),
        json!({"data": {}, "ts": 0.0, "meta": {}, "more": [1]}),
    ];
    for event in bare {
        let event: Event<Empty> = serde_json::from_value(event).unwrap();
        assert_eq!(event.given_id(), None);
        assert_eq!(event.time(), None);
        assert_eq!(event.given_version(), None);
        assert!(event.user_as::<Value>().is_none());
        assert_eq!(event.sessions().count(), 0);
    }
}

#[test]
fn the_time_can_be_a_float_and_a_session_a_number() {
    let event: Event<Empty> = serde_json::from_value(json!({
        "data": {}, "ts": 1.7e12, "user": {"id": 1}, "meta": {"sessions": {"chat": 7}},
    }))
    .unwrap();
    let time = event.time().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(time.as_millis(), 1_700_000_000_000);
    assert_eq!(event.user_as::<Value>().unwrap().unwrap(), json!({"id": 1}));
    assert_eq!(event.sessions().collect::<Vec<_>>(), [("chat", "7")]);
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "storefront/parcel.weighed", id = "parcel-weighed-{parcel}")]
struct ParcelWeighed {
    parcel: u32,
    kilograms: f64,
}

/// The fields of a call of a function by Inngest that a handler uses.
#[derive(Deserialize)]
#[serde(bound = "E: DeserializeOwned")]
struct Call<E> {
    event: Event<E>,
    events: Vec<Event<E>>,
}

/// The function under test, which both `EventApi` and Inngest can call.
async fn weigh(scale: mpsc::Sender<f64>, event: Event<ParcelWeighed>) -> Result<(), String> {
    assert_eq!(event.given_id(), Some("parcel-weighed-7"));
    assert!(event.time().is_some());
    scale.send(event.data.kilograms).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn one_function_serves_the_event_api_and_a_call_by_inngest() {
    let (scale, mut weights) = mpsc::channel(2);
    let api = EventApi::start().await;
    let sender = scale.clone();
    api.on("weigh", move |event| weigh(sender.clone(), event));
    api.client().send(ParcelWeighed { parcel: 7, kilograms: 3.0 }).await.unwrap();
    api.idle().await;
    assert_eq!(api.runs()[0].state, RunState::Done);
    assert_eq!(weights.recv().await, Some(3.0));

    // Both `EventApi` and Inngest pass the float `3.0` as an integer.
    assert!(api.events()[0].data["kilograms"].is_u64());
    let event = json!({
        "name": "storefront/parcel.weighed",
        "data": {"parcel": 7, "kilograms": 3},
        "id": "parcel-weighed-7",
        "ts": 1_767_225_600_000_u64,
        "user": {},
    });
    let call = json!({
        "ctx": {"attempt": 0, "fn_id": "f", "run_id": "r", "stack": {"current": 0, "stack": null}},
        "event": event,
        "events": [event],
        "steps": {},
        "use_api": false,
    });
    let call: Call<ParcelWeighed> = serde_json::from_str(&call.to_string()).unwrap();
    assert_eq!(call.events.len(), 1);
    weigh(scale, call.event).await.unwrap();
    assert_eq!(weights.recv().await, Some(3.0));
}
