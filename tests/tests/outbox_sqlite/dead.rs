//! Dead events: why an event dies, and how it is sent again or deleted.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use inngest_core::outbox::{DeadEvent, Ids, Relay, SqliteStore};
use inngest_core::testing::Fault;
use inngest_tests::ItemViewed;

use crate::fixture::{Shop, counts, until};

/// Rejects the views of which `is_bad` returns true.
fn reject(shop: &Shop, is_bad: impl Fn(u64) -> bool + Send + 'static) {
    shop.api.fault_when_event(move |event| {
        let number = event.data["number"].as_u64().expect("a number");
        is_bad(number).then(|| Fault::refuse(format!("there is no item {number}")))
    });
}

/// Returns a relay that claims nothing for a minute.
async fn idle_relay(shop: &Shop) -> Relay<SqliteStore> {
    shop.sql("UPDATE inngest_outbox_batch SET due_at = 1");
    let minute = Duration::from_secs(60);
    shop.relay().poll(minute..=minute).start().await.expect("a relay")
}

async fn dead_events(shop: &Shop) -> Vec<DeadEvent> {
    let relay = idle_relay(shop).await;
    let dead = relay.dead_events(0, 1_000).await.expect("a database");
    relay.close(Duration::from_secs(5)).await;
    dead
}

/// Returns the text in the first column of the first row.
fn text(shop: &Shop, sql: &str) -> String {
    shop.db().query_row(sql, (), |row| row.get(0)).expect("a text")
}

fn number(event: &DeadEvent) -> u64 {
    let body: serde_json::Value = serde_json::from_slice(&event.body).expect("JSON");
    body["data"]["number"].as_u64().expect("a number")
}

#[tokio::test]
async fn a_rejected_event_is_dead_and_the_others_are_delivered() {
    let shop = Shop::open().await;
    reject(&shop, |number| number % 4 == 2);
    let seen: Arc<Mutex<Vec<DeadEvent>>> = Arc::default();
    let hook = Arc::clone(&seen);
    shop.enqueue(0..10);
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
    }
    assert_eq!(shop.number("SELECT count(*) FROM inngest_outbox"), 0);
    assert_eq!(shop.number("SELECT count(*) FROM inngest_outbox_batch"), 0);
}

