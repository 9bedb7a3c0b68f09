//! Events of committed transactions are sent, as they were enqueued.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use inngest_core::outbox::{EnqueueError, Outbox, sql};
use inngest_core::testing::EventApi;
use inngest_core::{Client, Event, EventError};
use inngest_tests::{AccountLinked, CheckoutCompleted, ItemViewed};

use crate::fixture::{Shop, counts, number};
use inngest_tests::postgres::sqlx::{self, Acquire, PgConnection};

#[tokio::test]
async fn an_event_is_sent_if_its_transaction_is_committed() {
    let Some(shop) = Shop::open().await else { return };
    shop.sql("CREATE TABLE orders (id integer PRIMARY KEY)").await;
    for number in 0..6_u8 {
        let mut tx = shop.pool.begin().await.expect("a transaction");
        let insert = sqlx::query("INSERT INTO orders (id) VALUES ($1)").bind(i32::from(number));
        insert.execute(&mut *tx).await.expect("a row");
        let view = ItemViewed::number(number.into());
        shop.outbox.enqueue(&mut *tx, view).await.expect("a row");
        if number % 2 == 0 {
            tx.commit().await.expect("a commit");
        } else {
            tx.rollback().await.expect("a rollback");
        }
        shop.drain().await;
    }
    shop.assert_delivered([0, 2, 4]);
    assert_eq!(shop.number("SELECT count(*) FROM orders").await, 3);
    assert_eq!(shop.waiting().await, 0);
}

#[tokio::test]
async fn an_event_is_enqueued_in_a_transaction_a_savepoint_and_a_function_of_either() {
    async fn place(outbox: &Outbox, connection: &mut PgConnection, number: u32) {
        outbox.enqueue(connection, ItemViewed::number(number)).await.expect("a row");
        outbox.enqueue(&mut *connection, ItemViewed::number(number + 1)).await.expect("a row");
    }
    let Some(shop) = Shop::open().await else { return };
    let outbox = &shop.outbox;
    let mut tx = shop.pool.begin().await.expect("a transaction");
    outbox.enqueue(&mut tx, ItemViewed::number(0)).await.expect("a row");
    outbox.enqueue(&mut *tx, ItemViewed::number(1)).await.expect("a row");
    place(outbox, &mut tx, 2).await;
    let mut savepoint = tx.begin().await.expect("a savepoint");
    outbox.enqueue(&mut savepoint, ItemViewed::number(4)).await.expect("a row");
    savepoint.commit().await.expect("a savepoint");
    let mut savepoint = tx.begin().await.expect("a savepoint");
    outbox.enqueue(&mut savepoint, ItemViewed::number(5)).await.expect("a row");
    savepoint.rollback().await.expect("a savepoint");
    assert_eq!(counts(shop.drain().await), [0; 4], "the transaction is open");
    tx.commit().await.expect("a commit");
    assert_eq!(counts(shop.drain().await), [5, 0, 0, 0]);
    shop.assert_delivered(0..5);
}

#[tokio::test]
async fn a_connection_without_a_transaction_commits_the_event_by_itself() {
    let Some(shop) = Shop::open().await else { return };
    let mut connection = shop.pool.acquire().await.expect("a connection");
    shop.outbox.enqueue(&mut *connection, ItemViewed::number(7)).await.expect("a row");
    assert_eq!(counts(shop.drain().await), [1, 0, 0, 0]);
    shop.assert_delivered([7]);
}

#[tokio::test]
async fn the_event_is_serialized_in_the_call_and_the_future_borrows_the_transaction_only() {
    let Some(shop) = Shop::open().await else { return };
    let mut tx = shop.pool.begin().await.expect("a transaction");
    let enqueuing = {
        let (outbox, view) = (shop.outbox.clone(), ItemViewed::number(1));
        outbox.enqueue(&mut tx, &view)
    };
    // A task needs a future that is `Send`.
    fn sendable<T: Send>(value: T) -> T {
        value
    }
    sendable(enqueuing).await.expect("a row");
    drop(shop.outbox.enqueue(&mut tx, ItemViewed::number(2)));
    tx.commit().await.expect("a commit");
    shop.drain().await;
    shop.assert_delivered([1]);
}

