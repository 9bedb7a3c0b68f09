//! What hooks before and after sending see, and what they cannot break.

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

/// What became of each event, in the order it was told.
#[derive(Clone, Default)]
struct Ends(Arc<Mutex<Vec<String>>>);

impl Ends {
    fn listen(&self, builder: ClientBuilder) -> Client {
        let ends = self.clone();
        let told = move |sent: &SendReport<'_>| {
            let end = match sent.outcome {
                SendOutcome::Accepted(id) => format!("{id}"),
                SendOutcome::Rejected(Rejection::Event(_)) => "rejected here".to_owned(),
                SendOutcome::Rejected(_) => "rejected".to_owned(),
                SendOutcome::Unsent(cause) => {
                    format!("unsent: {}", cause.map_or("closed", |cause| cause.kind()))
                }
                _ => unreachable!("there is nothing else yet"),
            };
            let name = sent.name.trim_start_matches("storefront/");
            ends.0.lock().expect("no panic").push(format!("{name}: {end}"));
        };
        builder.after_send(told).build().expect("a client")
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }
}

/// The events of request `index`.
fn sent(script: &Script, index: usize) -> Vec<Value> {
    let body = serde_json::from_slice(script.seen()[index].request.body()).expect("JSON");
    if let Value::Array(events) = body { events } else { vec![body] }
}

fn stamp(_: &'static str, envelope: &mut Envelope) {
    envelope.session("request", "r1").version("7");
}

