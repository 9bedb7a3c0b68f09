//! What a relay does while requests fail: its pace, and `Retry-After`.

use inngest_core::testing::TransportFault;
use inngest_tests::{Judge, Ruling, Step};
use tokio::time::sleep;

use crate::{HOUR, MINUTE, SECOND, Shop, seconds_between};

#[tokio::test(start_paused = true)]
async fn retry_after_pauses_the_whole_relay() {
    for status in [429, 503] {
        let (shop, script) = Shop::scripted([Step::retry_after(status, "30")]);
        shop.enqueue(0..1);
        let relay = shop.start().await;
        sleep(SECOND).await;
        shop.enqueue(1..2);
        shop.outbox.wake();
        sleep(SECOND * 28).await;
        assert_eq!(script.requests().len(), 1, "the new event waits, too");
        let due_in = shop.batch().due_in;
        assert!(due_in <= SECOND * 2, "the batch is due after the pause: {due_in:?}");
        shop.settled(MINUTE).await;
        assert_eq!(seconds_between(&script)[0], 30);
        drop(relay);
    }
}

#[tokio::test(start_paused = true)]
async fn an_absurd_retry_after_pauses_for_an_hour() {
    let (shop, script) = Shop::scripted([Step::retry_after(503, "999999999")]);
    shop.enqueue(0..1);
    let relay = shop.start().await;
    shop.settled(HOUR * 2).await;
    assert_eq!(seconds_between(&script), [3600]);
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn an_outage_with_failed_connections_only_kills_no_event() {
    let judge = Judge::new(|request| {
        let down = request.elapsed < HOUR * 72;
        if down { Ruling::Fail(TransportFault::Connect) } else { Ruling::Accept }
    });
    let shop = Shop::judged(&judge);
    shop.enqueue(0..12);
    let relay = shop.relay().batch_events(3).start().await.expect("a relay");
    sleep(HOUR * 71).await;
    assert!(shop.store.batches().iter().all(|batch| batch.ambiguous_for.is_none()));
    let requests = judge.requests().len();
    assert!((8_500..18_000).contains(&requests), "one request in 15 to 30 s: {requests}");
    shop.settled(HOUR + MINUTE).await;
    assert_eq!(shop.store.dead(), []);
    assert_eq!(judge.accepted().len(), 12);
    judge.assert_identities();
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn requests_are_sent_one_at_a_time_until_one_succeeds() {
    let slow = Step::AcceptAfter(SECOND);
    let steps = [Step::status(503), slow.clone(), slow.clone(), slow.clone(), slow];
    let (shop, script) = Shop::scripted(steps);
    shop.enqueue(0..1);
    let relay = shop.relay().batch_events(1).start().await.expect("a relay");
    sleep(SECOND / 100).await;
    shop.enqueue(1..5);
    shop.settled(MINUTE).await;
    let in_flight: Vec<usize> = script.requests().iter().map(|it| it.in_flight).collect();
    assert_eq!(in_flight[..2], [1, 1]);
    assert_eq!(in_flight.iter().max(), Some(&4).filter(|_| in_flight.len() == 6).or(Some(&3)));
    drop(relay);
}
