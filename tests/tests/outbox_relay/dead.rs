//! Dead events: why they die, which hooks are called, and how they are sent again.

use std::sync::{Arc, Mutex};

use inngest_core::outbox::{DeadEvent, Ids};
use inngest_tests::{CheckoutCompleted, Judge, Ruling, Script, Step};
use tokio::time::sleep;

use crate::{HOUR, MINUTE, Outcomes, SECOND, Shop, seconds_between};

#[tokio::test(start_paused = true)]
async fn hooks_are_called_once_for_each_event_after_it_was_settled() {
    let outcomes = Outcomes::default();
    let judge = Judge::with_bad_events(|number| number == 2);
    let shop = Shop::new(outcomes.build(judge.builder()));
    let seen: Arc<Mutex<Vec<(String, usize)>>> = Arc::default();
    let (hook, store) = (Arc::clone(&seen), shop.store.clone());
    shop.enqueue(0..4);
    let relay = shop.relay().on_dead(move |event| {
        let body = String::from_utf8_lossy(&event.body).into_owned();
        hook.lock().expect("no panic").push((body, store.dead().len()));
    });
    let relay = relay.start().await.expect("a relay");
    shop.settled(MINUTE).await;
    let seen = seen.lock().expect("no panic").clone();
    let [(body, recorded)] = &*seen else { panic!("{seen:?}") };
    assert!(body.contains(r#""number":2"#), "{body}");
    assert_eq!(*recorded, 1, "the database has recorded it before the hook is called");
    let mut outcomes = outcomes.take();
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["accepted", "accepted", "accepted", "rejected"]);
    let report = relay.close(SECOND).await;
    assert_eq!((report.delivered, report.dead, report.left), (3, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn the_debug_text_of_a_dead_event_has_its_reason_and_omits_its_payload() {
    let judge = Judge::with_bad_events(|number| number == 4711);
    let shop = Shop::new(judge.client());
    shop.enqueue(4711..4712);
    let texts: Arc<Mutex<Vec<String>>> = Arc::default();
    let hook = Arc::clone(&texts);
    let relay = shop.relay().on_dead(move |event| {
        hook.lock().expect("no panic").push(format!("{event:?}"));
    });
    relay.drain().await.expect("a report");
    let texts = texts.lock().expect("no panic").clone();
    let [text] = &*texts else { panic!("{texts:?}") };
    assert!(
        text.contains("storefront/item.viewed") && text.contains("reason: \"Inngest rejected"),
        "{text}"
    );
    assert!(!text.contains("4711"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_failed_is_not_reported_to_the_hooks() {
    let outcomes = Outcomes::default();
    let script = Script::new([Step::status(503), Step::status(401)]);
    let shop = Shop::new(outcomes.build(script.builder()));
    shop.enqueue(0..1);
    let relay = shop.start().await;
    shop.settled(MINUTE).await;
    assert_eq!(outcomes.take(), ["accepted"]);
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_does_not_end_the_relay() {
    let judge = Judge::with_bad_events(|number| number % 2 == 1);
    let builder = judge.builder().after_send(|_| panic!("a test's panic"));
    let shop = Shop::new(builder.build().expect("a client"));
    shop.enqueue(0..6);
    let relay = shop.relay().on_dead(|_| panic!("a test's panic"));
    let relay = relay.in_flight(1).batch_events(2).start().await.expect("a relay");
    shop.settled(MINUTE).await;
    let report = relay.close(SECOND).await;
    assert_eq!((report.delivered, report.dead), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn rows_that_are_no_events_are_dead_and_neither_stall_the_relay_nor_stop_the_others() {
    let (shop, script) = Shop::scripted([]);
    let rows: [(&str, &[u8]); 8] = [
        ("a", b""),
        ("a", b"no JSON"),
        ("a", b"\xff\xfe"),
        ("a", b"[]"),
        ("a", br#"{"data":{}}"#),
        ("a", br#"{"name":"","data":{}}"#),
        ("a", br#"{"name":"inngest/x","data":{}}"#),
        ("a", br#"{"name":"a","data":[]}"#),
    ];
    shop.enqueue(0..1);
    for (name, body) in rows {
        shop.store.insert(name, body, None);
    }
    shop.enqueue(1..2);
    let relay = shop.start().await;
    shop.settled(SECOND).await;
    assert_eq!(relay.stats().await.expect("counts").stalled, None);
    let dead = shop.store.dead();
    assert_eq!(dead.len(), rows.len());
    for (event, (name, body)) in dead.iter().zip(rows) {
        assert_eq!((&*event.name, &*event.body), (name, body), "the row is kept as it was");
        assert!(event.reason.starts_with("the row in the outbox "), "{event:?}");
        assert!(!event.may_be_delivered, "{event:?}");
    }
    assert_eq!(script.requests().iter().flat_map(|it| it.numbers.clone()).sum::<u64>(), 1);
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn rows_that_are_no_events_do_not_show_that_the_server_works() {
    let (shop, script) = Shop::scripted(vec![Step::status(401); 3]);
    shop.enqueue(0..1);
    let relay = shop.relay().batch_events(1).start().await.expect("a relay");
    sleep(SECOND / 2).await;
    shop.store.insert("a", b"no JSON", None);
    sleep(SECOND).await;
    assert_eq!(shop.store.dead().len(), 1, "claimed by the first probe");
    assert!(relay.stats().await.expect("counts").stalled.is_some());
    shop.settled(MINUTE).await;
    assert_eq!(seconds_between(&script), [1, 2, 4], "the stall goes on");
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn a_seed_that_inngest_would_ignore_is_not_sent() {
    let (shop, script) = Shop::scripted([Step::status(503)]);
    shop.enqueue(0..1);
    let relay = shop.start().await;
    sleep(SECOND / 100).await;
    shop.store.set_seed(shop.batch().id, [0; 16]);
    shop.settled(MINUTE).await;
    assert_eq!(script.requests().len(), 1);
    assert!(shop.store.dead()[0].reason.contains("a batch whose seed is invalid"));
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_the_key_may_not_send_is_dead_after_another_name_was_accepted() {
    let refused = r#"{"error":"the key may not send this name"}"#;
    let judge = Judge::new(move |request| {
        let is_refused = request.numbers.iter().any(|number| *number >= 100);
        if is_refused { Ruling::Respond(403, refused) } else { Ruling::Accept }
    });
    let shop = Shop::judged(&judge);
    let enqueue_refused = |number: u32| {
        let body = format!(r#"{{"name":"storefront/refused","data":{{"number":{number}}}}}"#);
        shop.store.insert("storefront/refused", body.as_bytes(), None);
    };
    enqueue_refused(100);
    let relay = shop.start().await;
    sleep(MINUTE).await;
    assert_eq!(shop.store.dead(), [], "the key may be refused for all names");
    assert!(relay.stats().await.expect("counts").stalled.is_some());
    shop.enqueue(0..2);
    shop.settled(MINUTE * 5).await;
    assert_eq!(shop.store.dead().len(), 1);
    assert!(shop.store.dead()[0].reason.contains("the key may not send this name"));
    // In one batch with other names.
    shop.enqueue(2..4);
    enqueue_refused(101);
    shop.enqueue(4..6);
    shop.settled(MINUTE).await;
    assert_eq!(judge.accepted().len(), 6);
    assert_eq!(shop.store.dead().len(), 2);
    assert_eq!(relay.stats().await.expect("counts").stalled, None);
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn a_success_that_started_before_a_403_does_not_show_that_the_key_is_valid() {
    // The key is refused while the first request is in flight.
    let mut steps = vec![Step::AcceptAfter(SECOND)];
    steps.extend(vec![Step::status(403); 5]);
    let (shop, script) = Shop::scripted(steps);
    let checkout = shop.outbox.prepare(CheckoutCompleted::of("c1")).expect("a valid event");
    shop.store.enqueue(&checkout);
    let relay = shop.start().await;
    sleep(SECOND / 2).await;
    shop.enqueue(0..1);
    shop.outbox.wake();
    shop.settled(MINUTE * 2).await;
    assert_eq!(shop.store.dead(), [], "the key is refused, not the name");
    assert_eq!(script.requests().len(), 7);
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn requeued_events_keep_their_ids_or_get_fresh_ones() {
    let bad = Arc::new(Mutex::new(true));
    let is_bad = Arc::clone(&bad);
    let judge =
        Judge::with_bad_events(move |number| number < 4 && *is_bad.lock().expect("no panic"));
    let shop = Shop::judged(&judge);
    shop.enqueue(0..6);
    let relay = shop.start().await;
    shop.settled(MINUTE).await;
    assert_eq!(shop.store.dead().len(), 4);
    *bad.lock().expect("no panic") = false;

    let first = relay.dead_events(0, 2).await.expect("dead events");
    let rest = relay.dead_events(first[1].id, 10).await.expect("dead events");
    assert_eq!((first.len(), rest.len()), (2, 2));
    let ids = |events: &[DeadEvent]| -> Vec<i64> { events.iter().map(|event| event.id).collect() };
    let requeued = relay.requeue(ids(&first), Ids::Keep).await.expect("requeued");
    assert_eq!(requeued, 2);
    assert_eq!(relay.requeue(ids(&first), Ids::Keep).await.expect("requeued"), 0, "no longer dead");
    assert_eq!(relay.requeue(ids(&rest), Ids::Fresh).await.expect("requeued"), 2);
    shop.settled(MINUTE).await;
    assert_eq!((judge.accepted().len(), shop.store.dead().len()), (6, 0));
    judge.assert_identities();
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn events_whose_ids_are_forgotten_are_requeued_with_fresh_ids_only() {
    let judge = Judge::new(|request| {
        if request.elapsed < HOUR * 24 { Ruling::Respond(500, "{}") } else { Ruling::Accept }
    });
    let shop = Shop::judged(&judge);
    shop.enqueue(0..1);
    let relay = shop.start().await;
    shop.settled(HOUR * 24).await;
    let id = shop.store.dead()[0].id;
    assert_eq!(relay.requeue([id], Ids::Keep).await.expect("requeued"), 0);
    assert_eq!(shop.store.dead().len(), 1);
    assert_eq!(relay.requeue([id], Ids::Fresh).await.expect("requeued"), 1);
    shop.settled(HOUR * 2).await;
    assert_eq!(judge.accepted().len(), 1);
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn dead_events_are_purged_by_age_the_oldest_first() {
    let judge = Judge::with_bad_events(|_| true);
    let shop = Shop::judged(&judge);
    let relay = shop.start().await;
    for number in 0..3 {
        shop.enqueue(number..number + 1);
        shop.settled(MINUTE).await;
        sleep(HOUR).await;
    }
    let ids = || shop.store.dead().iter().map(|event| event.id).collect::<Vec<_>>();
    assert_eq!(relay.purge_dead(HOUR * 9, 10).await.expect("purged"), 0);
    assert_eq!(relay.purge_dead(HOUR * 2, 10).await.expect("purged"), 2);
    assert_eq!(ids(), [3]);
    shop.enqueue(3..4);
    shop.settled(MINUTE).await;
    assert_eq!(relay.purge_dead(std::time::Duration::ZERO, 1).await.expect("purged"), 1);
    assert_eq!(ids(), [4]);
    drop(relay);
}
