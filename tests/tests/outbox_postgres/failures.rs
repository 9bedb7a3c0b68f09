//! Failures of the server and of relays: nothing is lost, and no event gets a second id.

use std::time::Duration;

use inngest_core::testing::Fault;
use inngest_tests::ItemViewed;

use crate::fixture::{Shop, counts, until};
use inngest_tests::postgres::sqlx::Row;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_keeps_its_id_through_every_failure() {
    let Some(shop) = Shop::open().await else { return };
    let mut request = 0;
    shop.api.fault_when(move |_| {
        request += 1;
        // Every other request fails, each time otherwise.
        match request % 12 {
            0 => Some(Fault::drop_before_answer()),
            2 => Some(Fault::status(503).after_accepting()),
            4 => Some(Fault::drop_within_answer()),
            6 => Some(Fault::fail_at(3)),
            8 => Some(Fault::missing_ids(1)),
            10 => Some(Fault::drop_before_reading()),
            _ => None,
        }
    });
    let relays = [shop.relay(), shop.relay()].map(|relay| relay.batch_events(20).start());
    let relays = futures_util::future::join_all(relays).await;
    for start in 0..10 {
        shop.enqueue(start * 30..(start + 1) * 30).await;
        shop.outbox.wake();
    }
    shop.empty().await;
    for relay in relays {
        relay.expect("a relay").close(Duration::from_secs(10)).await;
    }
    shop.assert_delivered(0..300);
    assert!(shop.api.events().len() > 300, "no answer was lost");
}

#[tokio::test]
async fn a_failed_batch_waits_and_is_sent_again_under_the_same_ids() {
    let Some(shop) = Shop::open().await else { return };
    shop.api.fail_next(Fault::drop_before_answer());
    shop.enqueue(0..5).await;
    assert_eq!(counts(shop.drain().await), [0, 0, 0, 5]);
    let row =
        "attempts = 1 AND token IS NULL AND ambiguous_at IS NOT NULL AND last_error IS NOT NULL";
    assert!(shop.batch_has(row).await);
    let seed =
        async || -> Vec<u8> { shop.row("SELECT seed FROM inngest_outbox_batch").await.get(0) };
    let before = seed().await;
    shop.api.fail_next(Fault::status(503));
    shop.make_all_due().await;
    assert_eq!(counts(shop.drain().await), [0, 0, 0, 5]);
    assert!(shop.batch_has("attempts = 2").await);
    assert_eq!(seed().await, before);
    shop.make_all_due().await;
    assert_eq!(counts(shop.drain().await), [5, 0, 0, 0]);
    shop.assert_delivered(0..5);
    assert_eq!(shop.api.events().len(), 10);
}

#[tokio::test]
async fn an_attempt_without_a_connection_is_not_ambiguous() {
    // Nothing listens there.
    let configure = |builder: inngest_core::ClientBuilder| builder.base_url("http://127.0.0.1:9");
    let Some(shop) = Shop::with(configure).await else { return };
    shop.enqueue(0..3).await;
    assert_eq!(counts(shop.drain().await), [0, 0, 0, 3]);
    assert!(shop.batch_has("ambiguous_at IS NULL AND token IS NULL").await);
}

#[tokio::test]
async fn the_batch_of_a_killed_relay_is_sent_by_another_when_its_lease_ends() {
    let Some(shop) = Shop::open().await else { return };
    shop.enqueue(0..4).await;
    // Accepts the events, and never responds.
    shop.api.fail_next(Fault::hang().after_accepting());
    let relay = shop.relay().start().await.expect("a relay");
    shop.api.wait_for_event(3).await;
    drop(relay);
    assert_eq!(counts(shop.drain().await), [0; 4], "the lease is still held");
    shop.make_all_due().await;
    shop.api.fail_next(Fault::status(503));
    assert_eq!(counts(shop.drain().await), [0, 0, 0, 4]);
    assert!(shop.batch_has("attempts = 2 AND crashes >= 1").await);
    shop.make_all_due().await;
    assert_eq!(counts(shop.drain().await), [4, 0, 0, 0]);
    shop.assert_delivered(0..4);
    assert_eq!(shop.api.events().len(), 8);
}

#[tokio::test]
async fn a_settlement_after_the_lease_was_lost_has_no_effect() {
    for _ in 0..10 {
        let Some(shop) = Shop::open().await else { return };
        shop.enqueue(0..4).await;
        // One is rejected, so that the settlement writes a dead event, too.
        shop.api.fail_next(Fault::fail_at(2).delayed(Duration::from_secs(2)));
        let slow = tokio::spawn(shop.relay().drain());
        until("a request", || shop.api.requests().len() == 1).await;
        // The lease ends, and another relay fails, so that the batch stays.
        shop.make_all_due().await;
        shop.api.fail_next(Fault::status(503));
        let other = shop.drain().await;
        if slow.is_finished() {
            // The machine was so slow that the response came first.
            continue;
        }
        assert_eq!(counts(other), [0, 0, 0, 4]);
        let report = slow.await.expect("no panic").expect("a database");
        assert_eq!((report.delivered, report.dead), (0, 0), "its lease was lost");
        assert_eq!(shop.waiting().await, 4);
        assert_eq!(shop.number("SELECT count(*) FROM inngest_outbox_dead").await, 0);
        shop.make_all_due().await;
        assert_eq!(counts(shop.drain().await), [4, 0, 0, 0]);
        shop.assert_delivered(0..4);
        return;
    }
    panic!("the response came first ten times");
}

