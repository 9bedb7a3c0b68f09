//! Dead events: why an event dies, and how it is sent again or deleted.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use inngest_core::outbox::{DeadEvent, Ids, PostgresStore, Relay};
use inngest_core::testing::Fault;

use crate::fixture::{Shop, counts};

/// Rejects the views of which `is_bad` returns true.
fn reject(shop: &Shop, is_bad: impl Fn(u64) -> bool + Send + 'static) {
    shop.api.fault_when_event(move |event| {
        let number = event.data["number"].as_u64().expect("a number");
        is_bad(number).then(|| Fault::refuse(format!("there is no item {number}")))
    });
}

/// Returns a relay that claims nothing for a minute.
async fn idle_relay(shop: &Shop) -> Relay<PostgresStore> {
    let minute = Duration::from_secs(60);
    let relay = shop.relay().poll(minute..=minute).start().await.expect("a relay");
    tokio::time::sleep(Duration::from_millis(50)).await;
    relay
}

async fn dead_events(shop: &Shop) -> Vec<DeadEvent> {
    let relay = idle_relay(shop).await;
    let dead = relay.dead_events(0, 1_000).await.expect("a database");
    relay.close(Duration::from_secs(5)).await;
    dead
}

fn number(event: &DeadEvent) -> u64 {
    let body: serde_json::Value = serde_json::from_slice(&event.body).expect("JSON");
    body["data"]["number"].as_u64().expect("a number")
}

#[tokio::test]
async fn a_rejected_event_is_dead_and_the_others_are_delivered() {
    let Some(shop) = Shop::open().await else { return };
    reject(&shop, |number| number % 4 == 2);
    let seen: Arc<Mutex<Vec<DeadEvent>>> = Arc::default();
    let hook = Arc::clone(&seen);
    shop.enqueue(0..5).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    shop.enqueue(5..10).await;
    let relay = shop.relay().on_dead(move |event| {
        hook.lock().expect("no panic").push(event.clone());
    });
    assert_eq!(counts(relay.drain().await.expect("a database")), [8, 2, 0, 0]);
    shop.assert_delivered((0..10).filter(|number| number % 4 != 2));

    let dead = dead_events(&shop).await;
    assert_eq!(dead.iter().map(number).collect::<Vec<_>>(), [2, 6]);
    assert_eq!(*seen.lock().expect("no panic"), dead);
    for event in &dead {
        assert_eq!(event.name, "storefront/item.viewed");
        let expected = format!("there is no item {}", number(event));
        assert!(event.reason.contains(&expected), "{}", event.reason);
        assert!(!event.is_expired());
        assert!(event.died_at >= event.created_at);
        let age = event.created_at.elapsed().expect("the clock of this machine");
        assert!(age < Duration::from_secs(60), "{age:?}");
    }
    let between = dead[1].created_at.duration_since(dead[0].created_at).expect("their order");
    assert!(between >= Duration::from_millis(20), "each has its own time: {between:?}");
    assert_eq!(shop.waiting().await, 0);
}

