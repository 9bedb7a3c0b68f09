//! The outbox with another driver than the relay's: the application writes the events with tokio-postgres, in two
//! lines, and the relay uses a sqlx pool for the same database.
//!
//! ```text
//! DATABASE_URL=postgres://.. cargo run -p inngest-recipes --example outbox-tokio-postgres
//! ```
//!
//! It creates the tables of the outbox and a table `orders`, if they are missing.

use std::env;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use inngest_core::outbox::{Outbox, PostgresStore, sql};
use inngest_core::testing::EventApi;
use inngest_core::{Event, InngestEvent};
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio_postgres::{Client as Database, Config, NoTls};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Serialize, Deserialize, InngestEvent)]
#[inngest(name = "shop/order.placed", id = "order-placed-{number}")]
struct OrderPlaced {
    number: i64,
    cents: i64,
}

/// Writes an order and its event in one transaction.
async fn place(db: &mut Database, outbox: &Outbox, order: &OrderPlaced) -> Result {
    let event = outbox.prepare(order)?;
    let tx = db.transaction().await?;
    tx.execute(
        "INSERT INTO orders (number, cents) VALUES ($1, $2)",
        &[&order.number, &order.cents],
    )
    .await?;
    tx.execute(sql::postgres::INSERT, &[&event.name(), &event.body(), &event.traceparent()])
        .await?;
    tx.commit().await?;
    outbox.wake();
    Ok(())
}

/// Connects and creates the tables. The store is for the relay, which uses up to six connections.
async fn open(config: &Config, pool: PgConnectOptions) -> Result<(Database, PostgresStore)> {
    let store =
        PostgresStore::new(PgPoolOptions::new().max_connections(6).connect_with(pool).await?);
    store.migrate().await?;
    let (db, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    db.batch_execute(
        "CREATE TABLE IF NOT EXISTS orders (number bigint PRIMARY KEY, cents bigint NOT NULL)",
    )
    .await?;
    Ok((db, store))
}

#[tokio::main]
async fn main() -> Result {
    let url = env::var("DATABASE_URL")
        .map_err(|_| "set DATABASE_URL to postgres://user@host/database")?;
    let (mut db, store) = open(&url.parse()?, url.parse()?).await?;

    let api = EventApi::start().await;
    api.on("send-receipt", |order: Event<OrderPlaced>| async move {
        println!("a receipt for order {}, {} cents", order.data.number, order.data.cents);
    });
    let client = api.client(); // in your service: `Client::from_env()`
    let outbox = Outbox::for_client(&client);
    let relay = outbox.relay(&client, store).start().await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let number = i64::try_from(now)?;
    place(&mut db, &outbox, &OrderPlaced { number, cents: 4_900 }).await?;

    api.wait_for_event(0).await;
    api.idle().await;
    let report = relay.close(Duration::from_secs(10)).await;
    println!("{} events delivered, {} left", report.delivered, report.left);
    Ok(())
}

#[cfg(test)]
mod test_schema;

#[cfg(test)]
mod tests {
    use super::*;
    use inngest_core::Client;

    #[tokio::test]
    async fn an_order_sends_its_event_and_a_failed_one_does_not() {
        let Some(schema) = test_schema::TestSchema::create().await else { return };
        let mut config: Config = schema.url().parse().unwrap();
        config.options(format!("-c search_path={}", schema.name()));
        let (mut db, store) = open(&config, schema.options()).await.unwrap();
        let (client, sent) = Client::recorder();
        let outbox = Outbox::for_client(&client);

        place(&mut db, &outbox, &OrderPlaced { number: 1, cents: 4_900 }).await.unwrap();
        // The number is used already, so this transaction is rolled back.
        place(&mut db, &outbox, &OrderPlaced { number: 1, cents: 1_200 }).await.unwrap_err();

        let report = outbox.relay(&client, store).drain().await.unwrap();
        assert_eq!((report.delivered, report.dead, report.left), (1, 0, 0));
        sent.one_like(OrderPlaced { number: 1, cents: 4_900 });
        sent.nothing_else();
        schema.remove().await;
    }
}
