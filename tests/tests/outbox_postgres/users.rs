//! What relays do to the transactions of the application, and these to relays.

use std::time::{Duration, Instant};

use inngest_tests::ItemViewed;
use inngest_tests::postgres::raw;

use crate::fixture::{Shop, until};
use inngest_tests::postgres::sqlx::{self, Executor, PgPool};

/// The locks that detect serialization failures.
const PREDICATE_LOCKS: &str = "SELECT count(*) FROM pg_locks
    WHERE mode = 'SIReadLock' AND relation::regclass::text LIKE 'inngest_outbox%'";

/// Inserts an order and its event in a serializable transaction that also reads.
async fn place(shop: &Shop, pool: &PgPool, number: u32) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    tx.execute("SELECT count(*) FROM prices").await?;
    let insert = sqlx::query("INSERT INTO orders (id) VALUES ($1)");
    insert.bind(i64::from(number)).execute(&mut *tx).await?;
    let enqueued = shop.outbox.enqueue(&mut tx, ItemViewed::number(number)).await;
    enqueued.map_err(|error| match error {
        inngest_core::outbox::EnqueueError::Database(error) => error,
        error => panic!("{error}"),
    })?;
    tx.commit().await?;
    shop.outbox.wake();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relays_fail_no_serializable_transaction_of_the_application() {
    const TASKS: u32 = 6;
    const ORDERS: u32 = 100;
    let Some(shop) = Shop::open().await else { return };
    shop.sql("CREATE TABLE orders (id bigint NOT NULL); CREATE TABLE prices (id bigint)").await;
    let name = shop.database.name();
    shop.sql(&format!("ALTER DATABASE {name} SET default_transaction_isolation = serializable"))
        .await;
    // The default applies to new connections.
    let (app, relays) = (shop.database.pool(TASKS + 2).await, shop.database.pool(8).await);
    let mut running = Vec::new();
    for _ in 0..2 {
        let relay = shop.relay_with(&relays).batch_events(10).start().await;
        running.push(relay.expect("a relay"));
    }
    // While a serializable transaction is open, the locks of all later ones are kept.
    let mut open = app.begin().await.expect("a transaction");
    open.execute("SELECT count(*) FROM prices").await.expect("a table");
    let (shop_ref, app_ref) = (&shop, &app);
    let task = async |task: u32| {
        for order in 0..ORDERS {
            let number = task * ORDERS + order;
            place(shop_ref, app_ref, number).await.expect("no serialization failure");
        }
    };
    futures_util::future::join_all((0..TASKS).map(task)).await;
    until("all events", || shop.api.events().len() >= (TASKS * ORDERS) as usize).await;
    for relay in &running {
        relay.stats().await.expect("a database");
        relay.requeue([1], inngest_core::outbox::Ids::Keep).await.expect("a database");
        relay.dead_events(0, 10).await.expect("a database");
    }
    assert_eq!(shop.number(PREDICATE_LOCKS).await, 0, "a relay's transaction was serializable");
    open.commit().await.expect("a commit");
    for relay in running {
        relay.close(Duration::from_secs(5)).await;
    }
    app.close().await;
    relays.close().await;
    shop.assert_delivered(0..TASKS * ORDERS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_transaction_does_not_make_every_claim_read_the_deleted_rows() {
    const DELETED: u32 = 3_000;
    const CLAIMS: u32 = 200;
    let Some(shop) = Shop::open().await else { return };
    // Its snapshot keeps all rows that are deleted later.
    let mut long = shop.pool.begin().await.expect("a transaction");
    long.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").await.expect("a level");
    long.execute("SELECT count(*) FROM inngest_outbox").await.expect("a table");
    shop.enqueue(0..DELETED).await;
    let pool = shop.database.pool(6).await;
    shop.relay_with(&pool).batch_events(10).drain().await.expect("a database");
    assert_eq!(shop.waiting().await, 0);
    // The statistics are written when a connection ends.
    pool.close().await;
    tokio::time::sleep(Duration::from_millis(600)).await;

    let before = rows_read(&shop).await;
    let pool = shop.database.pool(6).await;
    let relay = shop.relay_with(&pool).start().await.expect("a relay");
    let started = Instant::now();
    for number in DELETED..DELETED + CLAIMS {
        shop.enqueue([number]).await;
        shop.outbox.wake();
        until("the event", || shop.api.events().len() > number as usize).await;
    }
    relay.close(Duration::from_secs(5)).await;
    let seconds = i64::try_from(started.elapsed().as_secs()).expect("a short test") + 2;
    pool.close().await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    let read = rows_read(&shop).await - before;
    long.rollback().await.expect("a transaction");
    // One claim a second looks at all rows, at some more than once. The others look at the newest rows.
    let (deleted, claims) = (i64::from(DELETED), i64::from(CLAIMS));
    let allowed = seconds * 4 * deleted + claims * deleted / 5;
    assert!(read > claims, "the statistics are there");
    assert!(read <= allowed, "{claims} claims in {seconds} s have read {read} rows");
    println!("{claims} claims in {seconds} s have read {read} rows over {deleted} deleted ones");
}

/// Returns the number of rows of the outbox that were read, with or without an index.
async fn rows_read(shop: &Shop) -> i64 {
    shop.number(
        "SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname LIKE 'inngest%')
           + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname LIKE 'inngest%')",
    )
    .await
}

#[tokio::test]
async fn a_claim_is_committed_to_the_disk_where_commits_are_asynchronous() {
    let Some(shop) = Shop::open().await else { return };
    shop.sql("CREATE TABLE seen (setting text); CREATE TABLE settled (setting text)").await;
    // A trigger at the commit sees the setting of the commit.
    shop.sql(
        "CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF TG_OP = 'INSERT' THEN
             INSERT INTO seen VALUES (current_setting('synchronous_commit'));
           ELSE
             INSERT INTO settled VALUES (current_setting('synchronous_commit'));
           END IF;
           RETURN NULL;
         END $$;
         CREATE CONSTRAINT TRIGGER see AFTER INSERT OR DELETE ON inngest_outbox_batch
           DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION see()",
    )
    .await;
    let settings = [("off", "local"), ("on", "on"), ("remote_apply", "remote_apply")];
    for (number, (setting, expected)) in (0..).zip(settings) {
        let options = shop.database.options().options([("synchronous_commit", setting)]);
        let pool = PgPool::connect_with(options).await.expect("a database");
        shop.enqueue([number]).await;
        shop.relay_with(&pool).drain().await.expect("a database");
        let claims = format!("SELECT count(*) FROM seen WHERE setting = '{expected}'");
        assert_eq!(shop.number(&claims).await, 1, "{setting}");
        pool.close().await;
    }
    assert_eq!(shop.number("SELECT count(*) FROM settled WHERE setting = 'off'").await, 3);
    drop(shop.pool.fetch_all(raw("SELECT 1")).await);
}