#[tokio::test(start_paused = true)]
async fn a_hook_changes_the_envelope_of_whatever_is_sent() {
    let script = Script::new([]);
    let client = script.builder().before_send(stamp).build().expect("a client");
    let meta = json!({ "sessions": { "request": "r1" } });

    client.send(&ItemViewed::number(1)).await.expect("an id");
    client.send_all(ItemViewed::many(2)).await.expect("ids");
    let publisher = client.publisher().start();
    drop(publisher.publish(&ItemViewed::number(1)).await.expect("room"));
    drop(publisher.try_publish(ItemViewed::number(1)).expect("room"));
    drop(publisher.publish_all(ItemViewed::many(2)).await);
    publisher.flush(SECOND).await.expect("all sent");
    let events: Vec<Value> = (0..3).flat_map(|index| sent(&script, index)).collect();
    assert_eq!(events.len(), 7);
    for event in events {
        assert_eq!((&event["meta"], &event["v"]), (&meta, &json!("7")));
    }

    // Serialized before a client saw it.
    let batch = Batch::try_from_iter(ItemViewed::many(1)).expect("a batch");
    client.send_batch(&batch).await.expect("an id");
    assert_eq!(sent(&script, 3)[0]["meta"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_hook_sees_and_changes_everything_but_the_data() {
    let script = Script::new([]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&seen);
    let hook = move |name: &'static str, envelope: &mut Envelope| {
        let user = envelope.user_as::<Value>().map(|user| user.expect("JSON"));
        let sessions: Vec<String> =
            envelope.sessions().map(|(key, value)| format!("{key}={value}")).collect();
        let (id, version) = (envelope.given_id(), envelope.given_version());
        let text = format!("{name} {id:?} {version:?} {:?} {user:?} {sessions:?}", envelope.time());
        note.lock().expect("no panic").push(text);
        match name {
            "storefront/cart.checkout.completed" => envelope.without_id(),
            _ => envelope.id("one").at(UNIX_EPOCH + 600_000_000 * SECOND).user(json!({ "a": 1 })),
        };
    };
    let client = script.builder().before_send(hook).build().expect("a client");
    let event = Event::new(ItemViewed::number(1)).id("mine").session("chat", "c1").version("2");
    client.send(&event).await.expect("an id");
    client.send(CheckoutCompleted::of("c9")).await.expect("an id");
    assert_eq!(event.given_id(), Some("mine"), "it is a copy that is changed");
    let event = &sent(&script, 0)[0];
    let expected = json!({
        "name": "storefront/item.viewed", "id": "one", "v": "2", "user": { "a": 1 },
        "ts": 600_000_000_000_u64, "meta": { "sessions": { "chat": "c1" } },
        "data": { "number": 1, "note": "" },
    });
    assert_eq!(*event, expected);
    assert_eq!(sent(&script, 1)[0].get("id"), None);
    let seen = seen.lock().expect("no panic");
    assert_eq!(
        seen[..],
        [
            "storefront/item.viewed Some(\"mine\") Some(\"2\") None None [\"chat=c1\"]",
            "storefront/cart.checkout.completed None None None None []",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn hooks_run_in_the_order_they_were_added_and_what_they_make_is_checked() {
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
        "a dedup id is empty or only white space"
    );
}

#[tokio::test(start_paused = true)]
async fn a_hook_is_called_once_an_event_however_often_it_is_tried() {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&calls);
    let script = Script::new([Step::status(503), Step::status(503)]);
    let builder = script.builder().max_request_events(2).before_send(move |name, _| {
        note.lock().expect("no panic").push(name);
    });
    let client = builder.build().expect("a client");
    client.send_all(ItemViewed::many(5)).await.expect("ids");
    // One that cannot be sent is seen too.
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
async fn an_enum_of_events_goes_through_the_hooks_as_what_it_holds() {
    let ends = Ends::default();
    let script = Script::new([]);
    let client = ends.listen(script.builder().before_send(|name, envelope| {
        let domain = envelope.sessions().count();
        envelope.session("name", name).session("before", domain);
    }));
    let viewed = Storefront::from(ItemViewed::number(1));
    let checkout = Storefront::from(CheckoutCompleted::of("c1"));
    client.send(viewed.clone()).await.expect("an id");
    client.send(Event::new(&checkout).session("chat", "c1")).await.expect("an id");
    client.send_all([&viewed, &checkout]).await.expect("ids");
    let publisher = client.publisher().start();
    drop(publisher.publish(checkout).await.expect("room"));
    publisher.flush(SECOND).await.expect("all sent");

    let (item, cart) = ("storefront/item.viewed", "storefront/cart.checkout.completed");
    let stamped = |name, before: &str| json!({ "name": name, "before": before });
    let in_chat = json!({ "chat": "c1", "name": cart, "before": "1" });
    let expected =
        [stamped(item, "0"), in_chat, stamped(item, "0"), stamped(cart, "0"), stamped(cart, "0")];
    let events = (0..4).flat_map(|index| sent(&script, index));
    let sessions: Vec<Value> = events.map(|event| event["meta"]["sessions"].clone()).collect();
    assert_eq!(sessions, expected);
    let told = ["item.viewed: id-0", "cart.checkout.completed: id-0"];
    let batch = ["item.viewed: id-0", "cart.checkout.completed: id-1"];
    assert_eq!(ends.take(), [&told[..], &batch, &told[1..]].concat());
}

#[tokio::test(start_paused = true)]
async fn a_recorder_sees_what_the_hooks_have_made() {
    let ends = Ends::default();
    let recorder = Recorder::new();
    let client = ends.listen(recorder.builder().before_send(stamp));
    client.send(ItemViewed::number(1)).await.expect("an id");
    let event = recorder.one::<ItemViewed>();
    assert_eq!(event.sessions().collect::<Vec<_>>(), [("request", "r1")]);
    assert_eq!(event.given_version(), Some("7"));
    recorder.fail_next(Fault::status(401));
    client.send(CheckoutCompleted::of("c1")).await.expect_err("a refused key");
    assert!(ends.take()[1].ends_with("unsent: key_refused"));
}

#[tokio::test(start_paused = true)]
async fn each_event_ends_once_however_often_it_was_tried() {
    let ends = Ends::default();
    let steps = [
        Step::status(503),
        Step::Fail(TransportFault::Interrupted),
        Step::Accept,
        Step::status(413),
        Step::status(401),
    ];
    let client = ends.listen(Script::new(steps).builder());
    client.send(&ItemViewed::number(1)).await.expect("an id");
    client.send(&ItemViewed::number(1)).await.expect_err("too large");
    client.send(&ItemViewed::number(1)).await.expect_err("a refused key");
    client.send(AccountLinked { account: 1 << 60 }).await.expect_err("unsafe");
    assert_eq!(
        ends.take(),
        [
            "item.viewed: id-0",
            "item.viewed: rejected",
            "item.viewed: unsent: key_refused",
            "account.linked: rejected here",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn the_events_of_a_batch_end_one_by_one() {
    let ends = Ends::default();
    // The second event is refused, and refused again.
    let partial = r#"{"ids":["a",""],"status":400,"error":"bad"}"#;
    let steps = [Step::answer(400, partial), Step::status(400), Step::Accept];
    let client = ends.listen(Script::new(steps).builder().max_event_bytes(1_000));
    let views = [3, 3, 3, 9_000].map(|len| ItemViewed { number: 1, note: "x".repeat(len) });
    client.send_all(views).await.expect_err("two bad events");
    assert_eq!(
        ends.take(),
        ["a", "rejected", "id-0", "rejected here"].map(|end| format!("item.viewed: {end}"))
    );

    let carts = ["c1", "", "c2"].map(CheckoutCompleted::of);
    client.send_all(&carts).await.expect_err("a blank id");
    let mut told = ends.take();
    told.sort();
    // Two requests: what follows a gap in the places travels apart.
    assert_eq!(
        told,
        ["id-0", "id-0", "rejected here"].map(|end| format!("cart.checkout.completed: {end}"))
    );

    let batch = Batch::try_from_iter(ItemViewed::many(1)).expect("a batch");
    client.send_batch(&batch).await.expect("an id");
    assert_eq!(ends.take(), ["item.viewed: id-0"]);
}

#[tokio::test(start_paused = true)]
async fn a_published_event_ends_when_it_is_delivered_fails_or_is_left_over() {
    let ends = Ends::default();
    let steps = [Step::status(503), Step::status(503), Step::Accept, Step::answer(200, "<html>")];
    let script = Script::new(steps);
    let client = ends.listen(script.builder());
    let publisher = client.publisher().start();
    let receipt = publisher.publish(&ItemViewed::number(1)).await.expect("room");
    receipt.delivered().await.expect("an id, in the end");
    assert_eq!(ends.take(), ["item.viewed: id-0"], "before its receipt says so");
    let receipt = publisher.publish(&ItemViewed::number(1)).await.expect("room");
    receipt.delivered().await.expect_err("HTML");
    assert_eq!(ends.take(), ["item.viewed: unsent: invalid_response"]);
    publisher.publish(CheckoutCompleted::of("")).await.expect_err("a blank id");
    assert_eq!(ends.take(), ["cart.checkout.completed: rejected here"]);

    let client = ends.listen(Script::new(vec![Step::Hang; 9]).builder());
    let publisher = client.publisher().max_queued_events(2).start();
    drop(publisher.publish_all(ItemViewed::many(2)).await);
    publisher.try_publish(ItemViewed::number(3)).expect_err("a full queue");
    assert!(ends.take().is_empty(), "an event given back has not begun");
    assert_eq!(publisher.close(SECOND).await.undelivered.len(), 2);
    assert_eq!(ends.take(), ["item.viewed: unsent: closed"; 2]);
    let publisher = client.publisher().start();
    drop(publisher.publish(ItemViewed::number(1)).await.expect("room"));
    drop(publisher);
    assert_eq!(ends.take(), ["item.viewed: unsent: closed"]);
}

#[tokio::test(start_paused = true)]
async fn a_hook_may_publish() {
    let script = Script::new([]);
    let other = script.client().publisher().start();
    let inner = other.clone();
    let builder = script.builder().after_send(move |_| {
        drop(inner.try_publish(CheckoutCompleted::of("told")).expect("room"));
    });
    let publisher = builder.build().expect("a client").publisher().start();
    drop(publisher.publish(ItemViewed::number(1)).await.expect("room"));
    publisher.flush(SECOND).await.expect("all sent");
    other.flush(SECOND).await.expect("all sent");
    assert_eq!(other.stats().delivered, 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_after_sending_breaks_nothing() {
    let script = Script::new([]);
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let builder = script.builder().after_send(|_| panic!("a hook's own affair"));
    let builder = builder.after_send(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let client = builder.build().expect("a client");
    client.send(&ItemViewed::number(1)).await.expect("an id");
    client.send_all(ItemViewed::many(3)).await.expect("ids");
    let publisher = client.publisher().start();
    for _ in 0..2 {
        let receipt = publisher.publish(&ItemViewed::number(1)).await.expect("room");
        receipt.delivered().await.expect("an id");
    }
    assert_eq!(calls.load(Ordering::Relaxed), 6);
}

#[tokio::test(start_paused = true)]
async fn a_panic_before_sending_is_the_callers_and_nothing_is_sent() {
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
    // Both go on.
    client.send(CheckoutCompleted::of("c1")).await.expect("an id");
    let receipt = publisher.publish(CheckoutCompleted::of("c2")).await.expect("room");
    receipt.delivered().await.expect("an id");
    assert_eq!(script.seen().len(), 2);
}
