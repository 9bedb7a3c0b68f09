//! [`Recorder`]: what it records as sent, and how its expectations succeed and fail.

mod failing;
mod shop;
mod texts;
mod waiting;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::time::{Duration, SystemTime};

use inngest_core::testing::{EventApi, Recorder};
use inngest_core::{Batch, Client, Event, InngestEvent, RetryPolicy};
use inngest_tests::{AccountLinked, CheckoutCompleted, ItemViewed};
use serde::{Deserialize, Serialize};

thread_local! {
    static PANIC_LOCATION: Cell<Option<(String, u32)>> = const { Cell::new(None) };
}

/// Installs a panic hook that stores where a thread panics, then calls the previous hook.
fn watch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let location = panic.location();
            PANIC_LOCATION.set(location.map(|it| (it.file().to_owned(), it.line())));
            previous(panic);
        }));
    });
}

/// Returns the text of a failed expectation, which must have panicked in this file's directory.
fn failure<T>(expectation: impl FnOnce() -> T) -> String {
    watch_panics();
    let panic = catch_unwind(AssertUnwindSafe(expectation)).err().expect("a failed expectation");
    let (file, _) = PANIC_LOCATION.take().expect("a location");
    assert!(file.contains("tests/recorder"), "the panic is at {file}");
    panic_text(&*panic)
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref().cloned()).expect("a text")
}

#[tokio::test]
async fn an_event_is_returned_typed_with_its_envelope() {
    let (client, sent) = Client::recorder();
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    let event = Event::new(CheckoutCompleted::of("c1"));
    let event =
        event.at(time).session("visit", "v1").user(serde_json::json!({ "external_id": "u1" }));
    client.send(&event).await.expect("accepted");
    shop::view(&client, 7).await.expect("accepted");

    let checkout = sent.one::<CheckoutCompleted>();
    assert_eq!(checkout.data, CheckoutCompleted::of("c1"));
    assert_eq!(checkout.given_id(), Some("cart-checkout-completed-c1"));
    assert_eq!(checkout.given_version(), Some("2026-11-01.1"));
    assert_eq!(checkout.time(), Some(time));
    assert_eq!(checkout.sessions().collect::<Vec<_>>(), [("visit", "v1")]);
    assert_eq!(
        checkout.user_as::<serde_json::Value>().expect("a user").expect("JSON")["external_id"],
        "u1"
    );

    let view = sent.one::<ItemViewed>();
    assert_eq!((view.data.number, view.given_id(), view.time()), (7, None, None));
}

