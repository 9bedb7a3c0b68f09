//! `RawEvent`: an event whose name is known only at run time, with every check at run time.

use inngest_core::{Batch, Client, Event, EventError, IntoEvent, RawEvent, SendError};
use serde_json::{Value, json};

fn error(event: impl IntoEvent) -> EventError {
    let mut batch = Batch::new();
    let error = batch.push(event).unwrap_err();
    assert!(batch.is_empty());
    error
}

#[tokio::test]
async fn a_raw_event_is_sent_with_its_name_and_data_and_nothing_else() {
    let (client, sent) = Client::recorder();
    let event = RawEvent::new("storefront/\"quoted\"", json!({"code": "XMAS"}));
    assert_eq!((event.name(), event.data()), ("storefront/\"quoted\"", &json!({"code": "XMAS"})));
    client.send(&event).await.unwrap();
    client.send(event).await.unwrap();
    client.send_all([RawEvent::new("storefront/opened", ())]).await.unwrap();

    let events = sent.events();
    for event in &events[..2] {
        assert_eq!(
            (event.name.as_str(), &event.data),
            ("storefront/\"quoted\"", &json!({"code": "XMAS"}))
        );
        assert_eq!((&event.dedup_id, &event.version, event.ts), (&None, &None, 0));
    }
    assert_eq!((events[2].name.as_str(), &events[2].data), ("storefront/opened", &Value::Null));
}

#[tokio::test]
async fn an_envelope_adds_the_other_fields_to_a_raw_event() {
    let (client, sent) = Client::recorder();
    let event = RawEvent::new("storefront/coupon.used", json!({"code": "XMAS"}));
    let enveloped = || Event::new(&event).id("coupon-XMAS").version("2").session("visit", "v1");
    client.send(enveloped()).await.unwrap();
    client.send(enveloped()).await.unwrap();
    client.send(Event::new(event.clone()).id("coupon-XMAS").version("2")).await.unwrap();
    client.send(Event::new(event.clone()).id("coupon-XMAS").version("2")).await.unwrap();

    for event in sent.events() {
        assert_eq!(event.dedup_id.as_deref(), Some("coupon-XMAS"));
        assert_eq!(event.version.as_deref(), Some("2"));
    }
    assert_eq!(sent.events()[1].sessions["visit"], "v1");
}

#[tokio::test]
async fn hooks_are_called_with_the_name_of_a_raw_event() {
    let sent = inngest_core::testing::Recorder::new();
    let builder = sent.builder().before_send(|name, envelope| {
        envelope.session("name", name);
    });
    builder.build().unwrap().send(RawEvent::new("storefront/opened", ())).await.unwrap();
    assert_eq!(sent.events()[0].sessions["name"], "storefront/opened");
}

#[test]
fn the_name_of_a_raw_event_is_checked() {
    for (name, expected) in [
        ("", "`` is not a valid event name: event name is empty"),
        (
            "a b",
            "`a b` is not a valid event name: event names have no white space, but there is some at byte 1",
        ),
        (
            "inngest/x",
            "`inngest/x` is not a valid event name: names starting with `inngest/` are reserved for Inngest's own events",
        ),
    ] {
        let event = RawEvent::new(name, json!({}));
        assert_eq!(error(&event).to_string(), expected);
        assert_eq!(error(Event::new(&event)).to_string(), expected);
    }
    let long = error(RawEvent::new("n".repeat(256), json!({}))).to_string();
    assert!(
        long.ends_with("event name is 256 bytes; function triggers accept at most 255"),
        "{long}"
    );
}

#[tokio::test]
async fn the_data_of_a_raw_event_is_checked() {
    let raw = |data: Value| RawEvent::new("storefront/coupon.used", data);
    assert!(matches!(
        error(raw(json!([1]))),
        EventError::NotAnObject {
            event: "storefront/coupon.used",
            part: "data",
            found: "an array"
        }
    ));
    let integer = error(raw(json!({"cents": [1_u64 << 53]})));
    assert!(matches!(integer, EventError::UnsafeInteger { path, .. } if path == "data.cents[0]"));
    assert!(matches!(error(raw(json!({"_inngest": {}}))), EventError::ReservedKey { .. }));

    let sent = inngest_core::testing::Recorder::new();
    let client = sent.builder().max_event_bytes(100).build().unwrap();
    let too_large = client.send(raw(json!({"text": "x".repeat(100)}))).await.unwrap_err();
    assert!(
        matches!(too_large, SendError::Event(EventError::TooLarge { max: 100, .. })),
        "{too_large}"
    );
}
