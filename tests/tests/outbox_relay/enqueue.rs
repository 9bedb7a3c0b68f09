//! What happens when an event is enqueued, long before a relay sends it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use inngest_core::outbox::Outbox;
use inngest_core::testing::Recorder;
use inngest_core::{Client, Event, EventError};
use inngest_tests::{CheckoutCompleted, ItemViewed, Script};
use serde_json::{Value, json};

use crate::{Outcomes, Shop};

const TRACES: [&str; 2] = [
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203332-01",
];

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).expect("JSON")
}

#[test]
fn a_prepared_event_has_the_time_of_the_call_unless_it_has_one() {
    let before = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    let event = Outbox::new().prepare(CheckoutCompleted::of("c1")).expect("a valid event");
    let after = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    assert_eq!(event.name(), "storefront/cart.checkout.completed");
    assert_eq!(event.traceparent(), None);
    let body = json(event.body());
    let ts = u128::from(body["ts"].as_u64().expect("a time"));
    assert!((before..=after).contains(&ts), "{body}");
    assert_eq!(body["id"], "cart-checkout-completed-c1");
    assert_eq!(body["v"], "2026-11-01.1");

    let time = UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    let event = Event::new(ItemViewed::number(1)).at(time);
    let event = Outbox::new().prepare(event).expect("a valid event");
    assert_eq!(json(event.body())["ts"], 1_700_000_000_123_u64);
}

#[tokio::test(start_paused = true)]
async fn before_send_is_called_once_when_the_event_is_enqueued() {
    let script = Script::new([]);
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let time = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let builder = script.builder().before_send(move |_, envelope| {
        counter.fetch_add(1, Ordering::Relaxed);
        envelope.session("request", "r1").at(time);
    });
    let shop = Shop::new(builder.build().expect("a client"));
    let event = shop.outbox.prepare(ItemViewed::number(1)).expect("a valid event");
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    let body = json(event.body());
    assert_eq!(body["meta"], json!({ "sessions": { "request": "r1" } }));
    assert_eq!(body["ts"], 1_700_000_000_000_u64, "the hook's time is kept");
    shop.store.enqueue(&event);
    shop.relay().drain().await.expect("a report");
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert_eq!(script.requests()[0].http.body(), event.body(), "it is sent as it was stored");
}

#[test]
fn an_event_that_cannot_be_sent_is_an_error_of_the_call_and_reported() {
    let outcomes = Outcomes::default();
    let builder = Script::new([]).builder().max_event_bytes(200);
    let outbox = Outbox::for_client(&outcomes.build(builder));
    let note = "x".repeat(200);
    let error = outbox.prepare(ItemViewed { number: 1, note }).expect_err("too large");
    assert!(matches!(error, EventError::TooLarge { max: 200, .. }), "{error}");
    assert_eq!(outcomes.take(), ["rejected"]);

    let limit = 3 * 1024 * 1024;
    let empty = Outbox::new().prepare(ItemViewed::number(1)).expect("a small event").body().len();
    let of_size = |bytes: usize| ItemViewed { number: 1, note: "x".repeat(bytes - empty) };
    let largest = Outbox::new().prepare(of_size(limit)).expect("an event of the largest size");
    assert_eq!(largest.body().len(), limit);
    let error = Outbox::new().prepare(of_size(limit + 1)).expect_err("too large");
    assert!(matches!(error, EventError::TooLarge { max, .. } if max == limit), "{error}");
    let error = Outbox::default().prepare(CheckoutCompleted::of(" ")).expect_err("a blank id");
    assert!(error.to_string().contains("cart_id"), "{error}");
}

#[test]
fn a_recorder_names_the_line_that_enqueued_an_invalid_event() {
    let (client, sent): (Client, Recorder) = Client::recorder();
    let outbox = Outbox::for_client(&client);
    drop(outbox.prepare(CheckoutCompleted::of("")).expect_err("a blank id"));
    let line = line!() - 1;
    let panic =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| sent.one::<CheckoutCompleted>()));
    let message = panic.map(drop).expect_err("nothing was sent");
    let message = message.downcast_ref::<String>().expect("a message");
    assert!(message.contains(&format!("enqueue.rs:{line}")), "{message}");
}

/// Enqueues an event for each of `traces`, the trace context of its caller, and returns the
/// `traceparent` of the request with all of them.
async fn sent_with(traces: Vec<Option<&'static str>>) -> Option<String> {
    let script = Script::new([]);
    let current: Arc<std::sync::Mutex<Option<&str>>> = Arc::default();
    let context = Arc::clone(&current);
    let builder = script.builder();
    let builder =
        builder.trace_context(move || context.lock().expect("no panic").map(str::to_owned));
    let shop = Shop::new(builder.build().expect("a client"));
    for trace in traces {
        *current.lock().expect("no panic") = trace;
        let event = shop.outbox.prepare(ItemViewed::number(1)).expect("a valid event");
        assert_eq!(event.traceparent(), trace);
        shop.store.enqueue(&event);
    }
    *current.lock().expect("no panic") =
        Some("00-11111111111111111111111111111111-2222222222222222-01");
    shop.relay().drain().await.expect("a report");
    let [request] = &script.requests()[..] else { panic!("one request") };
    request.http.headers().get("traceparent").map(|it| it.to_str().expect("ASCII").to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_request_has_the_trace_context_that_all_its_events_were_enqueued_with() {
    let [first, second] = TRACES;
    assert_eq!(sent_with(vec![Some(first)]).await.as_deref(), Some(first));
    assert_eq!(sent_with(vec![Some(first), Some(first)]).await.as_deref(), Some(first));
    assert_eq!(sent_with(vec![Some(first), Some(second)]).await, None);
    assert_eq!(sent_with(vec![Some(first), None]).await, None);
    assert_eq!(sent_with(vec![None, Some(first)]).await, None);
    assert_eq!(sent_with(vec![None]).await, None, "not the context of the relay");
}

#[tokio::test(start_paused = true)]
async fn a_trace_context_that_is_not_valid_is_not_sent() {
    let (shop, script) = Shop::scripted([]);
    let event = shop.outbox.prepare(ItemViewed::number(1)).expect("a valid event");
    shop.store.insert(event.name(), event.body(), Some("00-bad\r\nx-evil: 1"));
    shop.relay().drain().await.expect("a report");
    assert_eq!(script.requests()[0].http.headers().get("traceparent"), None);
}

#[test]
fn debug_output_omits_the_data() {
    let event = Outbox::new().prepare(CheckoutCompleted::of("secret")).expect("a valid event");
    let text = format!("{event:?} {:?}", Outbox::new());
    assert!(text.contains("storefront/cart.checkout.completed") && !text.contains("secret"));
}