#[tokio::test]
async fn many_events_are_written_with_one_statement_in_their_order() {
    let Some(shop) = Shop::open().await else { return };
    let mut tx = shop.pool.begin().await.expect("a transaction");
    shop.outbox.enqueue_all(&mut tx, ItemViewed::many(700)).await.expect("rows");
    shop.outbox.enqueue_all(&mut *tx, ItemViewed::many(0)).await.expect("rows");
    tx.commit().await.expect("a commit");
    let xid = "SELECT count(DISTINCT (xmin::text, cmin::text)) FROM inngest_outbox";
    assert_eq!(shop.number(xid).await, 1, "the number of statements");
    let relay = shop.relay().in_flight(1).batch_events(100);
    assert_eq!(counts(relay.drain().await.expect("a database")), [700, 0, 0, 0]);
    let sent: Vec<u32> = shop.api.events().iter().map(number).collect();
    assert_eq!(sent, (0..700).collect::<Vec<_>>());
    assert_eq!(shop.api.requests().len(), 7);
}

#[tokio::test]
async fn an_invalid_event_is_an_error_before_the_database_is_called() {
    let Some(shop) = Shop::open().await else { return };
    let mut tx = shop.pool.begin().await.expect("a transaction");
    let linked = |account| AccountLinked { account };
    let error = shop.outbox.enqueue(&mut tx, linked(i128::MAX)).await.expect_err("too large");
    assert!(matches!(error, EnqueueError::Event(EventError::UnsafeInteger { .. })), "{error}");
    let several = [linked(1), linked(i128::MAX), linked(2)];
    let error = shop.outbox.enqueue_all(&mut tx, &several).await.expect_err("too large");
    assert!(matches!(error, EnqueueError::Event(_)), "{error}");
    // The transaction goes on, without any of the events.
    shop.outbox.enqueue(&mut tx, ItemViewed::number(3)).await.expect("a row");
    tx.commit().await.expect("a commit");
    assert_eq!(shop.waiting().await, 1);
}

#[tokio::test]
async fn an_error_of_the_database_is_the_one_of_the_driver() {
    let Some(shop) = Shop::open().await else { return };
    shop.sql("DROP TABLE inngest_outbox").await;
    let mut tx = shop.pool.begin().await.expect("a transaction");
    let enqueued = shop.outbox.enqueue(&mut tx, ItemViewed::number(1)).await;
    let EnqueueError::Database(error) = enqueued.expect_err("no table") else {
        panic!("not an error of the database");
    };
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    assert_eq!(code.as_deref(), Some("42P01"));
}

#[tokio::test]
async fn an_event_arrives_as_it_was_enqueued() {
    let (client, recorder) = Client::recorder();
    let Some(shop) = Shop::open().await else { return };
    let outbox = Outbox::for_client(&client);
    let before = SystemTime::now();
    let mut db = shop.pool.acquire().await.expect("a connection");
    let checkout = CheckoutCompleted::of("c1");
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    outbox.enqueue(&mut *db, &checkout).await.expect("a row");
    let with_envelope = Event::new(&checkout).at(time).session("chat", "c1");
    outbox.enqueue(&mut *db, with_envelope).await.expect("a row");
    let after = SystemTime::now();
    tokio::time::sleep(Duration::from_millis(5)).await;

    let report = outbox.relay(&client, inngest_core::outbox::PostgresStore::new(&shop.pool));
    assert_eq!(counts(report.drain().await.expect("a database")), [2, 0, 0, 0]);
    let sent = recorder.all::<CheckoutCompleted>();
    assert_eq!(sent.len(), 2);
    assert!(sent.iter().all(|event| event.data == checkout));
    let enqueued_at = sent[0].time().expect("the time of the enqueue");
    let millisecond = Duration::from_millis(1);
    assert!(enqueued_at + millisecond >= before && enqueued_at <= after + millisecond);
    assert_eq!(sent[1].time(), Some(time));
    assert_eq!(recorder.events()[1].dedup_id.as_deref(), Some("cart-checkout-completed-c1"));
}

