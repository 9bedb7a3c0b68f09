//! Errors of the database name the cause and the fix, and never end a relay.

use std::time::Duration;

use inngest_core::outbox::{PostgresStore, RelayError, StoreError};

use crate::fixture::{Shop, counts};
use inngest_tests::postgres::sqlx::postgres::PgPoolOptions;
use inngest_tests::postgres::sqlx::{self, PgPool};

fn store_error(error: RelayError) -> StoreError {
    match error {
        RelayError::Store(error) => error,
        error => panic!("not an error of the database: {error}"),
    }
}

async fn drain_error(shop: &Shop, pool: &PgPool) -> StoreError {
    store_error(shop.relay_with(pool).drain().await.expect_err("an error of the database"))
}

#[tokio::test]
async fn a_missing_table_is_an_error_that_names_the_fix() {
    let Some(shop) = Shop::open().await else { return };
    shop.sql("DROP TABLE inngest_outbox_batch").await;
    let error = drain_error(&shop, &shop.pool).await;
    assert!(matches!(error, StoreError::MissingTable(_)), "{error}");
    assert!(error.to_string().contains("call `migrate` on the store first"), "{error}");
    assert!(error.to_string().contains("\"inngest_outbox_batch\" does not exist"), "{error}");
}

#[tokio::test]
async fn a_migration_into_a_schema_that_does_not_exist_is_not_told_to_migrate() {
    let Some(shop) = Shop::open().await else { return };
    let options = shop.database.options().options([("search_path", "nowhere")]);
    let pool = PgPool::connect_with(options).await.expect("a database");
    let error = PostgresStore::new(&pool).migrate().await.expect_err("no schema");
    assert!(matches!(error, StoreError::Database(_)), "{error}");
    assert!(error.to_string().contains("no schema has been selected to create in"), "{error}");
    pool.close().await;
}

#[tokio::test]
async fn a_read_only_database_is_an_error_that_names_the_cause() {
    let Some(shop) = Shop::open().await else { return };
    shop.enqueue([1]).await;
    let options = shop.database.options().options([("default_transaction_read_only", "on")]);
    let pool = PgPool::connect_with(options).await.expect("a database");
    let error = drain_error(&shop, &pool).await;
    assert!(matches!(error, StoreError::ReadOnly(_)), "{error}");
    pool.close().await;
    shop.drain().await;
    shop.assert_delivered([1]);
}

