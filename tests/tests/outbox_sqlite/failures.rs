//! Failures of the server and of relays: nothing is lost, and no event gets a second id.

use std::time::Duration;

use inngest_core::RetryPolicy;
use inngest_core::testing::Fault;
use inngest_tests::ItemViewed;

use crate::fixture::{Shop, counts, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_keeps_its_id_through_every_failure() {
    let shop = Shop::open().await;
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
    let relay = shop.relay().batch_events(20).start().await.expect("a relay");
    for start in 0..10 {
        shop.enqueue(start * 30..(start + 1) * 30);
        shop.outbox.wake();
    }
    until("an empty outbox", || shop.number("SELECT count(*) FROM inngest_outbox") == 0).await;
    relay.close(Duration::from_secs(10)).await;
    shop.assert_delivered(0..300);
    assert!(shop.api.events().len() > 300, "no answer was lost");
}

#[tokio::test]
async fn a_failed_batch_waits_and_is_sent_again_under_the_same_ids() {
    let wait = RetryPolicy::default().initial_backoff(Duration::from_secs(60));
    let shop = Shop::with(|builder| builder.retry(wait.max_backoff(Duration::from_secs(60)))).await;
    shop.api.fail_next(Fault::drop_before_answer());
    shop.enqueue(0..5);
    assert_eq!(counts(shop.drain().await), [0, 0, 0, 5]);
    let row =
        "attempts = 1 AND token IS NULL AND ambiguous_at IS NOT NULL AND last_error IS NOT NULL";
    assert_eq!(shop.number(&format!("SELECT {row} FROM inngest_outbox_batch")), 1);
    let seed = || -> Vec<u8> {
        let db = shop.db();
        db.query_row("SELECT seed FROM inngest_outbox_batch", (), |row| row.get(0)).expect("a row")
    };
    let before = seed();
    shop.api.fail_next(Fault::status(503));
    shop.make_all_due();
    assert_eq!(counts(shop.drain().await), [0, 0, 0, 5]);
    assert_eq!(seed(), before);
    shop.make_all_due();
    assert_eq!(counts(shop.drain().await), [5, 0, 0, 0]);
    shop.assert_delivered(0..5);
    assert_eq!(shop.api.events().len(), 10);
}

#[tokio::test]
async fn a_drain_counts_one_attempt_for_a_batch_that_it_tries_once() {
    let shop = Shop::open().await;
    shop.api.fail_next(Fault::status(503));
    shop.api.fail_next(Fault::delay(Duration::from_millis(50)));
    shop.enqueue(0..2);
    let relay = shop.relay().batch_events(1).in_flight(1);
    // During the second request, the first batch becomes due, and is claimed again.
    assert_eq!(counts(relay.drain().await.expect("a database")), [1, 0, 0, 1]);
    let row = "attempts = 1 AND token IS NULL AND last_error IS NOT NULL";
    assert_eq!(shop.number(&format!("SELECT {row} FROM inngest_outbox_batch")), 1);
}

#[tokio::test]
async fn an_attempt_without_a_connection_is_not_ambiguous() {
    let shop = Shop::with(|builder| {
        // Nothing listens there.
        builder.base_url("http://127.0.0.1:9").connect_timeout(Duration::from_secs(2))
    })
    .await;
    shop.enqueue(0..3);
    assert_eq!(counts(shop.drain().await), [0, 0, 0, 3]);
    let unambiguous = "SELECT ambiguous_at IS NULL AND token IS NULL FROM inngest_outbox_batch";
    assert_eq!(shop.number(unambiguous), 1);
}

#[tokio::test]
async fn the_batch_of_a_killed_relay_is_sent_by_another_when_its_lease_ends() {
    let shop = Shop::open().await;
    shop.enqueue(0..4);
    // Accepts the events, and never responds.
    shop.api.fail_next(Fault::hang().after_accepting());
    let relay = shop.relay().in_flight(1).start().await.expect("a relay");
    shop.api.wait_for_event(3).await;
    drop(relay);
    assert_eq!(counts(shop.drain().await), [0, 0, 0, 0], "the lease is still held");
    shop.make_all_due();
    assert_eq!(counts(shop.drain().await), [4, 0, 0, 0]);
    shop.assert_delivered(0..4);
    assert_eq!(shop.api.events().len(), 8);
}

#[tokio::test]
async fn a_settlement_after_the_lease_was_lost_has_no_effect() {
    let shop = Shop::open().await;
    shop.enqueue(0..4);
    shop.api.fail_next(Fault::delay(Duration::from_millis(1_500)));
    let slow = tokio::spawn(shop.relay().in_flight(1).drain());
    until("a request", || shop.api.requests().len() == 1).await;
    // The lease ends, and another relay fails, so that the batch stays.
    shop.make_all_due();
    shop.api.fail_next(Fault::status(503));
    assert_eq!(counts(shop.drain().await), [0, 0, 0, 4]);
    let report = slow.await.expect("no panic").expect("a database");
    assert_eq!(report.delivered, 0, "its lease was lost");
    assert_eq!(shop.number("SELECT count(*) FROM inngest_outbox"), 4);
    shop.make_all_due();
    assert_eq!(counts(shop.drain().await), [4, 0, 0, 0]);
    shop.assert_delivered(0..4);
}

#[tokio::test]
async fn a_relay_extends_its_lease_while_it_sends() {
    let shop = Shop::open().await;
    shop.enqueue(0..2);
    shop.api.fail_next(Fault::delay(Duration::from_millis(4_500)));
    let slow = tokio::spawn(shop.relay().lease(Duration::from_secs(2)).drain());
    until("a request", || shop.api.requests().len() == 1).await;
    let first_due = shop.number("SELECT due_at FROM inngest_outbox_batch");
    let mut other = 0;
    while !slow.is_finished() {
        other += shop.drain().await.delivered;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let due = "SELECT coalesce(max(due_at), 9223372036854775807) FROM inngest_outbox_batch";
        assert!(shop.number(due) >= first_due);
    }
    let report = slow.await.expect("no panic").expect("a database");
    assert_eq!((report.delivered, other), (2, 0));
    assert_eq!(shop.api.requests().len(), 1);
}

#[tokio::test]
async fn a_batch_that_is_too_large_for_the_server_is_split() {
    let shop = Shop::open().await;
    let db = shop.db();
    for number in 0..40 {
        let event = ItemViewed { number, note: "x".repeat(1_000) };
        shop.outbox.enqueue_sqlite(&db, event).expect("a row");
    }
    shop.api.max_body_bytes(6_000);
    assert_eq!(counts(shop.drain().await), [40, 0, 0, 0]);
    shop.assert_delivered(0..40);
    assert_eq!(shop.api.events().len(), 40);
    assert_eq!(shop.number("SELECT count(*) FROM inngest_outbox"), 0);
    assert_eq!(shop.number("SELECT count(*) FROM inngest_outbox_batch"), 0);
}

#[tokio::test]
async fn a_poison_event_is_isolated_and_the_others_are_delivered() {
    let shop = Shop::open().await;
    shop.api.fault_when_event(|event| (event.data["number"] == 13).then(|| Fault::status(500)));
    shop.enqueue(0..30);
    for _ in 0..60 {
        // Others succeed.
        shop.enqueue([100]);
        shop.drain().await;
        shop.make_all_due();
    }
    shop.enqueue([100]);
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
    // The next attempt has its own backoff of at most an hour.
    shop.api.clear_faults();
    shop.make_all_due();
    shop.drain().await;
    assert_eq!(shop.ids()[&13].len(), 1);
}

#[tokio::test]
async fn a_batch_that_crashes_its_relays_is_halved() {
    let shop = Shop::open().await;
    shop.enqueue(0..8);
    for crash in 1..=3 {
        shop.api.fail_next(Fault::hang());
        let relay = shop.relay().in_flight(1).start().await.expect("a relay");
        until("a request", || shop.api.requests().len() == crash).await;
        drop(relay);
        shop.make_all_due();
    }
    // The third crash is found by the next claim, which halves the batch.
    assert_eq!(counts(shop.drain().await), [8, 0, 0, 0]);
    let requests = shop.api.requests();
    let sizes: Vec<usize> =
        requests.iter().map(|it| it.json().expect("JSON").as_array().map_or(1, Vec::len)).collect();
    assert_eq!(sizes, [8, 8, 8, 4, 4]);
    shop.assert_delivered(0..8);
}

#[tokio::test]
async fn a_refused_key_stalls_the_relay_and_kills_no_event() {
    let shop = Shop::with(|builder| builder.event_key("the-wrong-key")).await;
    shop.api.accept_only_keys(["the-right-key"]);
    shop.enqueue(0..3);
    let relay = shop.relay().start().await.expect("a relay");
    until("a request", || !shop.api.requests().is_empty()).await;
    let mut stalled = None;
    while stalled.is_none() {
        stalled = relay.stats().await.expect("a database").stalled;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(stalled.is_some_and(|reason| reason.contains("key")));
    relay.close(Duration::from_secs(5)).await;
    assert_eq!(shop.number("SELECT count(*) FROM inngest_outbox"), 3);
    assert_eq!(shop.number("SELECT count(*) FROM inngest_outbox_dead"), 0);
    assert_eq!(shop.number("SELECT attempts FROM inngest_outbox_batch"), 0);
    assert_eq!(shop.number("SELECT ambiguous_at IS NULL FROM inngest_outbox_batch"), 1);
}

#[tokio::test]
async fn a_batch_that_is_due_far_in_the_future_is_sent_since_the_clock_was_set_back() {
    let shop = Shop::open().await;
    shop.api.fail_next(Fault::status(503));
    shop.enqueue(0..2);
    shop.drain().await;
    let wait = |minutes: i64| {
        shop.sql(&format!(
            "UPDATE inngest_outbox_batch SET due_at =
               (SELECT created_at + {minutes} * 60000 FROM inngest_outbox LIMIT 1)"
        ));
    };
    // A wait is at most an hour.
    wait(58);
    assert_eq!(counts(shop.drain().await), [0, 0, 0, 0]);
    wait(120);
    assert_eq!(counts(shop.drain().await), [2, 0, 0, 0]);
    shop.assert_delivered(0..2);
}

#[tokio::test]
async fn a_running_relay_notices_that_a_batch_is_due_without_any_change_to_the_file() {
    let shop = Shop::open().await;
    shop.api.fail_next(Fault::status(429).retry_after("1"));
    shop.enqueue(0..2);
    let relay = shop.relay().start().await.expect("a relay");
    shop.api.wait_for_event(1).await;
    relay.close(Duration::from_secs(5)).await;
    assert_eq!(shop.api.requests().len(), 2);
    shop.assert_delivered(0..2);
}

#[tokio::test]
async fn a_damaged_batch_is_an_error_and_does_not_stop_the_others() {
    let shop = Shop::open().await;
    shop.api.fail_next(Fault::status(503));
    shop.enqueue(0..2);
    shop.drain().await;
    shop.make_all_due();
    shop.sql("UPDATE inngest_outbox_batch SET base_seq = last_seq + 1");
    shop.enqueue(2..4);
    let error = shop.relay().drain().await.expect_err("a damaged batch").to_string();
    assert!(error.contains("the `base_seq` of batch 1 does not fit its event 1"), "{error}");
    assert_eq!(counts(shop.drain().await), [2, 0, 0, 0]);
    shop.assert_delivered(2..4);
    // Somebody repairs the row.
    shop.sql("UPDATE inngest_outbox_batch SET base_seq = first_seq");
    shop.make_all_due();
    assert_eq!(counts(shop.drain().await), [2, 0, 0, 0]);
    shop.assert_delivered(0..4);
}

#[tokio::test]
async fn numbers_and_texts_that_no_relay_writes_do_not_hold_up_a_batch() {
    let shop = Shop::open().await;
    for (number, damage) in [
        (0, "attempts = -1, crashes = -1"),
        (1, "attempts = 4294967295, crashes = 4294967295"),
        (2, "attempts = 9223372036854775807, crashes = 9223372036854775807"),
        (3, "last_error = CAST(x'ff' AS TEXT)"),
    ] {
        shop.api.fail_next_n(2, Fault::status(503));
        shop.enqueue([number]);
        shop.drain().await;
        shop.sql(&format!("UPDATE inngest_outbox_batch SET {damage}"));
        for expected in [[0, 0, 0, 1], [1, 0, 0, 0]] {
            shop.make_all_due();
            assert_eq!(counts(shop.drain().await), expected, "{damage}");
        }
    }
    shop.assert_delivered(0..4);
}