#[tokio::test]
async fn expectations_count_events_and_claim_them() {
    let (client, sent) = Client::recorder();
    sent.none::<ItemViewed>();
    sent.nothing_else();
    assert!(sent.all::<ItemViewed>().is_empty());

    shop::browse(&client, 3).await.expect("accepted");
    shop::check_out(&client, "c1").await.expect("accepted");
    sent.none::<AccountLinked>();
    sent.one::<CheckoutCompleted>();
    assert_eq!(sent.one::<CheckoutCompleted>().data.cart_id, "c1");
    failure(|| sent.nothing_else());
    let second = sent.one_matching(|view: &Event<ItemViewed>| view.data.number == 1);
    assert_eq!(second.data.number, 1);
    failure(|| sent.nothing_else());
    let others = sent.exactly(2).matching(|view: &Event<ItemViewed>| view.data.number != 1);
    assert_eq!(others.iter().map(|view| view.data.number).collect::<Vec<_>>(), [0, 2]);
    sent.nothing_else();

    let numbers = |views: Vec<Event<ItemViewed>>| {
        views.into_iter().map(|view| view.data.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(sent.all()), [0, 1, 2]);
    assert_eq!(numbers(sent.exactly(3).of()), [0, 1, 2]);
    sent.exactly(0).of::<AccountLinked>();
    sent.exactly(0).matching(|view: &Event<ItemViewed>| view.data.number > 2);

    shop::view(&client, 3).await.expect("accepted");
    failure(|| sent.nothing_else());
    sent.all::<ItemViewed>();
    sent.nothing_else();
}

#[tokio::test]
async fn a_failed_expectation_claims_nothing() {
    let (client, sent) = Client::recorder();
    shop::browse(&client, 2).await.expect("accepted");
    failure(|| sent.one::<ItemViewed>());
    failure(|| sent.exactly(3).of::<ItemViewed>());
    assert!(failure(|| sent.nothing_else()).contains("found 2 events"));
}

#[tokio::test(start_paused = true)]
async fn an_expectation_panics_at_the_line_that_calls_or_awaits_it() {
    watch_panics();
    let line = || PANIC_LOCATION.take().expect("a location").1;
    let (_, sent) = Client::recorder();
    let one = || sent.one::<ItemViewed>();
    catch_unwind(AssertUnwindSafe(one)).expect_err("nothing was sent");
    assert_eq!(line(), line!() - 2);

    let awaiting = async move { sent.within(Duration::from_secs(1)).one::<ItemViewed>().await };
    assert!(tokio::spawn(awaiting).await.is_err());
    assert_eq!(line(), line!() - 2);
}

#[tokio::test]
async fn only_the_fields_of_the_expected_event_are_compared() {
    let (client, sent) = Client::recorder();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    client
        .send(Event::new(&CheckoutCompleted::of("c1")).at(time).session("visit", "v1"))
        .await
        .expect("accepted");

    sent.one_like(CheckoutCompleted::of("c1"));
    sent.one_like(CheckoutCompleted::of("c1"));
    sent.one_like(Event::new(&CheckoutCompleted::of("c1")).at(time));
    sent.one_like(Event::new(CheckoutCompleted::of("c1")).session("visit", "v1"));
    sent.exactly(1).like(CheckoutCompleted::of("c1"));
    sent.exactly(0).like(CheckoutCompleted::of("c2"));
    sent.nothing_else();

    for unlike in [
        Event::new(CheckoutCompleted::of("c2")),
        Event::new(CheckoutCompleted::of("c1")).id("another"),
        Event::new(CheckoutCompleted::of("c1")).version("another"),
        Event::new(CheckoutCompleted::of("c1"))
            .at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000)),
        Event::new(CheckoutCompleted::of("c1")).session("visit", "v2"),
        Event::new(CheckoutCompleted::of("c1")).user(serde_json::json!({ "external_id": "u1" })),
    ] {
        failure(|| sent.one_like(&unlike));
    }
}

#[tokio::test]
async fn a_scope_has_only_the_events_sent_after_it_began() {
    let (client, sent) = Client::recorder();
    shop::view(&client, 1).await.expect("accepted");
    let later = sent.scope();
    later.none::<ItemViewed>();
    shop::view(&client, 2).await.expect("accepted");
    let last = later.scope();
    shop::view(&client, 3).await.expect("accepted");

    sent.exactly(3).of::<ItemViewed>();
    assert_eq!(last.one::<ItemViewed>().data.number, 3);
    later.exactly(2).of::<ItemViewed>();
    later.nothing_else();
    assert_eq!(later.scope().all::<ItemViewed>().len(), 0);
}

#[tokio::test]
async fn an_event_claimed_in_a_scope_is_claimed_outside_of_it() {
    let (client, sent) = Client::recorder();
    let scope = sent.scope();
    shop::view(&client, 1).await.expect("accepted");
    scope.one::<ItemViewed>();
    sent.nothing_else();
}

#[tokio::test]
async fn ids_are_the_same_as_from_the_event_api() {
    let (client, _) = Client::recorder();
    let api = EventApi::start().await;
    let batch = Batch::try_from_iter(ItemViewed::many(20)).expect("a batch");
    let recorded = client.send_batch(&batch).await.expect("accepted");
    let served = api.client().send_batch(&batch).await.expect("accepted");
    assert_eq!(recorded, served);
    assert_eq!(recorded.iter().collect::<BTreeSet<_>>().len(), 20);
}