#[tokio::test]
async fn a_locked_table_is_an_error_if_the_connection_has_a_timeout() {
    let Some(shop) = Shop::open().await else { return };
    let mut tx = shop.pool.begin().await.expect("a transaction");
    let lock = "LOCK TABLE inngest_outbox_batch IN ACCESS EXCLUSIVE MODE";
    sqlx::query(lock).execute(&mut *tx).await.expect("a lock");
    let options = shop.database.options().options([("lock_timeout", "20ms")]);
    let pool = PgPool::connect_with(options).await.expect("a database");
    let error = drain_error(&shop, &pool).await;
    assert!(matches!(error, StoreError::Locked(_)), "{error}");
    pool.close().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_and_an_unknown_role_are_connection_errors() {
    let Some(shop) = Shop::open().await else { return };
    let options = shop.database.options();
    let options = [options.clone().host("127.0.0.1").port(9), options.database("no_such_database")];
    for options in options {
        let quick = PgPoolOptions::new().acquire_timeout(Duration::from_millis(500));
        let error = drain_error(&shop, &quick.connect_lazy_with(options)).await;
        assert!(matches!(error, StoreError::Connection(_)), "{error:?}");
        assert!(error.to_string().contains("no connection to the database"), "{error}");
    }
    let closed = shop.database.pool(1).await;
    closed.close().await;
    let error = drain_error(&shop, &closed).await;
    assert!(matches!(error, StoreError::Connection(_)), "{error:?}");
}

#[tokio::test]
async fn a_relay_without_privileges_goes_on_when_it_gets_them() {
    let Some(shop) = Shop::open().await else { return };
    let role = format!("{}_relay", shop.database.name());
    let tables = "inngest_outbox, inngest_outbox_batch, inngest_outbox_dead, inngest_outbox_schema";
    shop.sql(&format!("CREATE ROLE {role} LOGIN")).await;
    shop.sql(&format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {role}")).await;
    let pool = PgPool::connect_with(shop.database.options().username(&role)).await;
    let pool = pool.expect("a role that may log in without a password");
    let relay = shop.relay_with(&pool).start().await.expect("a relay");
    shop.enqueue([1]).await;
    shop.empty().await;

    shop.sql(&format!("REVOKE DELETE ON inngest_outbox FROM {role}")).await;
    shop.enqueue([2]).await;
    let error = drain_error(&shop, &pool).await;
    assert!(matches!(error, StoreError::Privilege(_)), "{error:?}");
    assert!(error.to_string().contains("permission denied for table inngest_outbox"), "{error}");
    shop.sql(&format!("REVOKE SELECT ON inngest_outbox_batch FROM {role}")).await;
    let error = relay.stats().await.expect_err("no privilege");
    assert!(matches!(error, StoreError::Privilege(_)), "{error:?}");
    assert_eq!(shop.waiting().await, 1);

    shop.sql(&format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {role}")).await;
    shop.empty().await;
    relay.close(Duration::from_secs(5)).await;
    pool.close().await;
    shop.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    shop.assert_delivered([1, 2]);
}

#[tokio::test]
async fn a_role_that_may_only_insert_enqueues_and_cannot_migrate() {
    let Some(shop) = Shop::open().await else { return };
    let role = format!("{}_app", shop.database.name());
    shop.sql(&format!("CREATE ROLE {role} LOGIN; GRANT INSERT ON inngest_outbox TO {role}")).await;
    let pool = PgPool::connect_with(shop.database.options().username(&role)).await;
    let pool = pool.expect("a role that may log in without a password");
    let mut tx = pool.begin().await.expect("a transaction");
    let views = inngest_tests::ItemViewed::many(2);
    shop.outbox.enqueue(&mut tx, &views[0]).await.expect("a row");
    shop.outbox.enqueue_all(&mut tx, &views[1..]).await.expect("a row");
    tx.commit().await.expect("a commit");
    let error = PostgresStore::new(&pool).migrate().await.expect_err("no privilege");
    assert!(matches!(error, StoreError::Privilege(_)), "{error:?}");
    pool.close().await;
    shop.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    assert_eq!(counts(shop.drain().await), [2, 0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_connections_neither_end_a_relay_nor_change_an_id() {
    let Some(shop) = Shop::open().await else { return };
    let relay_pool = shop.database.pool(6).await;
    let relay = shop.relay_with(&relay_pool).batch_events(5).lease(Duration::from_secs(1));
    let relay = relay.start().await.expect("a relay");
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
          AND query LIKE '%inngest_outbox%' AND query NOT LIKE '%pg_stat_activity%'";
    let (mut killed, mut number) = (0, 0);
    while killed < 30 {
        for _ in 0..10 {
            shop.enqueue([number]).await;
            number += 1;
        }
        shop.outbox.wake();
        tokio::time::sleep(Duration::from_millis(fastrand::u64(0..20))).await;
        let mut admin = sqlx::ConnectOptions::connect(&shop.database.options()).await;
        let admin = admin.as_mut().expect("a database");
        killed += sqlx::query_scalar::<_, i64>(kill).fetch_one(admin).await.expect("a count");
        // The application's own pool has lost its connections, too.
        drop(shop.pool.acquire().await);
    }
    shop.empty().await;
    assert!(relay.stats().await.is_ok());
    relay.close(Duration::from_secs(5)).await;
    relay_pool.close().await;
    shop.assert_delivered(0..number);
}
