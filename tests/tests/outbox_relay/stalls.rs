//! A relay stalls if the key is refused or the responses are invalid: it keeps every event and probes.

use inngest_core::RetryPolicy;
use inngest_core::testing::TransportFault;
use inngest_tests::{Judge, Ruling, Script, Step};
use tokio::time::sleep;

use crate::{HOUR, MINUTE, SECOND, Shop, seconds_between};

#[tokio::test(start_paused = true)]
async fn a_refused_key_stalls_the_relay_at_once_and_is_probed_after_1_2_4_up_to_60_seconds() {
    for status in [401, 404] {
        let (shop, script) = Shop::scripted(vec![Step::status(status); 9]);
        shop.enqueue(0..3);
        let relay = shop.start().await;
        sleep(SECOND / 2).await;
        let stalled = relay.stats().await.expect("counts").stalled.expect("stalled");
        assert!(stalled.contains(&format!("the event key is refused ({status})")), "{stalled}");
        let batch = shop.batch();
        assert!(!batch.is_leased, "the lease is released");
        assert_eq!((batch.attempts, batch.ambiguous_for), (0, None), "nothing was accepted");

        shop.settled(HOUR).await;
        assert_eq!(seconds_between(&script), [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(relay.stats().await.expect("counts").stalled, None);
        assert_eq!(relay.close(SECOND).await.delivered, 3);
        assert_eq!(shop.store.dead(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn three_invalid_responses_in_a_row_stall_the_relay() {
    let page = || Step::respond(200, "<html>a page</html>");
    let invalid = [page(), page(), Step::Accept, page(), page(), page(), page(), page()];
    let (shop, script) = Shop::scripted(invalid);
    shop.enqueue(0..1);
    let relay = shop.start().await;
    shop.settled(MINUTE).await;
    assert_eq!(script.requests().len(), 3, "two invalid responses do not stall");
    assert_eq!(relay.stats().await.expect("counts").stalled, None);

    shop.enqueue(1..2);
    while script.requests().len() < 6 {
        sleep(SECOND / 100).await;
    }
    let stalled = relay.stats().await.expect("counts").stalled.expect("stalled");
    assert!(stalled.contains("does the base URL lead to Inngest?"), "{stalled}");
    shop.settled(HOUR).await;
    assert_eq!(seconds_between(&script)[5..], [1, 2, 4]);
    assert_eq!(shop.store.dead(), []);
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn a_success_that_started_before_the_stall_does_not_end_it() {
    let steps = [Step::AcceptAfter(SECOND / 2), Step::status(401), Step::status(401)];
    let (shop, script) = Shop::scripted(steps);
    shop.enqueue(0..2);
    let relay = shop.relay().batch_events(1).start().await.expect("a relay");
    sleep(SECOND * 3 / 4).await;
    assert_eq!(shop.store.open(), 1, "the first event is delivered");
    assert!(relay.stats().await.expect("counts").stalled.is_some());
    shop.settled(MINUTE).await;
    assert_eq!(script.requests().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_stalled_relay_probes_with_one_batch_and_every_other_probe_is_a_new_one() {
    // The name of events from 10 on is refused, so the probe with a new batch ends the stall.
    let judge = Judge::new(|request| {
        let is_refused = request.numbers.iter().any(|number| *number >= 10);
        if is_refused { Ruling::Respond(403, "{}") } else { Ruling::Accept }
    });
    let shop = Shop::judged(&judge);
    let body = br#"{"name":"storefront/refused","data":{"number":10}}"#;
    shop.store.insert("storefront/refused", body, None);
    let relay = shop.relay().batch_events(1).start().await.expect("a relay");
    sleep(SECOND / 2).await;
    shop.enqueue(0..3);
    sleep(SECOND * 3 / 4).await;
    assert_eq!(judge.numbers()[..2], [vec![10], vec![0]]);
    assert_eq!(judge.accepted().len(), 3, "the others follow at once");
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn a_failing_probe_of_any_kind_delays_the_next_one() {
    let steps =
        [Step::status(401), Step::Fail(TransportFault::Connect), Step::status(503), Step::Accept];
    let script = Script::new(steps);
    let policy = RetryPolicy::default().initial_backoff(SECOND / 1000);
    let shop = Shop::new(script.builder().retry(policy).build().expect("a client"));
    shop.enqueue(0..1);
    let relay = shop.start().await;
    shop.settled(HOUR).await;
    assert_eq!(seconds_between(&script), [1, 2, 4]);
    drop(relay);
}