#[tokio::test]
async fn the_trace_context_of_the_caller_is_sent_if_all_events_of_a_batch_agree() {
    const FIRST: &str = "00-11111111111111111111111111111111-2222222222222222-01";
    let current = Arc::new(Mutex::new(FIRST.to_owned()));
    let trace = Arc::clone(&current);
    let configure = |builder: inngest_core::ClientBuilder| {
        builder.trace_context(move || Some(trace.lock().expect("no panic").clone()))
    };
    let Some(shop) = Shop::with(configure).await else { return };
    shop.enqueue(0..3).await;
    shop.drain().await;
    shop.enqueue([3]).await;
    *current.lock().expect("no panic") = FIRST.replace('1', "3");
    shop.enqueue([4]).await;
    shop.drain().await;
    let requests = shop.api.requests();
    let headers: Vec<_> = requests.iter().map(|request| request.header("traceparent")).collect();
    assert_eq!(headers, [Some(FIRST), None]);
    shop.assert_delivered(0..5);
}

#[tokio::test]
async fn the_statement_for_other_drivers_writes_a_prepared_event() {
    let Some(shop) = Shop::open().await else { return };
    let event = Outbox::new().prepare(ItemViewed::number(4)).expect("an event");
    let insert = sqlx::query(sql::postgres::INSERT).bind(event.name()).bind(event.body());
    insert.bind(event.traceparent()).execute(&shop.pool).await.expect("a row");
    assert_eq!(counts(shop.drain().await), [1, 0, 0, 0]);
    shop.assert_delivered([4]);
}

#[tokio::test]
async fn requests_are_cut_at_the_clients_limits_and_a_larger_event_goes_alone() {
    let configure = |builder: inngest_core::ClientBuilder| builder.max_request_bytes(2_000);
    let Some(shop) = Shop::with(configure).await else { return };
    let view = |number, bytes| ItemViewed { number, note: "x".repeat(bytes) };
    let sizes = [300, 300, 300, 5_000, 5_000, 300, 1_700, 300, 300];
    let views: Vec<_> = (0..).zip(sizes).map(|(number, bytes)| view(number, bytes)).collect();
    let mut db = shop.pool.acquire().await.expect("a connection");
    shop.outbox.enqueue_all(&mut *db, &views).await.expect("rows");
    assert_eq!(counts(shop.drain().await), [9, 0, 0, 0]);
    shop.assert_delivered(0..9);
    let requests: Vec<(usize, usize)> = shop.api.requests().iter().map(request_size).collect();
    let alone = |events: usize| events == 1;
    assert!(
        requests.iter().all(|(events, bytes)| alone(*events) || *bytes <= 2_000),
        "{requests:?}"
    );
    assert_eq!(requests.iter().filter(|(_, bytes)| *bytes > 5_000).count(), 2);
    let mut events: Vec<usize> = requests.iter().map(|(events, _)| *events).collect();
    events.sort_unstable();
    assert_eq!(events, [1, 1, 1, 1, 2, 3], "the requests are as large as allowed");
}

/// Returns the number of events and of bytes.
fn request_size(request: &inngest_core::testing::ReceivedRequest) -> (usize, usize) {
    let events = request.json().expect("JSON").as_array().map_or(1, Vec::len);
    (events, request.body.len())
}

#[tokio::test]
async fn an_outbox_without_a_client_needs_no_key() {
    let Some(shop) = Shop::open().await else { return };
    let mut db = shop.pool.acquire().await.expect("a connection");
    Outbox::new().enqueue(&mut *db, ItemViewed::number(8)).await.expect("a row");
    let api = EventApi::start().await;
    let outbox = Outbox::new();
    let store = inngest_core::outbox::PostgresStore::new(shop.pool.clone());
    let report = outbox.relay(&api.client(), store).drain().await.expect("a database");
    assert_eq!(counts(report), [1, 0, 0, 0]);
    assert_eq!(api.events().len(), 1);
}