#[tokio::test]
async fn dead_events_are_read_in_pages() {
    let Some(shop) = Shop::open().await else { return };
    reject(&shop, |_| true);
    shop.enqueue(0..7).await;
    shop.drain_all().await;
    let relay = idle_relay(&shop).await;
    let (mut after, mut numbers) = (0, Vec::new());
    loop {
        let page = relay.dead_events(after, 3).await.expect("a database");
        let Some(last) = page.last() else { break };
        after = last.id;
        numbers.push(page.iter().map(number).collect::<Vec<_>>());
    }
    assert_eq!(numbers, [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
}

#[tokio::test]
async fn a_reason_with_a_character_that_postgresql_refuses_is_recorded() {
    let Some(shop) = Shop::open().await else { return };
    shop.api.fault_when(|_| Some(Fault::refuse("a \0 in a text")));
    shop.enqueue([1]).await;
    shop.drain_all().await;
    let dead = dead_events(&shop).await;
    assert!(dead[0].reason.contains("in a text"), "{:?}", dead[0]);
    shop.api.clear_faults();
    shop.api.fail_next(Fault::status(500).body(r#"{"status":500,"error":"a \u0000 in a text"}"#));
    shop.enqueue([2]).await;
    assert_eq!(counts(shop.drain().await), [0, 0, 0, 1]);
    assert!(shop.batch_has("last_error LIKE '%in a text%'").await);
}

#[tokio::test]
async fn a_requeued_event_keeps_the_id_that_inngest_may_have_accepted() {
    let Some(shop) = Shop::open().await else { return };
    shop.enqueue(0..10).await;
    // Inngest accepts the events, and the response is lost.
    shop.api.fail_next(Fault::drop_before_answer());
    shop.drain().await;
    // The next attempt rejects some of them.
    reject(&shop, |number| [3, 4, 8].contains(&number));
    shop.make_all_due().await;
    shop.drain_all().await;
    let dead = dead_events(&shop).await;
    assert_eq!(dead.iter().map(number).collect::<Vec<_>>(), [3, 4, 8]);
    assert!(dead.iter().all(|event| event.may_be_delivered));

    shop.api.clear_faults();
    let relay = idle_relay(&shop).await;
    shop.enqueue(10..20).await;
    let before = shop.api.events().len();
    let ids = dead.iter().map(|event| event.id).chain([999, dead[0].id]);
    assert_eq!(relay.requeue(ids, Ids::Keep).await.expect("a database"), 3);
    shop.empty().await;
    relay.close(Duration::from_secs(5)).await;
    assert!(dead_events(&shop).await.is_empty());
    assert_eq!(shop.api.events().len(), before + 13, "they were sent again");
    shop.assert_delivered(0..20);
}

#[tokio::test]
async fn events_of_several_batches_are_requeued_with_their_own_ids() {
    let Some(shop) = Shop::open().await else { return };
    // Each batch has a seed of its own, and loses the event at another place.
    for batch in 0..8 {
        shop.enqueue(batch * 8..(batch + 1) * 8).await;
        shop.api.fail_next(Fault::drop_before_answer());
        shop.drain().await;
        reject(&shop, move |number| number == u64::from(batch * 9));
        shop.make_all_due().await;
        shop.drain_all().await;
        shop.api.clear_faults();
    }
    let relay = idle_relay(&shop).await;
    let dead = relay.dead_events(0, 100).await.expect("a database");
    let before = shop.api.events().len();
    let ids = dead.iter().map(|event| event.id);
    assert_eq!(relay.requeue(ids, Ids::Keep).await.expect("a database"), 8);
    relay.close(Duration::from_secs(5)).await;
    shop.drain_all().await;
    assert_eq!(shop.api.events().len(), before + 8, "they were sent again");
    shop.assert_delivered(0..64);
}

#[tokio::test]
async fn an_event_requeued_with_a_fresh_id_is_sent_as_another_event() {
    let Some(shop) = Shop::open().await else { return };
    shop.enqueue(0..4).await;
    shop.api.fail_next(Fault::drop_before_answer());
    shop.drain().await;
    reject(&shop, |number| number == 2);
    shop.make_all_due().await;
    shop.drain_all().await;
    shop.api.clear_faults();
    let relay = idle_relay(&shop).await;
    let dead = relay.dead_events(0, 10).await.expect("a database");
    assert_eq!(relay.requeue([dead[0].id], Ids::Fresh).await.expect("a database"), 1);
    assert_eq!(relay.requeue([dead[0].id], Ids::Fresh).await.expect("a database"), 0);
    relay.close(Duration::from_secs(5)).await;
    shop.drain_all().await;
    let ids = shop.ids();
    assert_eq!(ids[&2].len(), 2, "two ids");
    assert!([0, 1, 3].iter().all(|number| ids[number].len() == 1));
}

#[tokio::test]
async fn an_event_whose_ids_no_longer_deduplicate_expires_and_is_not_requeued_with_them() {
    let Some(shop) = Shop::open().await else { return };
    shop.enqueue(0..3).await;
    shop.api.fail_next(Fault::drop_before_answer());
    shop.drain().await;
    let hours_ago = async |hours: u8| {
        shop.sql(&format!(
            "UPDATE inngest_outbox_batch SET due_at = 'epoch', ambiguous_at = now() - interval '{hours} hours'"
        ))
        .await;
    };
    hours_ago(22).await;
    shop.api.fail_next(Fault::status(503));
    assert_eq!(counts(shop.drain().await), [0, 0, 0, 3], "22 hours are not too long");
    hours_ago(23).await;
    let requests = shop.api.requests().len();
    assert_eq!(counts(shop.drain().await), [0, 3, 0, 0]);
    assert_eq!(shop.api.requests().len(), requests, "they were not sent");

    let dead = dead_events(&shop).await;
    assert!(dead.iter().all(|event| event.is_expired() && event.may_be_delivered));
    let ids = || dead.iter().map(|event| event.id);
    let relay = idle_relay(&shop).await;
    assert_eq!(relay.requeue(ids(), Ids::Keep).await.expect("a database"), 0);
    assert_eq!(relay.requeue(ids(), Ids::Fresh).await.expect("a database"), 3);
    relay.close(Duration::from_secs(5)).await;
    shop.drain_all().await;
    assert!(shop.ids().values().all(|ids| ids.len() == 2));
}

#[tokio::test]
async fn old_dead_events_are_deleted_the_oldest_first() {
    let Some(shop) = Shop::open().await else { return };
    reject(&shop, |_| true);
    shop.enqueue(0..6).await;
    shop.drain_all().await;
    // Views 5, 4, 3 died 5, 4, 3 days ago, view 0 now.
    shop.sql(
        "UPDATE inngest_outbox_dead SET died_at = died_at -
           (convert_from(body, 'UTF8')::json -> 'data' ->> 'number')::integer * interval '1 day'",
    )
    .await;
    let relay = idle_relay(&shop).await;
    let day = Duration::from_secs(24 * 60 * 60);
    assert_eq!(relay.purge_dead(2 * day, 2).await.expect("a database"), 2);
    let left = relay.dead_events(0, 10).await.expect("a database");
    assert_eq!(left.iter().map(number).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(relay.purge_dead(2 * day, 100).await.expect("a database"), 2);
    assert_eq!(relay.purge_dead(Duration::MAX, 100).await.expect("a database"), 0);
    assert_eq!(relay.purge_dead(Duration::ZERO, 100).await.expect("a database"), 2);
}

#[tokio::test]
async fn a_row_that_is_no_event_dies_and_does_not_stop_the_others() {
    let Some(shop) = Shop::open().await else { return };
    shop.enqueue([1]).await;
    shop.sql(r"INSERT INTO inngest_outbox (name, body) VALUES ('x', '\xff7b')").await;
    shop.enqueue([2]).await;
    assert_eq!(counts(shop.drain().await), [2, 1, 0, 0]);
    shop.assert_delivered([1, 2]);
    let dead = dead_events(&shop).await;
    assert!(dead[0].reason.contains("the row in the outbox"), "{:?}", dead[0]);
}

#[tokio::test]
async fn the_state_of_the_outbox_is_counted() {
    let Some(shop) = Shop::open().await else { return };
    reject(&shop, |number| number == 5);
    shop.enqueue([5]).await;
    shop.drain_all().await;
    shop.api.fault_when(|_| Some(Fault::status(503)));
    shop.enqueue(10..14).await;
    shop.drain().await;
    shop.sql("UPDATE inngest_outbox_batch SET due_at = now() + interval '30 minutes'").await;
    let relay = idle_relay(&shop).await;
    shop.enqueue(20..23).await;
    shop.sql("UPDATE inngest_outbox SET created_at = '2020-02-03 04:05:06.789Z' WHERE seq % 2 = 0")
        .await;
    let stats = relay.stats().await.expect("a database");
    assert_eq!((stats.pending, stats.sealed, stats.dead), (3, 4, 1));
    assert_eq!((stats.in_flight, stats.isolated), (0, 0));
    let millis = Duration::from_millis(1_580_702_706_789);
    assert_eq!(stats.oldest, Some(std::time::UNIX_EPOCH + millis));
    shop.sql("UPDATE inngest_outbox_batch SET token = '\\x00', crashes = 4").await;
    let stats = relay.stats().await.expect("a database");
    assert_eq!((stats.in_flight, stats.isolated), (1, 0));
    shop.sql(
        "INSERT INTO inngest_outbox (name, body) SELECT 'x', '' FROM generate_series(1, 11000)",
    )
    .await;
    assert_eq!(relay.stats().await.expect("a database").pending, 10_000);
}