#[tokio::test]
async fn dead_events_are_read_in_pages() {
    let shop = Shop::open().await;
    reject(&shop, |_| true);
    shop.enqueue(0..7);
    shop.drain_all().await;
    let relay = idle_relay(&shop).await;
    let (mut after, mut numbers) = (0, Vec::new());
    loop {
        let page = relay.dead_events(after, 3).await.expect("a database");
        let Some(last) = page.last() else { break };
        after = last.id;
        numbers.push(page.iter().map(number).collect::<Vec<_>>());
    }
    relay.close(Duration::from_secs(5)).await;
    assert_eq!(numbers, [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
}

#[tokio::test]
async fn a_requeued_event_keeps_the_id_that_inngest_may_have_accepted() {
    let shop = Shop::open().await;
    shop.enqueue(0..10);
    // Inngest accepts the events, and the response is lost.
    shop.api.fail_next(Fault::drop_before_answer());
    shop.drain().await;
    // The next attempt rejects some of them.
    reject(&shop, |number| [3, 4, 8].contains(&number));
    shop.drain_all().await;
    let dead = dead_events(&shop).await;
    assert_eq!(dead.iter().map(number).collect::<Vec<_>>(), [3, 4, 8]);
    assert!(dead.iter().all(|event| event.may_be_delivered));

    shop.api.clear_faults();
    // Pending events must not get into the range of the requeued ones.
    shop.enqueue(10..20);
    let relay = idle_relay(&shop).await;
    until("the pending events", || shop.number("SELECT count(*) FROM inngest_outbox") == 0).await;
    shop.enqueue(20..23);
    let ids = dead.iter().map(|event| event.id).chain([999, dead[0].id]);
    assert_eq!(relay.requeue(ids, Ids::Keep).await.expect("a database"), 3);
    shop.enqueue(30..33);
    until("an empty outbox", || {
        shop.outbox.wake();
        shop.number("SELECT count(*) FROM inngest_outbox") == 0
    })
    .await;
    relay.close(Duration::from_secs(5)).await;
    assert!(dead_events(&shop).await.is_empty());
    shop.assert_delivered((0..23).chain(30..33));
    let sent = shop.ids_in_order();
    for number in [3, 4, 8] {
        let times = sent.iter().filter(|(it, _)| *it == number).count();
        assert_eq!(times, 2, "view {number} was accepted before it died, and after its requeue");
    }
}

#[tokio::test]
async fn events_of_several_batches_are_requeued_with_their_own_ids() {
    let shop = Shop::open().await;
    // Each batch has a seed of its own, and loses the event at another place.
    let lost: Vec<u32> = (0..8).map(|batch| batch * 8 + batch).collect();
    for batch in 0..8 {
        shop.enqueue(batch * 8..(batch + 1) * 8);
        shop.api.fail_next(Fault::drop_before_answer());
        shop.drain().await;
        reject(&shop, move |number| number == u64::from(batch * 9));
        shop.drain_all().await;
        shop.api.clear_faults();
    }
    // As if the attempts had ended in the same millisecond.
    shop.sql("UPDATE inngest_outbox_dead SET ambiguous_at = (SELECT min(ambiguous_at) FROM inngest_outbox_dead)");
    let relay = idle_relay(&shop).await;
    let dead = relay.dead_events(0, 100).await.expect("a database");
    let ids = dead.iter().map(|event| event.id);
    assert_eq!(relay.requeue(ids, Ids::Keep).await.expect("a database"), 8);
    relay.close(Duration::from_secs(5)).await;
    shop.drain_all().await;
    shop.assert_delivered(0..64);
    let sent = shop.ids_in_order();
    for number in lost {
        let times = sent.iter().filter(|(it, _)| *it == number).count();
        assert_eq!(times, 2, "view {number} was accepted before it died, and after its requeue");
    }
}

#[tokio::test]
async fn requeued_events_keep_the_time_of_their_own_doubt() {
    let shop = Shop::open().await;
    shop.enqueue(0..3);
    shop.api.fail_next(Fault::drop_before_answer());
    shop.drain().await;
    reject(&shop, |_| true);
    shop.drain_all().await;
    shop.sql("UPDATE inngest_outbox_dead SET ambiguous_at = ambiguous_at + 1000 WHERE place > 0");
    let times = "SELECT group_concat(n) FROM (SELECT count(*) AS n FROM inngest_outbox_dead GROUP BY ambiguous_at)";
    assert_eq!(text(&shop, times), "1,2");
    let relay = idle_relay(&shop).await;
    let dead = relay.dead_events(0, 10).await.expect("a database");
    let ids = dead.iter().map(|event| event.id);
    assert_eq!(relay.requeue(ids, Ids::Keep).await.expect("a database"), 3);
    // The relay has not run since.
    let times = "SELECT group_concat(n) FROM (SELECT last_seq - first_seq + 1 AS n FROM inngest_outbox_batch \
                 ORDER BY ambiguous_at)";
    assert_eq!(text(&shop, times), "1,2");
    relay.close(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn pending_events_that_a_requeue_seals_share_a_request() {
    let shop = Shop::open().await;
    reject(&shop, |number| number == 0);
    shop.enqueue(0..1);
    shop.drain_all().await;
    shop.enqueue(100..101);
    let relay = idle_relay(&shop).await;
    until("the first poll", || shop.number("SELECT count(*) FROM inngest_outbox") == 0).await;
    shop.enqueue(1..41);
    let dead = relay.dead_events(0, 10).await.expect("a database");
    assert_eq!(relay.requeue([dead[0].id], Ids::Keep).await.expect("a database"), 1);
    relay.close(Duration::from_secs(5)).await;
    shop.drain_all().await;
    let size = |body: &[u8]| {
        serde_json::from_slice::<Vec<serde_json::Value>>(body).map_or(1, |all| all.len())
    };
    let sizes: Vec<usize> = shop.api.requests().iter().map(|request| size(&request.body)).collect();
    assert!(sizes.contains(&40), "{sizes:?}");
}

#[tokio::test]
async fn an_event_requeued_with_a_fresh_id_is_sent_as_another_event() {
    let shop = Shop::open().await;
    shop.enqueue(0..4);
    shop.api.fail_next(Fault::drop_before_answer());
    shop.drain().await;
    reject(&shop, |number| number == 2);
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
    let outcomes: Arc<Mutex<Vec<&'static str>>> = Arc::default();
    let hook = Arc::clone(&outcomes);
    let shop = Shop::with(|builder| {
        builder.after_send(move |report| {
            hook.lock().expect("no panic").extend(report.outcome.error_type());
        })
    })
    .await;
    shop.enqueue(0..3);
    shop.api.fail_next(Fault::drop_before_answer());
    shop.drain().await;
    outcomes.lock().expect("no panic").clear();
    let hours_ago = |hours: i64| {
        let sql = format!("ambiguous_at = ambiguous_at - {hours} * 3600000");
        shop.sql(&format!("UPDATE inngest_outbox_batch SET due_at = 1, {sql}"));
    };
    hours_ago(22);
    shop.api.fail_next(Fault::status(503));
    assert_eq!(counts(shop.drain().await), [0, 0, 0, 3], "22 hours are not too long");
    hours_ago(1);
    let requests = shop.api.requests().len();
    assert_eq!(counts(shop.drain().await), [0, 3, 0, 0]);
    assert_eq!(shop.api.requests().len(), requests, "they were not sent");
    assert_eq!(*outcomes.lock().expect("no panic"), ["expired"; 3]);

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
async fn a_requeue_that_keeps_ids_preserves_every_event_that_is_pending() {
    let shop = Shop::open().await;
    reject(&shop, |number| number < 1_000 && number % 3 == 1);
    shop.enqueue(0..60);
    shop.relay().batch_events(7).drain().await.expect("a database");
    shop.drain_all().await;
    let keys = |table: &str| -> BTreeSet<(Vec<u8>, i64)> {
        let sql = format!("SELECT seed, place FROM {table}");
        let db = shop.db();
        let mut statement = db.prepare(&sql).expect("valid SQL");
        let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
        rows.collect::<Result<_, _>>().expect("rows")
    };
    let before = keys("inngest_outbox_dead");
    assert_eq!(before.len(), 20);
    // More pending events than fit into one batch.
    shop.enqueue(1_000..2_100);
    let relay = idle_relay(&shop).await;
    let dead = relay.dead_events(0, 100).await.expect("a database");
    let ids = dead.iter().map(|event| event.id);
    assert_eq!(relay.requeue(ids, Ids::Keep).await.expect("a database"), 20);
    relay.close(Duration::from_secs(5)).await;
    // They are rejected again, and therefore back where they were.
    shop.drain_all().await;
    assert_eq!(keys("inngest_outbox_dead"), before, "a requeued event changed its id");
    shop.assert_delivered((0..60).filter(|number| number % 3 != 1).chain(1_000..2_100));
}

#[tokio::test]
async fn old_dead_events_are_deleted_the_oldest_first() {
    let shop = Shop::open().await;
    reject(&shop, |_| true);
    shop.enqueue(0..6);
    shop.drain_all().await;
    // Views 5, 4, 3 died 5, 4, 3 days ago, view 0 now.
    shop.sql(
        "UPDATE inngest_outbox_dead SET died_at = died_at -
           json_extract(CAST(body AS TEXT), '$.data.number') * 86400000",
    );
    let relay = idle_relay(&shop).await;
    let day = Duration::from_secs(24 * 60 * 60);
    assert_eq!(relay.purge_dead(2 * day, 2).await.expect("a database"), 2);
    let left = relay.dead_events(0, 10).await.expect("a database");
    assert_eq!(left.iter().map(number).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(relay.purge_dead(2 * day, 100).await.expect("a database"), 2);
    assert_eq!(relay.purge_dead(Duration::MAX, 100).await.expect("a database"), 0);
    assert_eq!(relay.purge_dead(Duration::ZERO, 100).await.expect("a database"), 2);
    relay.close(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_row_that_is_no_event_dies_and_does_not_stop_the_others() {
    let shop = Shop::open().await;
    shop.enqueue([1]);
    shop.sql(
        "INSERT INTO inngest_outbox (name, body, created_at)
         VALUES (CAST(x'ff' AS TEXT), x'7b', 5)",
    );
    shop.enqueue([2]);
    assert_eq!(counts(shop.drain().await), [2, 1, 0, 0]);
    shop.assert_delivered([1, 2]);
    let dead = dead_events(&shop).await;
    assert!(dead[0].reason.contains("the row in the outbox is not an event"), "{:?}", dead[0]);
    assert_eq!(dead[0].name, "\u{fffd}");
}

#[tokio::test]
async fn rows_that_somebody_deleted_leave_no_batch() {
    let shop = Shop::open().await;
    shop.api.fail_next(Fault::status(503));
    shop.enqueue(0..3);
    shop.drain().await;
    shop.sql("DELETE FROM inngest_outbox");
    shop.make_all_due();
    shop.outbox.enqueue_sqlite(&shop.db(), ItemViewed::number(9)).expect("a row");
    assert_eq!(counts(shop.drain().await), [1, 0, 0, 0]);
    assert_eq!(shop.number("SELECT count(*) FROM inngest_outbox_batch"), 0);
    shop.assert_delivered([9]);
}
