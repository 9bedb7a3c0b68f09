//! `close` sends what is in flight, releases the rest, and returns by its deadline.

use std::time::Duration;

use inngest_core::testing::outbox_store::{StoreCall, StoreFault};
use inngest_tests::{Script, Step};
use tokio::time::{Instant, sleep};

use crate::{HOUR, MINUTE, SECOND, Shop};

#[tokio::test(start_paused = true)]
async fn closing_waits_for_the_requests_in_flight() {
    let (shop, script) = Shop::scripted([Step::AcceptAfter(SECOND * 3)]);
    shop.enqueue(0..3);
    let relay = shop.start().await;
    sleep(SECOND).await;
    shop.enqueue(3..5);
    let started = Instant::now();
    let report = relay.close(MINUTE).await;
    assert_eq!(started.elapsed().as_secs(), 2);
    assert_eq!((report.delivered, report.left, report.released), (3, 0, 0));
    assert_eq!(script.requests().len(), 1, "it claims nothing more");
    assert_eq!(shop.store.pending().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn closing_cancels_requests_at_its_deadline_and_releases_their_events() {
    let (shop, script) = Shop::scripted([Step::Hang, Step::Hang]);
    shop.enqueue(0..4);
    let relay = shop.relay().batch_events(2).start().await.expect("a relay");
    sleep(SECOND).await;
    let started = Instant::now();
    let report = relay.close(SECOND * 10).await;
    assert!(started.elapsed() <= SECOND * 10, "{:?}", started.elapsed());
    assert_eq!((report.delivered, report.left, report.released), (0, 4, 0));
    for batch in shop.store.batches() {
        assert!(!batch.is_leased && batch.due_in.is_zero(), "{batch:?}");
        assert!(batch.ambiguous_for.is_some(), "the server may have accepted it");
        assert_eq!(batch.crashes, 0);
    }
    let relay = shop.start().await;
    shop.settled(SECOND * 2).await;
    assert_eq!(script.requests().len(), 4);
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_was_claimed_while_the_relay_closed_is_released_without_an_attempt() {
    let (shop, script) = Shop::scripted([]);
    shop.store.fail_next(StoreCall::Claim, StoreFault::Slow(SECOND));
    shop.enqueue(0..3);
    let relay = shop.start().await;
    sleep(SECOND / 2).await;
    let report = relay.close(MINUTE).await;
    assert_eq!((report.delivered, report.left, report.released), (0, 0, 3));
    assert_eq!(script.requests().len(), 0);
    let batch = shop.batch();
    assert_eq!((batch.is_leased, batch.due_in, batch.attempts), (false, Duration::ZERO, 0));
    assert_eq!(batch.ambiguous_for, None, "nothing was sent");
}

#[tokio::test(start_paused = true)]
async fn closing_returns_by_its_deadline_even_if_the_database_hangs() {
    for call in [StoreCall::Claim, StoreCall::Settle] {
        for within in [Duration::ZERO, SECOND / 1000, SECOND * 5] {
            let (shop, _script) = Shop::scripted([Step::AcceptAfter(SECOND)]);
            shop.enqueue(0..3);
            shop.store.fail_next(call, StoreFault::HangAfter);
            let relay = shop.start().await;
            sleep(SECOND * 2).await;
            let started = Instant::now();
            let report = relay.close(within).await;
            assert!(started.elapsed() <= within + SECOND / 1000, "{:?}", started.elapsed());
            let counted = report.delivered + report.left + report.released;
            assert!(counted <= 3, "each event is counted once: {report:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_is_counted_once_if_the_database_hangs_while_the_relay_closes() {
    // Claimed and not sent.
    let (shop, _script) = Shop::scripted([]);
    shop.enqueue(0..3);
    shop.store.fail_next(StoreCall::Claim, StoreFault::Slow(SECOND));
    shop.store.fail_next(StoreCall::Settle, StoreFault::HangBefore);
    let relay = shop.start().await;
    sleep(SECOND / 2).await;
    let report = relay.close(SECOND * 5).await;
    assert_eq!((report.released, report.left), (0, 3), "they are reserved until the lease ends");

    // Sent and failed.
    let (shop, _script) = Shop::scripted([Step::status(503)]);
    shop.enqueue(0..3);
    shop.store.fail_next(StoreCall::Settle, StoreFault::HangBefore);
    let relay = shop.start().await;
    sleep(SECOND / 2).await;
    let report = relay.close(SECOND * 5).await;
    assert_eq!((report.released, report.left), (0, 3));
}

#[tokio::test(start_paused = true)]
async fn an_idle_relay_closes_at_once() {
    let (shop, _script) = Shop::scripted([]);
    let relay = shop.relay().poll(HOUR..=HOUR).start().await.expect("a relay");
    sleep(SECOND).await;
    let started = Instant::now();
    relay.close(Duration::MAX).await;
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_relay_closes_at_once() {
    // Stalled, paused by the server, or without a database.
    for step in [Step::status(401), Step::retry_after(503, "3000")] {
        let (shop, _script) = Shop::scripted([step]);
        shop.enqueue(0..3);
        let relay = shop.start().await;
        sleep(SECOND / 2).await;
        let started = Instant::now();
        relay.close(MINUTE).await;
        assert_eq!(started.elapsed(), Duration::ZERO);
    }
    let (shop, _script) = Shop::scripted([]);
    let relay = shop.start().await;
    shop.store.fail_by(|_| Some(StoreFault::FailBefore));
    sleep(HOUR).await;
    let started = Instant::now();
    relay.close(MINUTE).await;
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_relay_cancels_its_requests() {
    let script = Script::new([Step::Hang]);
    let shop = Shop::new(script.client());
    shop.enqueue(0..1);
    let relay = shop.start().await;
    sleep(SECOND).await;
    drop(relay);
    shop.enqueue(1..2);
    sleep(MINUTE).await;
    assert_eq!(script.requests().len(), 1);
    let history = shop.store.history().len();
    sleep(MINUTE).await;
    assert_eq!(shop.store.history().len(), history, "nothing calls the database any more");
}
