//! Running relays: wake-up, several on one file, closing, statistics.

use std::time::{Duration, SystemTime};

use inngest_core::testing::Fault;
use inngest_tests::ItemViewed;

use crate::fixture::{Shop, counts, until};

const HOUR: Duration = Duration::from_secs(60 * 60);

#[tokio::test]
async fn wake_ends_the_wait_of_an_idle_relay() {
    let shop = Shop::open().await;
    let relay = shop.relay().poll(HOUR..=HOUR).start().await.expect("a relay");
    for number in 0..5 {
        // The relay is idle, or is about to be: neither loses the wake-up.
        shop.enqueue([number]);
        shop.outbox.clone().wake();
        let index = usize::try_from(number).expect("a small number");
        let arrived = shop.api.wait_for_event(index);
        tokio::time::timeout(Duration::from_secs(20), arrived).await.expect("an event");
    }
    assert_eq!(counts(relay.close(Duration::from_secs(5)).await), [5, 0, 0, 0]);
}

#[tokio::test]
async fn a_relay_that_nobody_wakes_polls() {
    let shop = Shop::open().await;
    let relay = shop.relay().start().await.expect("a relay");
    for number in 0..3 {
        shop.enqueue([number]);
        shop.api.wait_for_event(usize::try_from(number).expect("a small number")).await;
    }
    relay.close(Duration::from_secs(5)).await;
    shop.assert_delivered(0..3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_relays_on_one_file_share_the_events() {
    let shop = Shop::open().await;
    shop.enqueue(0..1_000);
    let mut relays = Vec::new();
    for _ in 0..4 {
        relays.push(shop.relay().batch_events(10).start().await.expect("a relay"));
    }
    until("an empty outbox", || shop.number("SELECT count(*) FROM inngest_outbox") == 0).await;
    let mut delivered = 0;
    for relay in relays {
        delivered += relay.close(Duration::from_secs(10)).await.delivered;
    }
    assert_eq!(delivered, 1_000);
    assert_eq!(shop.api.events().len(), 1_000, "an event was sent twice");
    shop.assert_delivered(0..1_000);
}

#[tokio::test]
async fn close_waits_for_the_requests_in_flight() {
    let shop = Shop::open().await;
    shop.api.fail_next(Fault::delay(Duration::from_millis(200)));
    shop.enqueue(0..3);
    let relay = shop.relay().start().await.expect("a relay");
    until("a request", || !shop.api.requests().is_empty()).await;
    assert_eq!(counts(relay.close(Duration::from_secs(20)).await), [3, 0, 0, 0]);
    assert_eq!(shop.number("SELECT count(*) FROM inngest_outbox"), 0);
}

#[tokio::test]
async fn close_gives_up_a_request_at_its_deadline_and_releases_the_batch() {
    let shop = Shop::open().await;
    shop.api.fail_next(Fault::hang().after_accepting());
    shop.enqueue(0..3);
    let relay = shop.relay().start().await.expect("a relay");
    shop.api.wait_for_event(2).await;
    assert_eq!(counts(relay.close(Duration::from_secs(2)).await), [0, 0, 0, 3]);
    let row = "token IS NULL AND ambiguous_at IS NOT NULL";
    assert_eq!(shop.number(&format!("SELECT {row} FROM inngest_outbox_batch")), 1);
    // It is due at once, under the same ids.
    assert_eq!(counts(shop.drain().await), [3, 0, 0, 0]);
    assert_eq!(shop.api.events().len(), 6);
    shop.assert_delivered(0..3);
}

#[tokio::test]
async fn close_releases_a_batch_whose_claim_was_waiting_for_the_database() {
    let shop = Shop::open().await;
    let db = shop.db();
    for number in 0..40 {
        let relay = shop.relay().start().await.expect("a relay");
        db.execute_batch("BEGIN IMMEDIATE").expect("a lock");
        shop.outbox.enqueue_sqlite(&db, ItemViewed::number(number)).expect("a row");
        db.execute_batch("COMMIT; BEGIN IMMEDIATE").expect("a lock");
        shop.outbox.wake();
        // Usually, the claim waits for the lock now.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let closing = tokio::spawn(relay.close(Duration::from_secs(20)));
        tokio::time::sleep(Duration::from_millis(10)).await;
        db.execute_batch("COMMIT").expect("a commit");
        let report = closing.await.expect("no panic");
        let events = shop.number("SELECT count(*) FROM inngest_outbox");
        assert_eq!(u64::try_from(events).expect("a count"), 1 - report.delivered);
        if report.released == 1 {
            let row = "token IS NULL AND attempts = 0 AND ambiguous_at IS NULL";
            assert_eq!(shop.number(&format!("SELECT {row} FROM inngest_outbox_batch")), 1);
            // It is due at once.
            assert_eq!(counts(shop.drain().await), [1, 0, 0, 0]);
            shop.assert_delivered(0..=number);
            return;
        }
        shop.drain_all().await;
    }
    panic!("40 relays have released nothing");
}

#[tokio::test]
async fn stats_count_pending_sealed_leased_and_dead_events() {
    let shop = Shop::open().await;
    let before = SystemTime::now() - Duration::from_millis(2);
    // Two batches are in flight, and a third has failed.
    shop.api.fail_next(Fault::status(429).retry_after("3000"));
    shop.enqueue(0..10);
    shop.drain().await;
    shop.api.fail_next_n(2, Fault::hang());
    shop.enqueue(10..30);
    let relay = shop.relay().batch_events(10).in_flight(2).start().await.expect("a relay");
    until("two requests", || shop.api.requests().len() == 3).await;
    shop.enqueue(30..33);
    shop.sql(
        "INSERT INTO inngest_outbox_dead (name, body, created_at, reason, died_at)
         VALUES ('a', x'7b7d', 1, 'no', 2)",
    );
    let stats = relay.stats().await.expect("a database");
    assert_eq!((stats.pending, stats.sealed, stats.in_flight), (3, 30, 2), "{stats:?}");
    assert_eq!((stats.isolated, stats.dead, &stats.stalled), (0, 1, &None));
    let oldest = stats.oldest.expect("an event");
    assert!(oldest >= before && oldest <= SystemTime::now(), "{stats:?}");
    drop(relay);
    shop.sql("DELETE FROM inngest_outbox");
    shop.sql("DELETE FROM inngest_outbox_batch");
    let relay = shop.relay().start().await.expect("a relay");
    let stats = relay.stats().await.expect("a database");
    assert_eq!((stats.pending, stats.sealed, stats.in_flight), (0, 0, 0));
    assert_eq!(stats.oldest, None);
}

#[tokio::test]
async fn pending_events_are_counted_up_to_ten_thousand() {
    let shop = Shop::open().await;
    let relay = shop.relay().poll(HOUR..=HOUR).start().await.expect("a relay");
    // The relay looks once at its start.
    tokio::time::sleep(Duration::from_millis(100)).await;
    shop.sql(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10500)
         INSERT INTO inngest_outbox (name, body, created_at) SELECT 'a', x'7b7d', n FROM numbers",
    );
    let stats = relay.stats().await.expect("a database");
    assert_eq!(stats.pending, 10_000);
    assert_eq!(stats.oldest, Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1)));
}
