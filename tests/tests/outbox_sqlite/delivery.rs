//! Events of committed transactions are sent, as they were enqueued.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use inngest_core::outbox::{Outbox, SqliteStore};
use inngest_core::testing::{EventApi, Fault};
use inngest_core::{Client, Event};
use inngest_tests::{CheckoutCompleted, ItemViewed};
use rusqlite::TransactionBehavior;

use crate::fixture::{Shop, counts};

#[tokio::test]
async fn an_event_is_sent_if_its_transaction_is_committed() {
    let shop = Shop::open().await;
    let mut db = shop.db();
    db.execute_batch("CREATE TABLE orders (id INTEGER PRIMARY KEY) STRICT").expect("a table");
    for number in 0..6 {
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).expect("a lock");
        tx.execute("INSERT INTO orders (id) VALUES (?1)", [number]).expect("a row");
        shop.outbox.enqueue_sqlite(&tx, ItemViewed::number(number)).expect("a row");
        if number % 2 == 0 {
            tx.commit().expect("a commit");
        } else {
            tx.rollback().expect("a rollback");
        }
        shop.drain().await;
    }
    shop.assert_delivered([0, 2, 4]);
    assert_eq!(shop.number("SELECT count(*) FROM orders"), 3);
    assert_eq!(shop.number("SELECT count(*) FROM inngest_outbox"), 0);
    assert_eq!(shop.number("SELECT count(*) FROM inngest_outbox_batch"), 0);
}

#[tokio::test]
async fn a_drain_sends_nothing_of_a_transaction_that_is_still_open() {
    let shop = Shop::open().await;
    shop.enqueue([1]);
    let mut db = shop.db();
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).expect("a lock");
    shop.outbox.enqueue_sqlite(&tx, ItemViewed::number(2)).expect("a row");
    let connection = shop.db();
    connection.busy_timeout(Duration::from_millis(10)).expect("a timeout");
    let impatient = SqliteStore::from_connection(connection);
    let error = shop.outbox.relay(&shop.client, impatient).drain().await.expect_err("a lock");
    assert!(error.to_string().contains("the database is locked"), "{error}");
    tx.commit().expect("a commit");
    assert_eq!(shop.drain().await.delivered, 2);
    shop.assert_delivered([1, 2]);
}

#[tokio::test]
async fn an_event_arrives_as_it_was_enqueued() {
    let (client, recorder) = Client::recorder();
    let shop = Shop::open().await;
    let outbox = Outbox::for_client(&client);
    let before = SystemTime::now();
    let db = shop.db();
    let checkout = CheckoutCompleted::of("c1");
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    outbox.enqueue_sqlite(&db, &checkout).expect("a row");
    let with_envelope = Event::new(&checkout).at(time).session("chat", "c1");
    outbox.enqueue_sqlite(&db, with_envelope).expect("a row");
    outbox.enqueue_sqlite(&db, ItemViewed::number(3)).expect("a row");
    let after = SystemTime::now();
    tokio::time::sleep(Duration::from_millis(5)).await;

    let report = outbox.relay(&client, shop.store()).drain().await.expect("a database");
    assert_eq!(counts(report), [3, 0, 0, 0]);
    let [first, second, third] = recorder.events().try_into().expect("three events");
    let decoded = first.decode::<CheckoutCompleted>().expect("a checkout");
    assert_eq!(decoded.data, checkout);
    assert_eq!(first.dedup_id.as_deref(), Some("cart-checkout-completed-c1"));
    assert_eq!(first.version.as_deref(), Some("2026-11-01.1"));
    let millis = |time: SystemTime| {
        let since_1970 = time.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        i64::try_from(since_1970.as_millis()).expect("a small number")
    };
    // The time of the enqueue, although the relay sent it later.
    assert!((millis(before)..=millis(after)).contains(&first.ts), "{}", first.ts);
    assert_eq!(second.ts, 1_700_000_000_123);
    assert_eq!(second.sessions.get("chat").map(String::as_str), Some("c1"));
    assert_eq!(third.decode::<ItemViewed>().expect("a view").data, ItemViewed::number(3));
}

#[tokio::test]
async fn a_row_is_stamped_with_the_time_of_its_insertion() {
    let shop = Shop::open().await;
    let now = || {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        i64::try_from(since_1970.expect("after 1970").as_millis()).expect("a small number")
    };
    let before = now();
    shop.enqueue([1]);
    let created_at = shop.number("SELECT created_at FROM inngest_outbox");
    // SQLite rounds to milliseconds.
    assert!((before - 1..=now() + 1).contains(&created_at), "{created_at} is not about {before}");
}

#[tokio::test]
async fn other_drivers_insert_with_the_public_statement() {
    use inngest_core::outbox::sql::sqlite::INSERT;

    let shop = Shop::open().await;
    let event = Outbox::new().prepare(ItemViewed::number(7)).expect("an event");
    let row = (event.name(), event.body(), event.traceparent());
    shop.db().execute(INSERT, row).expect("a row");
    assert_eq!(shop.drain().await.delivered, 1);
    shop.assert_delivered([7]);
}