#[tokio::test]
async fn a_relay_extends_its_lease_while_it_sends() {
    let Some(shop) = Shop::open().await else { return };
    shop.enqueue(0..2).await;
    shop.api.fail_next(Fault::delay(Duration::from_millis(2_500)));
    let slow = tokio::spawn(shop.relay().lease(Duration::from_secs(1)).drain());
    until("a request", || shop.api.requests().len() == 1).await;
    let mut other = 0;
    while !slow.is_finished() {
        other += shop.drain().await.delivered;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let report = slow.await.expect("no panic").expect("a database");
    assert_eq!((report.delivered, other), (2, 0));
    assert_eq!(shop.api.requests().len(), 1);
}

#[tokio::test]
async fn a_batch_that_is_too_large_for_the_server_is_split() {
    let Some(shop) = Shop::open().await else { return };
    let view = |number| ItemViewed { number, note: "x".repeat(1_000) };
    let mut db = shop.pool.acquire().await.expect("a connection");
    let views: Vec<_> = (0..40).map(view).collect();
    shop.outbox.enqueue_all(&mut *db, &views).await.expect("rows");
    shop.api.max_body_bytes(6_000);
    assert_eq!(counts(shop.drain().await), [40, 0, 0, 0]);
    shop.assert_delivered(0..40);
    assert_eq!(shop.api.events().len(), 40);
    assert_eq!(shop.waiting().await, 0);
}

#[tokio::test]
async fn the_halves_of_a_batch_have_their_events_with_everything_that_belongs_to_them() {
    let trace = |number: u8| format!("00-{}-2222222222222222-01", format!("{number:x}").repeat(32));
    let current = std::sync::Arc::new(std::sync::atomic::AtomicU8::new(1));
    let configure = {
        let current = std::sync::Arc::clone(&current);
        move |builder: inngest_core::ClientBuilder| {
            builder.trace_context(move || {
                Some(trace(current.load(std::sync::atomic::Ordering::Relaxed)))
            })
        }
    };
    let Some(shop) = Shop::with(configure).await else { return };
    for number in 0..8_u8 {
        current.store(number + 1, std::sync::atomic::Ordering::Relaxed);
        shop.enqueue([u32::from(number)]).await;
    }
    let columns = "
        SELECT string_agg(row_text, ' ' ORDER BY row_text) FROM (
          SELECT concat_ws('|', place, name, convert_from(body, 'UTF8'), traceparent, created) AS row_text
          FROM inngest_outbox_batch AS batch,
            unnest(places, names, bodies, traceparents, batch.created_at)
              AS event (place, name, body, traceparent, created)
        ) AS events";
    shop.api.fail_next(Fault::status(503));
    shop.drain().await;
    let whole: String = shop.row(columns).await.get(0);
    shop.make_all_due().await;
    // The halves are too large, too, and then the server fails.
    shop.api.fail_next_n(3, Fault::status(413));
    shop.api.fault_when(|_| Some(Fault::status(503)));
    shop.drain().await;
    assert!(shop.number("SELECT count(*) FROM inngest_outbox_batch").await >= 2, "it is split");
    let halves: String = shop.row(columns).await.get(0);
    assert_eq!(halves, whole);
    let oldest = "SELECT count(*) FROM inngest_outbox_batch
        WHERE oldest_at = (SELECT min(it) FROM unnest(created_at) AS it)";
    let batches = shop.number("SELECT count(*) FROM inngest_outbox_batch").await;
    assert_eq!(shop.number(oldest).await, batches);
    shop.api.clear_faults();
    shop.drain_all().await;
    shop.assert_delivered(0..8);
}

#[tokio::test]
async fn a_poison_event_is_isolated_and_the_others_are_delivered() {
    let Some(shop) = Shop::open().await else { return };
    shop.api.fault_when_event(|event| (event.data["number"] == 13).then(|| Fault::status(500)));
    shop.enqueue(0..30).await;
    for _ in 0..60 {
        // Others succeed.
        shop.enqueue([100]).await;
        shop.drain().await;
        shop.make_all_due().await;
    }
    let ids = shop.ids();
    let numbers: Vec<u32> = ids.keys().copied().filter(|number| *number != 100).collect();
    let expected: Vec<u32> = (0..30).filter(|number| *number != 13).collect();
    assert_eq!(numbers, expected);
    for number in expected {
        assert_eq!(ids[&number].len(), 1, "view {number} has several ids");
    }
    let relay = shop.relay().start().await.expect("a relay");
    let stats = relay.stats().await.expect("a database");
    relay.close(Duration::from_secs(5)).await;
    assert_eq!((stats.isolated, stats.dead), (1, 0));
    shop.api.clear_faults();
    shop.make_all_due().await;
    shop.drain().await;
    assert_eq!(shop.ids()[&13].len(), 1);
}

#[tokio::test]
async fn a_batch_that_crashes_its_relays_is_halved() {
    let Some(shop) = Shop::open().await else { return };
    shop.enqueue(0..8).await;
    for crash in 1..=3 {
        shop.api.fail_next(Fault::hang());
        let relay = shop.relay().start().await.expect("a relay");
        until("a request", || shop.api.requests().len() == crash).await;
        drop(relay);
        shop.make_all_due().await;
    }
    // The third crash is found by the next claim, which halves the batch.
    assert_eq!(counts(shop.drain().await), [8, 0, 0, 0]);
    let size = |request: &inngest_core::testing::ReceivedRequest| {
        request.json().expect("JSON").as_array().map_or(1, Vec::len)
    };
    let sizes: Vec<usize> = shop.api.requests().iter().map(size).collect();
    assert_eq!(sizes, [8, 8, 8, 4, 4]);
    shop.assert_delivered(0..8);
}

#[tokio::test]
async fn a_refused_key_stalls_the_relay_and_kills_no_event() {
    let configure = |builder: inngest_core::ClientBuilder| builder.event_key("the-wrong-key");
    let Some(shop) = Shop::with(configure).await else { return };
    shop.api.accept_only_keys(["the-right-key"]);
    shop.enqueue(0..3).await;
    let relay = shop.relay().start().await.expect("a relay");
    let mut stalled = None;
    while stalled.is_none() {
        stalled = relay.stats().await.expect("a database").stalled;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(stalled.is_some_and(|reason| reason.contains("key")));
    relay.close(Duration::from_secs(5)).await;
    assert!(shop.batch_has("attempts = 0 AND ambiguous_at IS NULL AND token IS NULL").await);
    assert_eq!(shop.waiting().await, 3);
}

#[tokio::test]
async fn a_batch_that_is_due_far_in_the_future_is_sent_since_the_clock_was_set_back() {
    let Some(shop) = Shop::open().await else { return };
    shop.api.fail_next(Fault::status(503));
    shop.enqueue(0..2).await;
    shop.drain().await;
    // A wait is at most an hour.
    shop.sql("UPDATE inngest_outbox_batch SET due_at = now() + interval '59 minutes'").await;
    assert_eq!(counts(shop.drain().await), [0; 4]);
    shop.sql("UPDATE inngest_outbox_batch SET due_at = now() + interval '2 hours'").await;
    assert_eq!(counts(shop.drain().await), [2, 0, 0, 0]);
    shop.assert_delivered(0..2);
}

#[tokio::test]
async fn a_damaged_batch_is_an_error_and_does_not_stop_the_others() {
    let Some(shop) = Shop::open().await else { return };
    shop.api.fail_next(Fault::status(503));
    shop.enqueue(0..2).await;
    shop.drain().await;
    shop.make_all_due().await;
    shop.sql("UPDATE inngest_outbox_batch SET names = '{one}'").await;
    shop.enqueue(2..4).await;
    let error = shop.relay().drain().await.expect_err("a damaged batch").to_string();
    let expected = "inngest_outbox_batch, id 1: its arrays have different lengths";
    assert!(error.contains(expected), "{error}");
    assert_eq!(counts(shop.drain().await), [2, 0, 0, 0]);
    shop.assert_delivered(2..4);
}

#[tokio::test]
async fn values_that_no_relay_writes_do_not_stop_the_relay() {
    let Some(shop) = Shop::open().await else { return };
    for (number, damage) in [
        (0, "attempts = 2147483647"),
        (1, "crashes = 2147483647, token = 'another relay'"),
        (2, "ambiguous_at = 'infinity'"),
        (3, "ambiguous_at = '-infinity'"),
    ] {
        shop.api.fail_next(Fault::status(503));
        shop.enqueue([number]).await;
        shop.drain().await;
        shop.make_all_due().await;
        shop.sql(&format!("UPDATE inngest_outbox_batch SET {damage}")).await;
        shop.enqueue([number + 10]).await;
        assert_eq!(counts(shop.drain().await)[0], 1 + u64::from(number % 2 == 0), "{damage}");
        shop.sql("DELETE FROM inngest_outbox_batch").await;
    }
    assert_eq!(shop.number("SELECT count(*) FROM inngest_outbox_dead").await, 1);
}
