//! A lease reserves a batch for a relay, and losing it costs one more request with the same ids.

use inngest_core::RetryPolicy;
use inngest_core::outbox::RelayBuilder;
use inngest_core::testing::outbox_store::{ScriptedStore, StoreCall, StoreFault};
use inngest_tests::{Judge, Ruling, Script, Step};
use tokio::time::sleep;

use crate::{HOUR, MINUTE, Outcomes, SECOND, Shop};

/// Returns a relay with a connection of its own to the tables of `shop`.
fn other_relay(shop: &Shop, client: &inngest_core::Client) -> RelayBuilder<ScriptedStore> {
    shop.outbox.relay(client, shop.store.handle()).poll(SECOND..=SECOND)
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_extended_every_third_of_its_length() {
    let script = Script::new([Step::AcceptAfter(SECOND * 100)]);
    let policy = RetryPolicy::default().total_timeout(HOUR);
    let client = script.builder().timeout(HOUR).retry(policy).build().expect("a client");
    let shop = Shop::new(client);
    shop.enqueue(0..1);
    let relay = shop.relay().in_flight(1).lease(MINUTE).start().await.expect("a relay");
    let other = Script::new([]);
    let second = other_relay(&shop, &other.client()).start().await.expect("a relay");
    shop.settled(MINUTE * 2).await;
    let history = shop.store.history();
    let renewals = history.iter().filter(|(_, call)| *call == StoreCall::Renew);
    let seconds: Vec<u64> = renewals.map(|(at, _)| at.as_secs()).collect();
    assert_eq!(seconds, [20, 40, 60, 80]);
    assert_eq!(other.requests().len(), 0, "the lease did not end");
    drop((relay, second));
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_lost_its_lease_records_and_reports_nothing() {
    let outcomes = Outcomes::default();
    let judge = Judge::new(|_| Ruling::Accept);
    let slow = Script::new([Step::AcceptAfter(SECOND * 7)]);
    let shop = Shop::new(outcomes.build(slow.builder()));
    shop.enqueue(0..3);
    let relay = shop.start().await;
    sleep(SECOND).await;
    // The first relay is cut off from the database, and its lease ends.
    shop.store.fail_by(|_| Some(StoreFault::FailBefore));
    shop.store.advance(MINUTE);
    let second = other_relay(&shop, &judge.client()).start().await.expect("a relay");
    sleep(SECOND * 5).await;
    assert_eq!(judge.accepted().len(), 3);
    shop.store.heal();
    sleep(MINUTE).await;
    assert_eq!(slow.requests().len(), 1);
    assert_eq!(outcomes.take(), Vec::<String>::new());
    assert_eq!(relay.close(SECOND).await.delivered, 0);
    assert_eq!(second.close(SECOND).await.delivered, 3);
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_settles_late_does_not_end_the_lease_of_another() {
    let slow = Script::new([Step::AcceptAfter(SECOND * 7)]);
    let shop = Shop::new(slow.client());
    shop.enqueue(0..3);
    let relay = shop.relay().in_flight(1).start().await.expect("a relay");
    sleep(SECOND).await;
    shop.store.fail_by(|call| (call == StoreCall::Renew).then_some(StoreFault::FailBefore));
    shop.store.advance(MINUTE);
    let other = Script::new([Step::AcceptAfter(SECOND * 8)]);
    let second = other_relay(&shop, &other.client()).start().await.expect("a relay");
    sleep(SECOND * 7).await;
    assert!(shop.batch().is_leased, "the second relay is sending");
    shop.settled(MINUTE).await;
    assert_eq!(second.close(SECOND).await.delivered, 3);
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_relay_keeps_its_lease_until_another_sends_the_same_ids() {
    let judge =
        Judge::new(|request| if request.index == 0 { Ruling::Hang(2) } else { Ruling::Accept });
    let shop = Shop::judged(&judge);
    shop.enqueue(0..4);
    drop({
        let relay = shop.start().await;
        sleep(SECOND).await;
        relay
    });
    let relay = shop.start().await;
    sleep(SECOND * 50).await;
    assert_eq!(judge.requests().len(), 1, "the lease is held");
    shop.settled(MINUTE).await;
    assert_eq!(judge.accepted().len(), 4);
    judge.assert_identities();
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn a_settlement_whose_answer_was_lost_is_not_sent_again() {
    let (shop, script) = Shop::scripted([]);
    shop.store.fail_next(StoreCall::Settle, StoreFault::FailAfter);
    shop.enqueue(0..3);
    let relay = shop.start().await;
    sleep(MINUTE * 5).await;
    assert_eq!((script.requests().len(), shop.store.open()), (1, 0));
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn a_claim_whose_answer_was_lost_is_sent_after_the_lease() {
    let (shop, script) = Shop::scripted([]);
    shop.store.fail_next(StoreCall::Claim, StoreFault::FailAfter);
    shop.enqueue(0..3);
    let relay = shop.start().await;
    shop.settled(MINUTE + SECOND * 2).await;
    assert_eq!(script.requests().len(), 1);
    assert!(script.requests()[0].elapsed >= MINUTE);
    drop(relay);
}
