//! What a relay does if the database fails, and its gauges.

use inngest_core::outbox::RelayError;
use inngest_core::testing::outbox_store::{StoreCall, StoreFault};
use inngest_tests::{Judge, Ruling};
use metrics::Unit;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use tokio::time::sleep;

use crate::{MINUTE, SECOND, Shop};

#[tokio::test(start_paused = true)]
async fn a_settlement_is_retried_and_the_events_are_not_sent_again_meanwhile() {
    let (shop, script) = Shop::scripted([]);
    shop.store.fail_by(|call| (call == StoreCall::Settle).then_some(StoreFault::FailBefore));
    shop.enqueue(0..3);
    let relay = shop.start().await;
    sleep(SECOND * 20).await;
    shop.store.heal();
    shop.settled(MINUTE).await;
    assert_eq!(script.requests().len(), 1);
    assert_eq!(relay.close(SECOND).await.delivered, 3);
}

#[tokio::test(start_paused = true)]
async fn a_database_that_never_answers_does_not_block_the_relay_for_good() {
    for call in [StoreCall::Claim, StoreCall::Renew, StoreCall::Settle] {
        for fault in [StoreFault::HangBefore, StoreFault::HangAfter] {
            let judge = Judge::new(|_| Ruling::Accept);
            let shop = Shop::judged(&judge);
            shop.store.fail_next(call, fault);
            shop.enqueue(0..3);
            let relay = shop.relay().in_flight(1).start().await.expect("a relay");
            shop.settled(MINUTE * 5).await;
            shop.enqueue(3..4);
            shop.settled(MINUTE * 5).await;
            assert_eq!(judge.accepted().len(), 4);
            judge.assert_identities();
            drop(relay);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn starting_fails_if_the_database_never_answers() {
    let (shop, _script) = Shop::scripted([]);
    for _ in 0..2 {
        shop.store.fail_next(StoreCall::SchemaVersion, StoreFault::HangBefore);
    }
    let error = tokio::time::timeout(MINUTE, shop.relay().start()).await.expect("it returns");
    let error = error.expect_err("no answer").to_string();
    assert!(error.contains("no connection to the database"), "{error}");
    let drained = tokio::time::timeout(MINUTE, shop.relay().drain()).await.expect("it returns");
    assert!(drained.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_slow_database_loses_nothing() {
    let judge = Judge::new(|_| Ruling::Accept);
    let shop = Shop::judged(&judge);
    shop.store.fail_by(|_| Some(StoreFault::Slow(SECOND * 3)));
    shop.enqueue(0..10);
    let relay = shop.relay().batch_events(3).start().await.expect("a relay");
    shop.settled(MINUTE * 5).await;
    assert_eq!(judge.requests().len(), 4);
    judge.assert_identities();
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn tables_of_another_version_are_an_error_that_says_what_to_do() {
    for (version, advice) in [(0, "call `migrate`"), (2, "update inngest-core")] {
        let (shop, _script) = Shop::scripted([]);
        shop.store.set_schema_version(version);
        let error = shop.relay().start().await.expect_err("another version");
        assert!(matches!(error, RelayError::Schema { found, needed: 1 } if found == version));
        assert!(error.to_string().contains(advice), "{error}");
        assert!(shop.relay().drain().await.is_err());
    }
}

#[test]
fn gauges_show_the_events_in_the_outbox() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let gauges = || {
        let mut gauges: Vec<(String, Option<Unit>, f64)> = Vec::new();
        for (key, unit, _, value) in snapshotter.snapshot().into_vec() {
            if let (DebugValue::Gauge(value), true) =
                (value, key.key().name().starts_with("inngest.outbox"))
            {
                gauges.push((
                    key.key().name().trim_start_matches("inngest.outbox.").to_owned(),
                    unit,
                    value.0,
                ));
            }
        }
        gauges.sort_by(|one, other| one.0.cmp(&other.0));
        gauges
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    metrics::with_local_recorder(&recorder, || {
        runtime.expect("a runtime").block_on(async {
            let judge = Judge::new(|request| {
                let is_bad = request.numbers == [0];
                if is_bad { Ruling::StopAt(0) } else { Ruling::Respond(401, "{}") }
            });
            let shop = Shop::judged(&judge);
            shop.enqueue(0..1);
            shop.relay().drain().await.expect("a report");
            shop.enqueue(1..4);
            let relay = shop.relay().batch_events(2).start().await.expect("a relay");
            sleep(SECOND * 16).await;
            let gauges = gauges();
            let [
                (dead, Some(Unit::Count), 1.0),
                (age, Some(Unit::Seconds), seconds),
                (pending, Some(Unit::Count), 3.0),
            ] = &*gauges
            else {
                panic!("{gauges:?}");
            };
            assert_eq!(
                (&**dead, &**age, &**pending),
                ("dead.events", "oldest.age", "pending.events")
            );
            // Measured with the real clock, which does not run in this test.
            assert!((0.0..60.0).contains(seconds), "{seconds}");
            drop(relay);
        });
    });
}
