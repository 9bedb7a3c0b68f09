//! The hooks before and after sending: what they see and change, and panics in them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use inngest_core::testing::{Fault, Recorder, TransportFault};
use inngest_core::{
    Batch, Client, ClientBuilder, Envelope, Event, InngestEvents, Rejection, SendOutcome,
    SendReport,
};
use inngest_tests::{AccountLinked, CheckoutCompleted, ItemViewed, Script, Step};
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);

/// The outcome of each event, in the order of the calls of `after_send`.
#[derive(Clone, Default)]
struct Outcomes(Arc<Mutex<Vec<String>>>);

impl Outcomes {
    /// Builds a client that reports its outcomes here.
    fn build(&self, builder: ClientBuilder) -> Client {
        let outcomes = self.clone();
        let record = move |report: &SendReport<'_>| {
            let outcome = match report.outcome {
                SendOutcome::Accepted(id) => format!("{id}"),
                SendOutcome::Rejected(Rejection::Event(_)) => "rejected locally".to_owned(),
                SendOutcome::Rejected(_) => "rejected".to_owned(),
                SendOutcome::Unsent(cause) => {
                    format!("unsent: {}", cause.map_or("closed", |cause| cause.kind()))
                }
                _ => unreachable!("no other outcome exists yet"),
            };
            let name = report.name.trim_start_matches("storefront/");
            outcomes.0.lock().expect("no panic").push(format!("{name}: {outcome}"));
        };
        builder.after_send(record).build().expect("a client")
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }
}

/// Returns the events of request `index`.
fn sent(script: &Script, index: usize) -> Vec<Value> {
    let body = serde_json::from_slice(script.requests()[index].http.body()).expect("JSON");
    if let Value::Array(events) = body { events } else { vec![body] }
}

fn stamp(_: &'static str, envelope: &mut Envelope) {
    envelope.session("request", "r1").version("7");
}

