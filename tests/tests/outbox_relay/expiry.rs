//! An event is dead 23 hours after the first attempt whose outcome is unknown.

use std::sync::{Arc, Mutex};

use inngest_core::outbox::DeadEvent;
use inngest_core::testing::TransportFault;
use inngest_core::testing::outbox_store::{StoreCall, StoreFault};
use inngest_tests::{Judge, Ruling, Step};
use tokio::time::sleep;

use crate::{HOUR, MINUTE, Outcomes, SECOND, Shop};

#[tokio::test(start_paused = true)]
async fn an_event_is_dead_23_hours_after_its_first_ambiguous_attempt() {
    let judge = Judge::new(|request| match request.elapsed {
        it if it < HOUR * 10 => Ruling::Fail(TransportFault::Connect),
        _ => Ruling::Respond(503, "{}"),
    });
    let outcomes = Outcomes::default();
    let shop = Shop::new(outcomes.build(judge.builder()));
    let dead: Arc<Mutex<Vec<DeadEvent>>> = Arc::default();
    let hook = Arc::clone(&dead);
    shop.enqueue(0..2);
    let relay =
        shop.relay().on_dead(move |event| hook.lock().expect("no panic").push(event.clone()));
    let relay = relay.start().await.expect("a relay");
    sleep(HOUR * 32 + MINUTE * 59).await;
    assert_eq!(shop.store.dead(), []);
    shop.settled(MINUTE * 4).await;

    let rows = shop.store.dead();
    assert_eq!(*dead.lock().expect("no panic"), rows, "the hook is called once for each");
    assert_eq!(rows.len(), 2);
    for event in &rows {
        assert!(event.is_expired() && event.may_be_delivered, "{event:?}");
        assert_eq!(event.reason, "expired");
    }
    assert_eq!(outcomes.take(), ["expired", "expired"]);
    let last = judge.requests().last().expect("requests").elapsed;
    assert!(last < HOUR * 33 + MINUTE * 2, "{last:?}");
    assert_eq!(relay.close(SECOND).await.dead, 2);
}

#[tokio::test(start_paused = true)]
async fn the_time_until_an_event_expires_is_an_option() {
    let (shop, script) = Shop::scripted(vec![Step::status(500); 1_000]);
    shop.enqueue(0..1);
    let relay = shop.relay().dead_letter_after(MINUTE * 10).start().await.expect("a relay");
    sleep(MINUTE * 9).await;
    assert_eq!(shop.store.dead(), []);
    shop.settled(MINUTE * 2).await;
    assert!(shop.store.dead()[0].is_expired());
    assert!(script.requests().last().expect("requests").elapsed < MINUTE * 11);
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_nothing_accepted_restores_the_time_of_the_first_ambiguous_one() {
    let unambiguous = [
        Step::Fail(TransportFault::Connect),
        Step::status(401),
        Step::status(403),
        Step::status(404),
        Step::retry_after(429, "1"),
    ];
    for step in unambiguous {
        let (shop, script) = Shop::scripted([step.clone(), Step::status(503), step, Step::Hang]);
        shop.enqueue(0..2);
        let relay = shop.start().await;
        let requests = async |count| {
            while script.requests().len() < count {
                sleep(SECOND / 1_000).await;
            }
            sleep(SECOND / 1_000).await;
        };
        requests(1).await;
        assert_eq!(shop.batch().ambiguous_for, None);
        requests(2).await;
        let since = shop.batch().ambiguous_for.expect("a 503 can come after the acceptance");
        assert!(since <= SECOND / 100, "{since:?}");
        requests(3).await;
        assert!(shop.batch().ambiguous_for > Some(since), "a later attempt does not restore it");
        drop(relay);
    }
}

#[tokio::test(start_paused = true)]
async fn a_partial_rejection_is_unambiguous() {
    let judge = Judge::with_bad_events(|number| number == 1);
    let shop = Shop::judged(&judge);
    shop.enqueue(0..4);
    let relay = shop.start().await;
    shop.settled(MINUTE).await;
    let dead = shop.store.dead();
    let [dead] = &*dead else { panic!("{dead:?}") };
    assert!(!dead.may_be_delivered && dead.reason.contains("a bad event"), "{dead:?}");
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_may_have_been_accepted_is_dead_but_never_reported_as_rejected() {
    for (status, body) in [
        (400, r#"{"ids":[""],"status":400,"error":"bad now"}"#),
        (413, r#"{"error":"bad now"}"#),
        (403, r#"{"error":"bad now"}"#),
    ] {
        let judge = Judge::new(move |request| match (request.index, &*request.numbers) {
            (0, _) => Ruling::Lose(1),
            (_, [7]) => Ruling::Respond(status, body),
            _ => Ruling::Accept,
        });
        let outcomes = Outcomes::default();
        let shop = Shop::new(outcomes.build(judge.builder()));
        shop.enqueue(7..8);
        let relay = shop.start().await;
        // Accepted events with other names show that a 403 is about the name.
        for number in 0..20 {
            sleep(SECOND).await;
            let name = format!("storefront/other.{number}");
            let body = format!(r#"{{"name":"{name}","data":{{"number":{}}}}}"#, 100 + number);
            shop.store.insert(&name, body.as_bytes(), None);
        }
        shop.settled(MINUTE * 2).await;
        let dead = shop.store.dead();
        let [dead] = &*dead else { panic!("{status}: {dead:?}") };
        assert!(dead.may_be_delivered, "{dead:?}");
        assert!(dead.reason.contains("an earlier attempt may have been accepted"), "{dead:?}");
        let mut outcomes = outcomes.take();
        outcomes.retain(|outcome| outcome != "accepted");
        assert_eq!(outcomes, ["in_doubt"]);
        drop(relay);
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_waits_for_too_long_is_due_since_the_clock_was_set_back() {
    let (shop, script) = Shop::scripted([Step::status(503)]);
    shop.enqueue(0..1);
    let relay = shop.start().await;
    sleep(SECOND / 100).await;
    assert_eq!(script.requests().len(), 1);
    shop.store.set_back(HOUR * 5);
    shop.settled(MINUTE).await;
    assert_eq!(script.requests().len(), 2);
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn a_settlement_that_is_lost_does_not_shorten_the_23_hours() {
    // The attempt is ambiguous for the store, since the relay could not record that it was not.
    let (shop, _script) = Shop::scripted([Step::Fail(TransportFault::Connect)]);
    shop.store.fail_by(|call| (call == StoreCall::Settle).then_some(StoreFault::FailBefore));
    shop.enqueue(0..1);
    let relay = shop.start().await;
    sleep(MINUTE * 5).await;
    assert_eq!(shop.store.dead(), []);
    shop.store.heal();
    shop.settled(MINUTE * 10).await;
    assert_eq!(shop.store.dead(), []);
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn a_batch_from_before_the_clock_was_set_back_is_not_the_last_one_for_hours() {
    // The first batch would be accepted now, the others fail all the time.
    let judge = Judge::new(|request| match (request.index, &*request.numbers) {
        (0, _) | (_, [1..4]) => Ruling::Respond(500, "{}"),
        _ => Ruling::Accept,
    });
    let shop = Shop::judged(&judge);
    shop.enqueue(0..1);
    let relay = shop.relay().batch_events(1).start().await.expect("a relay");
    sleep(SECOND / 100).await;
    shop.store.set_back(HOUR * 5);
    shop.enqueue(1..4);
    sleep(MINUTE * 3).await;
    assert_eq!(judge.accepted().len(), 1);
    drop(relay);
}
