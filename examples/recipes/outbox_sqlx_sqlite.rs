//! The outbox with another driver than the relay's: the application writes the events into an SQLite file with sqlx, in
//! two lines, and the relay uses a rusqlite connection to the same file.
//!
//! ```text
//! cargo run -p inngest-recipes --example outbox-sqlx-sqlite
//! ```
//!
//! Both drivers link SQLite, and a program can link it only once. So cargo selects a version of rusqlite that uses the
//! same version of SQLite's bindings as sqlx: rusqlite 0.32 for sqlx 0.8.

use std::path::Path;
use std::time::Duration;
use std::{env, fs, process};

use inngest_core::outbox::{Outbox, SqliteStore, sql};
use inngest_core::testing::EventApi;
use inngest_core::{Event, InngestEvent};
use serde::{Deserialize, Serialize};
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Serialize, Deserialize, InngestEvent)]
#[inngest(name = "shop/order.placed", id = "order-placed-{number}")]
struct OrderPlaced {
    number: i64,
    cents: i64,
}

/// Writes an order and its event in one transaction.
async fn place(db: &SqlitePool, outbox: &Outbox, order: &OrderPlaced) -> Result {
    let event = outbox.prepare(order)?;
    // `begin()` would begin a deferred transaction, which fails if it reads first and the relay then writes.
    let mut tx = db.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query("INSERT INTO orders (number, cents) VALUES (?1, ?2)")
        .bind(order.number)
        .bind(order.cents)
        .execute(&mut *tx)
        .await?;
    sqlx::query(sql::sqlite::INSERT)
        .bind(event.name())
        .bind(event.body())
        .bind(event.traceparent())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    outbox.wake();
    Ok(())
}

/// Creates the tables. The store is for the relay.
async fn open(file: &Path) -> Result<(SqlitePool, SqliteStore)> {
    // The store is opened first, since its `migrate` sets the journal mode of a new file.
    let store = SqliteStore::open(file)?;
    store.migrate().await?;
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(Duration::from_secs(5));
    let db = SqlitePool::connect_with(options).await?;
    sqlx::query("CREATE TABLE orders (number INTEGER PRIMARY KEY, cents INTEGER NOT NULL)")
        .execute(&db)
        .await?;
    Ok((db, store))
}

#[tokio::main]
async fn main() -> Result {
    let api = EventApi::start().await;
    api.on("send-receipt", |order: Event<OrderPlaced>| async move {
        println!("a receipt for order {}, {} cents", order.data.number, order.data.cents);
    });
    let directory = env::temp_dir().join(format!("inngest-sqlx-sqlite-{}", process::id()));
    fs::create_dir(&directory)?;
    let (db, store) = open(&directory.join("shop.db")).await?;

    let client = api.client(); // in your service: `Client::from_env()`
    let outbox = Outbox::for_client(&client);
    let relay = outbox.relay(&client, store).start().await?;
    for number in 1..=3 {
        place(&db, &outbox, &OrderPlaced { number, cents: 4_900 }).await?;
    }
    api.wait_for_event(2).await;
    api.idle().await;
    let report = relay.close(Duration::from_secs(10)).await;
    println!("{} events delivered, {} left", report.delivered, report.left);

    db.close().await;
    fs::remove_dir_all(directory)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use inngest_core::Client;

    #[tokio::test]
    async fn an_order_sends_its_event_and_a_failed_one_does_not() {
        let directory = env::temp_dir().join(format!("inngest-sqlx-sqlite-test-{}", process::id()));
        fs::create_dir_all(&directory).unwrap();
        let (db, store) = open(&directory.join("shop.db")).await.unwrap();
        let (client, sent) = Client::recorder();
        let outbox = Outbox::for_client(&client);

        place(&db, &outbox, &OrderPlaced { number: 1, cents: 4_900 }).await.unwrap();
        // The number is used already, so this transaction is rolled back.
        place(&db, &outbox, &OrderPlaced { number: 1, cents: 1_200 }).await.unwrap_err();

        let report = outbox.relay(&client, store).drain().await.unwrap();
        assert_eq!((report.delivered, report.dead, report.left), (1, 0, 0));
        sent.one_like(OrderPlaced { number: 1, cents: 4_900 });
        sent.nothing_else();
        db.close().await;
        fs::remove_dir_all(directory).unwrap();
    }
}
