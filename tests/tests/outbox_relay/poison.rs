//! A batch that the server cannot take is cut down until the event that is the cause is alone.

use std::collections::BTreeSet;

use inngest_core::testing::TransportFault;
use inngest_core::testing::outbox_store::ScriptedStore;
use inngest_tests::{Judge, JudgedRequest, Ruling};
use tokio::time::sleep;

use crate::{HOUR, MINUTE, SECOND, Shop};

/// Fails for requests with an event of `poison`.
fn fails_for(poison: &'static [u64]) -> impl Fn(&JudgedRequest) -> Ruling + Send + Sync {
    move |request| {
        let is_poisoned = request.numbers.iter().any(|number| poison.contains(number));
        if is_poisoned { Ruling::Respond(500, "{}") } else { Ruling::Accept }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_too_large_is_halved_at_once_and_every_id_stays() {
    let judge = Judge::new(|request| {
        if request.numbers.len() > 3 { Ruling::Respond(413, "{}") } else { Ruling::Accept }
    });
    let shop = Shop::judged(&judge);
    shop.enqueue(0..9);
    let relay = shop.relay().in_flight(1).start().await.expect("a relay");
    shop.settled(SECOND).await;
    let sizes: Vec<usize> = judge.numbers().iter().map(Vec::len).collect();
    assert_eq!(sizes, [9, 5, 3, 4, 2, 2, 2]);
    judge.assert_identities();
    let report = relay.close(SECOND).await;
    assert_eq!((report.delivered, report.dead), (9, 0));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_too_large_for_the_server_alone_is_dead() {
    let judge = Judge::new(|request| {
        if request.numbers.contains(&3) { Ruling::Respond(413, "{}") } else { Ruling::Accept }
    });
    let shop = Shop::judged(&judge);
    shop.enqueue(0..8);
    let relay = shop.start().await;
    shop.settled(MINUTE).await;
    let dead = shop.store.dead();
    let [dead] = &*dead else { panic!("{dead:?}") };
    assert!(dead.reason.contains("413") && !dead.may_be_delivered, "{dead:?}");
    assert_eq!(judge.accepted().len(), 7);
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn a_poison_event_is_isolated_while_the_others_are_delivered() {
    let judge = Judge::new(fails_for(&[37]));
    let shop = Shop::judged(&judge);
    shop.enqueue(0..100);
    let relay = shop.start().await;
    for number in 100..160 {
        sleep(SECOND).await;
        shop.enqueue(number..number + 1);
    }
    sleep(SECOND * 2).await;
    let accepted: BTreeSet<u64> = (0..160).filter(|number| *number != 37).collect();
    assert_eq!(judge.accepted(), accepted, "one poison event does not hold up the others");
    judge.assert_identities();
    let stats = relay.stats().await.expect("counts");
    assert_eq!((stats.isolated, stats.sealed, stats.dead), (1, 1, 0));
    assert_eq!(stats.stalled, None);

    // Its waits double, up to an hour.
    for number in 160..260 {
        shop.enqueue(number..number + 1);
        sleep(MINUTE * 6).await;
    }
    let waits = waits_of(&judge, 37);
    assert!(waits.iter().rev().take(3).all(|wait| (1_800..=3_661).contains(wait)), "{waits:?}");
    let slowest = judge.requests().len();
    assert!(slowest < 400, "{slowest} requests");
    assert_eq!(judge.accepted().len(), 259);
    drop(relay);
}

/// Returns the seconds between the requests with the event.
fn waits_of(judge: &Judge, event: u64) -> Vec<u64> {
    let requests = judge.requests();
    let times: Vec<_> = requests.iter().filter(|it| it.numbers.contains(&event)).collect();
    times.windows(2).map(|pair| pair[1].elapsed.saturating_sub(pair[0].elapsed).as_secs()).collect()
}

#[tokio::test(start_paused = true)]
async fn poison_events_do_not_hold_up_the_others_of_the_only_batch() {
    // Nothing else is sent, so no success of another batch shows that the server works.
    for poison in [&[37][..], &[3, 37, 38, 90][..]] {
        for ruling in [
            Ruling::Respond(500, "{}"),
            Ruling::Respond(200, "<html>blocked</html>"),
            Ruling::Fail(TransportFault::Interrupted),
        ] {
            let judge = Judge::new(move |request| {
                let is_poisoned = request.numbers.iter().any(|number| poison.contains(number));
                if is_poisoned { ruling.clone() } else { Ruling::Accept }
            });
            let shop = Shop::judged(&judge);
            shop.enqueue(0..100);
            let relay = shop.start().await;
            sleep(HOUR * 3).await;
            let accepted = judge.accepted().len();
            assert_eq!(accepted, 100 - poison.len(), "{:?}", shop.store.batches());
            judge.assert_identities();
            assert_eq!(shop.store.dead(), []);
            drop(relay);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn new_events_are_sent_although_failing_batches_are_due_all_the_time() {
    let judge = Judge::new(fails_for(&[0, 1, 2, 3, 4, 5]));
    let shop = Shop::judged(&judge);
    shop.enqueue(0..6);
    let relay = shop.relay().batch_events(1).start().await.expect("a relay");
    sleep(HOUR).await;
    assert_eq!(judge.accepted().len(), 0);
    shop.enqueue(6..7);
    sleep(MINUTE * 2).await;
    assert_eq!(judge.accepted().len(), 1);
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn an_outage_does_not_cut_batches_into_single_events() {
    let judge = Judge::new(|request| {
        if request.elapsed < HOUR { Ruling::Respond(500, "{}") } else { Ruling::Accept }
    });
    let shop = Shop::judged(&judge);
    shop.enqueue(0..1_000);
    let relay = shop.start().await;
    shop.settled(HOUR + MINUTE * 2).await;
    judge.assert_identities();
    let after = judge.requests().into_iter().filter(|request| request.elapsed >= HOUR);
    let requests = after.count();
    assert!(requests < 40, "{requests} requests for 1000 events");
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn a_single_event_is_delivered_soon_after_an_outage() {
    let judge = Judge::new(|request| {
        if request.elapsed < HOUR * 10 { Ruling::Respond(500, "{}") } else { Ruling::Accept }
    });
    let shop = Shop::judged(&judge);
    shop.enqueue(0..1);
    let relay = shop.start().await;
    shop.settled(HOUR * 10 + MINUTE).await;
    drop(relay);
}

/// Lets relays claim the batch and be killed during the request.
async fn kill(shop: &Shop, relays: usize) {
    for _ in 0..relays {
        let relay = shop.start().await;
        sleep(SECOND * 2).await;
        drop(relay);
        // The lease ends.
        sleep(MINUTE).await;
    }
}

fn sizes(store: &ScriptedStore) -> Vec<(usize, u32)> {
    store.batches().iter().map(|batch| (batch.places.len(), batch.crashes)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_batch_whose_lease_expired_three_times_is_halved_down_to_single_events() {
    let judge =
        Judge::new(
            |request| {
                if request.numbers.contains(&3) { Ruling::Hang(0) } else { Ruling::Accept }
            },
        );
    let shop = Shop::judged(&judge);
    shop.enqueue(0..4);
    kill(&shop, 3).await;
    assert_eq!(sizes(&shop.store), [(4, 2)]);
    kill(&shop, 1).await;
    assert_eq!(sizes(&shop.store), [(2, 2)], "one half was delivered, the other half hangs");
    kill(&shop, 1).await;
    assert_eq!(sizes(&shop.store), [(1, 2)]);
    kill(&shop, 1).await;
    let batch = shop.batch();
    assert_eq!((batch.places, batch.crashes), (vec![3], 3), "claimed again after 0.5 s to 1 s");
    assert_eq!(judge.accepted(), BTreeSet::from([0, 1, 2]));
    judge.assert_identities();
    let relay = shop.start().await;
    assert_eq!(relay.stats().await.expect("counts").isolated, 1);
    assert_eq!(shop.store.dead(), [], "a single event is never dead for this");
    drop(relay);
}