#[tokio::test(start_paused = true)]
async fn before_send_changes_the_envelope_of_every_event_the_client_serializes() {
    let script = Script::new([]);
    let client = script.builder().before_send(stamp).build().expect("a client");
    let meta = json!({ "sessions": { "request": "r1" } });

    client.send(ItemViewed::number(1)).await.expect("an id");
    client.send_all(ItemViewed::many(2)).await.expect("ids");
    let publisher = client.publisher().start();
    drop(publisher.publish(ItemViewed::number(1)).await.expect("capacity"));
    drop(publisher.try_publish(ItemViewed::number(1)).expect("capacity"));
    drop(publisher.publish_all(ItemViewed::many(2)).await);
    publisher.flush(SECOND).await.expect("all sent");
    let events: Vec<Value> = (0..3).flat_map(|index| sent(&script, index)).collect();
    assert_eq!(events.len(), 7);
    for event in events {
        assert_eq!((&event["meta"], &event["v"]), (&meta, &json!("7")));
    }

    // The batch is serialized without the client, so without its hooks.
    let batch = Batch::try_from_iter(ItemViewed::many(1)).expect("a batch");
    client.send_batch(&batch).await.expect("an id");
    assert_eq!(sent(&script, 3)[0]["meta"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn before_send_reads_and_changes_everything_but_the_data() {
    let script = Script::new([]);
    let envelopes = Arc::new(Mutex::new(Vec::new()));
    let before = Arc::clone(&envelopes);
    let hook = move |name: &'static str, envelope: &mut Envelope| {
        let user = envelope.user_as::<Value>().map(|user| user.expect("JSON"));
        let sessions: Vec<String> =
            envelope.sessions().map(|(key, value)| format!("{key}={value}")).collect();
        let (id, version) = (envelope.given_id(), envelope.given_version());
        let text = format!("{name} {id:?} {version:?} {:?} {user:?} {sessions:?}", envelope.time());
        before.lock().expect("no panic").push(text);
        match name {
            "storefront/cart.checkout.completed" => envelope.without_id(),
            _ => envelope.id("one").at(UNIX_EPOCH + 600_000_000 * SECOND).user(json!({ "a": 1 })),
        };
    };
    let client = script.builder().before_send(hook).build().expect("a client");
    let event = Event::new(ItemViewed::number(1)).id("mine").session("chat", "c1").version("2");
    client.send(&event).await.expect("an id");
    client.send(CheckoutCompleted::of("c9")).await.expect("an id");
    assert_eq!(event.given_id(), Some("mine"), "the hook changes a copy");
    let event = &sent(&script, 0)[0];
    let expected = json!({
        "name": "storefront/item.viewed", "id": "one", "v": "2", "user": { "a": 1 },
        "ts": 600_000_000_000_u64, "meta": { "sessions": { "chat": "c1" } },
        "data": { "number": 1, "note": "" },
    });
    assert_eq!(*event, expected);
    assert_eq!(sent(&script, 1)[0].get("id"), None);
    let envelopes = envelopes.lock().expect("no panic");
    assert_eq!(
        envelopes[..],
        [
            "storefront/item.viewed Some(\"mine\") Some(\"2\") None None [\"chat=c1\"]",
            "storefront/cart.checkout.completed None None None None []",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn hooks_run_in_the_order_they_were_added_and_their_result_is_checked() {
    let script = Script::new([]);
    let builder = script.builder().before_send(|_, envelope| {
        envelope.version("first");
    });
    let builder = builder.before_send(|_, envelope| {
        let both = format!("{} second", envelope.given_version().unwrap_or_default());
        envelope.version(both);
    });
    builder.clone().build().expect("a client").send(ItemViewed::number(1)).await.expect("an id");
    assert_eq!(sent(&script, 0)[0]["v"], "first second");

    let blank = builder.before_send(|_, envelope| {
        envelope.id(" ");
    });
    let error = blank.build().expect("a client").send(ItemViewed::number(1)).await;
    assert_eq!(
        error.expect_err("a blank id").to_string(),
        "a dedup id is blank: it has no visible character"
    );
}

#[tokio::test(start_paused = true)]
async fn before_send_is_called_once_per_event_across_retries() {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&calls);
    let script = Script::new([Step::status(503), Step::status(503)]);
    let builder = script.builder().max_request_events(2).before_send(move |name, _| {
        note.lock().expect("no panic").push(name);
    });
    let client = builder.build().expect("a client");
    client.send_all(ItemViewed::many(5)).await.expect("ids");
    // The hook is called for an event that cannot be sent, too.
    client.send_all(["c1", "", "c2"].map(CheckoutCompleted::of)).await.expect_err("a blank id");
    let calls = std::mem::take(&mut *calls.lock().expect("no panic"));
    assert_eq!(calls[..5], ["storefront/item.viewed"; 5]);
    assert_eq!(calls[5..], ["storefront/cart.checkout.completed"; 3]);
}

#[derive(Clone, InngestEvents)]
enum Storefront {
    Viewed(ItemViewed),
    Checkout(CheckoutCompleted),
}

#[tokio::test(start_paused = true)]
async fn hooks_see_the_variant_of_an_enum_of_events() {
    let outcomes = Outcomes::default();
    let script = Script::new([]);
    let client = outcomes.build(script.builder().before_send(|name, envelope| {
        let sessions = envelope.sessions().count();
        envelope.session("name", name).session("before", sessions);
    }));
    let viewed = Storefront::from(ItemViewed::number(1));
    let checkout = Storefront::from(CheckoutCompleted::of("c1"));
    client.send(viewed.clone()).await.expect("an id");
    client.send(Event::new(&checkout).session("chat", "c1")).await.expect("an id");
    client.send_all([&viewed, &checkout]).await.expect("ids");
    let publisher = client.publisher().start();
    drop(publisher.publish(checkout).await.expect("capacity"));
    publisher.flush(SECOND).await.expect("all sent");

    let (item, cart) = ("storefront/item.viewed", "storefront/cart.checkout.completed");
    let stamped = |name, before: &str| json!({ "name": name, "before": before });
    let in_chat = json!({ "chat": "c1", "name": cart, "before": "1" });
    let expected =
        [stamped(item, "0"), in_chat, stamped(item, "0"), stamped(cart, "0"), stamped(cart, "0")];
    let events = (0..4).flat_map(|index| sent(&script, index));
    let sessions: Vec<Value> = events.map(|event| event["meta"]["sessions"].clone()).collect();
    assert_eq!(sessions, expected);
    let singles = ["item.viewed: id-0", "cart.checkout.completed: id-0"];
    let batch = ["item.viewed: id-0", "cart.checkout.completed: id-1"];
    assert_eq!(outcomes.take(), [&singles[..], &batch, &singles[1..]].concat());
}

#[tokio::test(start_paused = true)]
async fn a_recorder_records_events_after_the_hooks() {
    let outcomes = Outcomes::default();
    let recorder = Recorder::new();
    let client = outcomes.build(recorder.builder().before_send(stamp));
    client.send(ItemViewed::number(1)).await.expect("an id");
    let event = recorder.one::<ItemViewed>();
    assert_eq!(event.sessions().collect::<Vec<_>>(), [("request", "r1")]);
    assert_eq!(event.given_version(), Some("7"));
    recorder.fail_next(Fault::status(401));
    client.send(CheckoutCompleted::of("c1")).await.expect_err("a refused key");
    assert!(outcomes.take()[1].ends_with("unsent: key_refused"));
}

#[tokio::test(start_paused = true)]
async fn after_send_is_called_once_per_event_across_retries() {
    let outcomes = Outcomes::default();
    let steps = [
        Step::status(503),
        Step::Fail(TransportFault::Interrupted),
        Step::Accept,
        Step::status(413),
        Step::status(401),
    ];
    let client = outcomes.build(Script::new(steps).builder());
    client.send(ItemViewed::number(1)).await.expect("an id");
    client.send(ItemViewed::number(1)).await.expect_err("too large");
    client.send(ItemViewed::number(1)).await.expect_err("a refused key");
    client.send(AccountLinked { account: 1 << 60 }).await.expect_err("unsafe");
    assert_eq!(
        outcomes.take(),
        [
            "item.viewed: id-0",
            "item.viewed: rejected",
            "item.viewed: unsent: key_refused",
            "account.linked: rejected locally",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn after_send_is_called_for_each_event_of_a_batch() {
    let outcomes = Outcomes::default();
    // The server stops at the second event, accepts the third, and refuses the second one for good.
    let partial = r#"{"ids":["a",""],"status":400,"error":"bad"}"#;
    let mut steps = vec![Step::respond(400, partial), Step::Accept];
    steps.extend(vec![Step::status(400); 3]);
    let client = outcomes.build(Script::new(steps).builder().max_event_bytes(1_000));
    let views = [3, 3, 3, 9_000].map(|len| ItemViewed { number: 1, note: "x".repeat(len) });
    client.send_all(views).await.expect_err("two bad events");
    assert_eq!(
        outcomes.take(),
        ["a", "rejected", "id-0", "rejected locally"]
            .map(|outcome| format!("item.viewed: {outcome}"))
    );

    let carts = ["c1", "", "c2"].map(CheckoutCompleted::of);
    client.send_all(&carts).await.expect_err("a blank id");
    let mut sorted = outcomes.take();
    sorted.sort();
    // There are two requests, since the rejected event leaves a gap in the places of the seed.
    assert_eq!(
        sorted,
        ["id-0", "id-0", "rejected locally"]
            .map(|outcome| format!("cart.checkout.completed: {outcome}"))
    );

    let batch = Batch::try_from_iter(ItemViewed::many(1)).expect("a batch");
    client.send_batch(&batch).await.expect("an id");
    assert_eq!(outcomes.take(), ["item.viewed: id-0"]);
}

#[tokio::test(start_paused = true)]
async fn after_send_is_called_when_a_published_event_is_delivered_fails_or_is_left_over() {
    let outcomes = Outcomes::default();
    let steps = [Step::status(503), Step::status(503), Step::Accept, Step::respond(200, "<html>")];
    let script = Script::new(steps);
    let client = outcomes.build(script.builder());
    let publisher = client.publisher().start();
    let receipt = publisher.publish(ItemViewed::number(1)).await.expect("capacity");
    receipt.delivered().await.expect("an id, in the end");
    assert_eq!(outcomes.take(), ["item.viewed: id-0"], "before the receipt resolves");
    let receipt = publisher.publish(ItemViewed::number(1)).await.expect("capacity");
    receipt.delivered().await.expect_err("HTML");
    assert_eq!(outcomes.take(), ["item.viewed: unsent: invalid_response"]);
    publisher.publish(CheckoutCompleted::of("")).await.expect_err("a blank id");
    assert_eq!(outcomes.take(), ["cart.checkout.completed: rejected locally"]);

    let client = outcomes.build(Script::new(vec![Step::Hang; 9]).builder());
    let publisher = client.publisher().max_queued_events(2).start();
    drop(publisher.publish_all(ItemViewed::many(2)).await);
    publisher.try_publish(ItemViewed::number(3)).expect_err("a full queue");
    assert!(outcomes.take().is_empty(), "an event that the queue returned has no outcome");
    assert_eq!(publisher.close(SECOND).await.undelivered.len(), 2);
    assert_eq!(outcomes.take(), ["item.viewed: unsent: closed"; 2]);
    let publisher = client.publisher().start();
    drop(publisher.publish(ItemViewed::number(1)).await.expect("capacity"));
    drop(publisher);
    assert_eq!(outcomes.take(), ["item.viewed: unsent: closed"]);
}

#[tokio::test(start_paused = true)]
async fn a_hook_can_publish() {
    let script = Script::new([]);
    let other = script.client().publisher().start();
    let inner = other.clone();
    let builder = script.builder().after_send(move |_| {
        drop(inner.try_publish(CheckoutCompleted::of("c1")).expect("capacity"));
    });
    let publisher = builder.build().expect("a client").publisher().start();
    drop(publisher.publish(ItemViewed::number(1)).await.expect("capacity"));
    publisher.flush(SECOND).await.expect("all sent");
    other.flush(SECOND).await.expect("all sent");
    assert_eq!(other.stats().delivered, 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_after_send_affects_nothing_else() {
    let script = Script::new([]);
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let builder = script.builder().after_send(|_| panic!("a panic of the hook"));
    let builder = builder.after_send(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let client = builder.build().expect("a client");
    client.send(ItemViewed::number(1)).await.expect("an id");
    client.send_all(ItemViewed::many(3)).await.expect("ids");
    let publisher = client.publisher().start();
    for _ in 0..2 {
        let receipt = publisher.publish(ItemViewed::number(1)).await.expect("capacity");
        receipt.delivered().await.expect("an id");
    }
    assert_eq!(calls.load(Ordering::Relaxed), 6);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_before_send_reaches_the_caller_and_nothing_is_sent() {
    let script = Script::new([]);
    let builder =
        script.builder().before_send(|name, _| assert_ne!(name, "storefront/item.viewed"));
    let client = builder.build().expect("a client");
    let publisher = client.publisher().start();
    let panicked = |call: &dyn Fn()| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).expect_err("a panic");
    };
    panicked(&|| drop(client.send(ItemViewed::number(1))));
    panicked(&|| drop(client.send_all(ItemViewed::many(1))));
    panicked(&|| drop(publisher.publish(ItemViewed::number(1))));
    // Client and publisher still work.
    client.send(CheckoutCompleted::of("c1")).await.expect("an id");
    let receipt = publisher.publish(CheckoutCompleted::of("c2")).await.expect("capacity");
    receipt.delivered().await.expect("an id");
    assert_eq!(script.requests().len(), 2);
}
