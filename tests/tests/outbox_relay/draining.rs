//! `drain` sends everything that is due, in one pass, without waiting.

use std::time::Duration;

use inngest_core::outbox::{RelayError, StoreError};
use inngest_core::testing::TransportFault;
use inngest_core::testing::outbox_store::{StoreCall, StoreFault};
use inngest_tests::{Judge, Ruling, Script, Step};
use tokio::time::{Instant, sleep};

use crate::{MINUTE, SECOND, Shop};

#[tokio::test(start_paused = true)]
async fn draining_delivers_all_pending_events_and_returns() {
    let (shop, script) = Shop::scripted([]);
    shop.enqueue(0..25);
    let started = Instant::now();
    let report = shop.relay().batch_events(10).drain().await.expect("a report");
    assert_eq!((report.delivered, report.dead, report.left, report.released), (25, 0, 0, 0));
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(script.requests().len(), 3);
    let empty = shop.relay().drain().await.expect("a report");
    assert_eq!(empty.delivered, 0);
}

#[tokio::test(start_paused = true)]
async fn draining_waits_for_requests_but_for_no_backoff_and_tries_each_batch_once() {
    for in_flight in [1, 4] {
        let steps = [Step::AcceptAfter(SECOND), Step::status(503), Step::AcceptAfter(SECOND)];
        let (shop, script) = Shop::scripted(steps);
        shop.enqueue(0..3);
        let started = Instant::now();
        let relay = shop.relay().batch_events(1).in_flight(in_flight);
        let report = relay.drain().await.expect("failed requests are no error");
        assert!(started.elapsed() <= SECOND * 2, "{:?}", started.elapsed());
        assert_eq!((report.delivered, report.left), (2, 1));
        assert_eq!(script.requests().len(), 3, "each batch once");
        assert!(!shop.batch().is_leased);

        // The next drain does not wait for the backoff.
        let report = shop.relay().drain().await.expect("a report");
        assert_eq!(report.delivered + report.left, u64::from(shop.store.open() == 0));
        sleep(SECOND).await;
        shop.relay().drain().await.expect("a report");
        assert_eq!(shop.store.open(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn draining_sends_batches_that_are_due_too() {
    let (shop, _script) = Shop::scripted(vec![Step::Hang; 4]);
    shop.enqueue(0..4);
    let relay = shop.relay().batch_events(1).start().await.expect("a relay");
    sleep(SECOND).await;
    relay.close(SECOND).await;
    shop.enqueue(4..6);
    let report = shop.relay().drain().await.expect("a report");
    assert_eq!(report.delivered, 6);
}

#[tokio::test(start_paused = true)]
async fn draining_ends_after_a_refused_key_a_retry_after_or_three_failures() {
    let page = Step::respond(200, "<html>a page</html>");
    let cases = [
        (vec![Step::status(401); 9], 1),
        (vec![Step::status(404); 9], 1),
        (vec![Step::retry_after(503, "1"); 9], 1),
        (vec![Step::status(503); 9], 3),
        (vec![Step::Fail(TransportFault::Connect); 9], 3),
        (vec![page; 9], 3),
    ];
    for (steps, requests) in cases {
        let (shop, script) = Shop::scripted(steps.clone());
        shop.enqueue(0..9);
        let started = Instant::now();
        let relay = shop.relay().batch_events(1).in_flight(1);
        let report = relay.drain().await.expect("failed requests are no error");
        assert_eq!(script.requests().len(), requests, "{:?}", steps[0]);
        assert_eq!(report.left, requests as u64);
        assert_eq!(started.elapsed(), Duration::ZERO);
        assert_eq!(shop.store.open(), 9);
    }
}

#[tokio::test(start_paused = true)]
async fn draining_does_not_wait_for_the_lease_of_another_relay() {
    let (shop, _script) = Shop::scripted([Step::Hang]);
    shop.enqueue(0..1);
    let relay = shop.start().await;
    sleep(SECOND * 3 / 2).await;
    shop.enqueue(1..2);
    let script = Script::new([]);
    let drain = shop.outbox.relay(&script.client(), shop.store.handle()).drain();
    let started = Instant::now();
    assert_eq!(drain.await.expect("a report").delivered, 1);
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert!(shop.batch().is_leased);
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn draining_halves_a_request_that_is_too_large_and_sends_the_halves() {
    for in_flight in [1, 4] {
        let judge = Judge::new(|request| {
            if request.numbers.len() > 3 { Ruling::Respond(413, "{}") } else { Ruling::Accept }
        });
        let shop = Shop::judged(&judge);
        shop.enqueue(0..50);
        let relay = shop.relay().in_flight(in_flight);
        let report = relay.drain().await.expect("a report");
        assert_eq!((report.delivered, report.left), (50, 0));
        judge.assert_identities();
    }
}

#[tokio::test(start_paused = true)]
async fn halves_that_a_drain_does_not_try_are_left() {
    let steps = [Step::status(413), Step::status(413), Step::status(401)];
    let (shop, script) = Shop::scripted(steps);
    shop.enqueue(0..9);
    let report = shop.relay().in_flight(1).drain().await.expect("a report");
    assert_eq!((report.delivered, report.left), (0, 9));
    assert_eq!(shop.store.open(), 9);
    assert_eq!(script.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn draining_tries_the_new_events_although_every_older_batch_fails() {
    let judge = Judge::new(|request| {
        let is_old = request.numbers.iter().any(|number| *number < 2);
        if is_old { Ruling::Respond(503, "{}") } else { Ruling::Accept }
    });
    let shop = Shop::judged(&judge);
    shop.enqueue(0..2);
    let report = shop.relay().batch_events(1).drain().await.expect("a report");
    assert_eq!((report.delivered, report.left), (0, 2));
    shop.enqueue(2..12);
    sleep(SECOND).await;
    let report = shop.relay().batch_events(1).drain().await.expect("a report");
    assert_eq!((report.delivered, report.left), (10, 2));
}

#[tokio::test(start_paused = true)]
async fn draining_returns_an_error_of_the_database() {
    for call in [StoreCall::SchemaVersion, StoreCall::Claim, StoreCall::Settle] {
        let (shop, _script) = Shop::scripted([]);
        shop.enqueue(0..3);
        shop.store.fail_next(call, StoreFault::FailBefore);
        let started = Instant::now();
        let error = shop.relay().drain().await.expect_err("the database failed");
        assert!(matches!(error, RelayError::Store(StoreError::Connection(_))), "{error:?}");
        assert_eq!(started.elapsed(), Duration::ZERO);
        sleep(MINUTE).await;
        let delivered = shop.relay().drain().await.expect("a report").delivered;
        assert_eq!(delivered, 3, "nothing is lost");
    }
}