#[tokio::test]
async fn many_events_are_sent_in_batches_within_the_limits_in_the_order_of_their_commits() {
    let shop = Shop::with(|builder| builder.max_request_bytes(4_000)).await;
    for start in 0..10 {
        shop.enqueue(start * 100..(start + 1) * 100);
    }
    let relay = shop.relay().batch_events(60).in_flight(1);
    let report = relay.drain().await.expect("a database");
    assert_eq!(counts(report), [1_000, 0, 0, 0]);
    shop.assert_delivered(0..1_000);
    let numbers = |event: &inngest_core::testing::StoredEvent| {
        event.decode::<ItemViewed>().expect("a view").data.number
    };
    let sent: Vec<u32> = shop.api.events().iter().map(numbers).collect();
    assert_eq!(sent, (0..1_000).collect::<Vec<_>>());
    for request in shop.api.requests() {
        assert!(request.body.len() <= 4_000, "a request of {} bytes", request.body.len());
        let events = request.json().expect("JSON").as_array().map_or(1, Vec::len);
        assert!((2..=60).contains(&events), "{events} events in a request");
    }
}

#[tokio::test]
async fn an_event_larger_than_a_request_travels_alone() {
    let shop = Shop::with(|builder| builder.max_request_bytes(2_000)).await;
    let db = shop.db();
    let large = ItemViewed { number: 1, note: "x".repeat(5_000) };
    for event in [ItemViewed::number(0), large, ItemViewed::number(2)] {
        shop.outbox.enqueue_sqlite(&db, event).expect("a row");
    }
    assert_eq!(shop.drain().await.delivered, 3);
    shop.assert_delivered(0..3);
    assert_eq!(shop.api.requests().len(), 3);
}

#[tokio::test]
async fn an_event_that_cannot_be_sent_is_not_enqueued() {
    use inngest_core::outbox::EnqueueError;

    let shop = Shop::with(|builder| builder.max_event_bytes(200)).await;
    let large = ItemViewed { number: 1, note: "x".repeat(500) };
    let error = shop.outbox.enqueue_sqlite(&shop.db(), large).expect_err("too large");
    assert!(matches!(error, EnqueueError::Event(_)), "{error}");
    assert_eq!(shop.number("SELECT count(*) FROM inngest_outbox"), 0);
}

#[tokio::test]
async fn hooks_before_sending_run_at_the_enqueue_and_hooks_after_sending_in_the_relay() {
    let log: Arc<Mutex<Vec<String>>> = Arc::default();
    let (before, after) = (Arc::clone(&log), Arc::clone(&log));
    let shop = Shop::with(|builder| {
        let builder = builder.before_send(move |name, envelope| {
            before.lock().expect("no panic").push(format!("before {name}"));
            envelope.session("tenant", "t1");
        });
        builder.after_send(move |report| {
            let outcome = report.outcome.error_type().unwrap_or("accepted");
            after.lock().expect("no panic").push(format!("{outcome} {}", report.name));
        })
    })
    .await;
    shop.api.fault_when_event(|event| {
        (event.data["number"] == 2).then(|| Fault::refuse("no such item"))
    });
    shop.enqueue([1, 2]);
    let name = "storefront/item.viewed";
    assert_eq!(*log.lock().expect("no panic"), vec![format!("before {name}"); 2]);
    log.lock().expect("no panic").clear();
    shop.drain().await;
    let mut outcomes = log.lock().expect("no panic").clone();
    outcomes.sort();
    assert_eq!(outcomes, [format!("accepted {name}"), format!("rejected {name}")]);
    assert_eq!(shop.api.events()[0].sessions.get("tenant").map(String::as_str), Some("t1"));
}

#[tokio::test]
async fn a_request_carries_the_trace_context_that_all_its_events_have() {
    let context: Arc<Mutex<Option<String>>> = Arc::default();
    let current = Arc::clone(&context);
    let shop = Shop::with(|builder| {
        builder.trace_context(move || current.lock().expect("no panic").clone())
    })
    .await;
    let parent = |span: u32| Some(format!("00-0af7651916cd43dd8448eb211c80319c-{span:016x}-01"));
    for contexts in [[parent(1), parent(1)], [parent(1), parent(2)], [parent(1), None]] {
        for (number, trace) in contexts.into_iter().enumerate() {
            *context.lock().expect("no panic") = trace;
            shop.enqueue([u32::try_from(number).expect("a small number")]);
        }
        // The context of the relay is another.
        *context.lock().expect("no panic") = parent(9);
        shop.drain().await;
    }
    let requests = shop.api.requests();
    let parents: Vec<_> =
        requests.iter().map(|request| request.header("traceparent").map(str::to_owned)).collect();
    assert_eq!(parents, [parent(1), None, None]);
}

#[tokio::test]
async fn a_producer_needs_no_client_and_no_key() {
    let shop = Shop::open().await;
    Outbox::new().enqueue_sqlite(&shop.db(), ItemViewed::number(4)).expect("a row");
    let other = EventApi::start().await;
    let client = other.client();
    let relay = Outbox::for_client(&client).relay(&client, shop.store());
    assert_eq!(relay.drain().await.expect("a database").delivered, 1);
    assert_eq!(other.events_of::<ItemViewed>().len(), 1);
}