#[tokio::test]
async fn the_client_applies_its_usual_checks() {
    let recorder = Recorder::new();
    let client = recorder.builder().max_event_bytes(500).build().expect("a client");
    let blank = client.send(CheckoutCompleted::of(" ")).await.expect_err("a blank id");
    assert!(blank.to_string().contains("`cart_id`"), "{blank}");
    let unsafe_integer = client.send(&AccountLinked { account: 1 << 53 }).await;
    assert!(unsafe_integer.expect_err("an unsafe integer").to_string().contains("data.account"));
    let large = ItemViewed { number: 1, note: "x".repeat(600) };
    let error = client.send_all([ItemViewed::number(0), large]).await.expect_err("one too large");
    assert_eq!(error.accepted().len(), 1);
    recorder.one_like(ItemViewed::number(0));
    recorder.nothing_else();
}

#[tokio::test]
async fn events_of_a_call_with_many_requests_keep_their_order() {
    let recorder = Recorder::new();
    let policy = RetryPolicy::default().initial_backoff(Duration::from_millis(1));
    let client = recorder.builder().max_request_events(10).max_in_flight(8).retry(policy);
    let client = client.build().expect("a client");
    // The first requests are retried, so later ones are accepted before them.
    recorder.fail_next_n(3, inngest_core::testing::Fault::status(503));
    shop::browse(&client, 500).await.expect("accepted");
    let numbers = recorder.all::<ItemViewed>().into_iter().map(|view| view.data.number);
    assert!(numbers.eq(0..500));
}

#[tokio::test]
async fn a_batch_sent_twice_is_recorded_once() {
    let (client, sent) = Client::recorder();
    let batch = shop::mixed().expect("a batch");
    let first = client.send_batch(&batch).await.expect("accepted");
    let second = client.send_batch(&batch).await.expect("accepted");
    assert_eq!(first, second);
    sent.one::<CheckoutCompleted>();
    sent.one::<ItemViewed>();
    sent.nothing_else();
}

#[test]
fn recorders_share_no_events() {
    let one_recorder = |thread: u32| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async move {
            let (client, sent) = Client::recorder();
            for number in 0..50 {
                shop::view(&client, thread * 1_000 + number).await.expect("accepted");
            }
            let views = sent.exactly(50).of::<ItemViewed>();
            assert!(views.iter().all(|view| view.data.number / 1_000 == thread));
        });
    };
    std::thread::scope(|scope| {
        for thread in 0..16 {
            scope.spawn(move || one_recorder(thread));
        }
    });
}

#[tokio::test]
async fn a_recorder_with_several_clients_and_tasks_has_every_event() {
    let sent = Recorder::new();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8 {
        let client = sent.builder().build().expect("a client");
        tasks.spawn(async move {
            for number in 0..20 {
                shop::view(&client, task * 100 + number).await.expect("accepted");
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(sent.all::<ItemViewed>().len(), 160);
    sent.nothing_else();
}

/// A payload without `Deserialize`.
#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/search.made")]
struct SearchMade<'a> {
    words: &'a str,
}

#[tokio::test]
async fn a_payload_without_deserialize_can_be_compared() {
    let (client, sent) = Client::recorder();
    client.send(SearchMade { words: "lamp" }).await.expect("accepted");
    sent.one_like(SearchMade { words: "lamp" });
    sent.nothing_else();
}

/// An event with the id of the event that caused it.
#[derive(Serialize, Deserialize, InngestEvent)]
#[inngest(name = "storefront/receipt.sent", id = "receipt-sent-{cause}")]
struct ReceiptSent {
    cause: String,
}

#[tokio::test]
async fn a_snapshot_is_the_same_in_every_run() {
    let (client, sent) = Client::recorder();
    let checkout = Event::new(CheckoutCompleted::of("c1")).at(SystemTime::now());
    let id = client.send(&checkout).await.expect("accepted");
    client.send(ReceiptSent { cause: id.to_string() }).await.expect("accepted");
    shop::view_in_session(&client, 1).await.expect("accepted");

    insta::assert_json_snapshot!("snapshot_as_json", sent.snapshot());
    insta::assert_snapshot!("snapshot_as_text", sent.snapshot());
    // A snapshot claims nothing.
    failure(|| sent.nothing_else());
}
