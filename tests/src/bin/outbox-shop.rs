//! A shop that is killed: it commits orders, each with an event, and relays the events.
//!
//! | variable | content |
//! |---|---|
//! | `SHOP_DATABASE` | `sqlite:` and the path of the file, or the URL of a PostgreSQL database |
//! | `SHOP_FIRST` | the number of the first order |
//! | `SHOP_ORDERS` | how many orders are committed before the process ends; there is no relay then |
//! | `SHOP_HALT_AT` | a log message of the relay, at which the shop prints `halted` and waits to be killed |
//! | `SHOP_HALT_AFTER` | how many messages of this text are passed before |

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use inngest_core::outbox::{Outbox, PostgresStore, SqliteStore, Store};
use inngest_core::{Client, RetryPolicy};
use inngest_tests::ItemViewed;
use inngest_tests::postgres::sqlx::{self, Executor, PgPool};
use rusqlite::{Connection, TransactionBehavior};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

type ShopError = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), ShopError> {
    let database = std::env::var("SHOP_DATABASE")?;
    let first: u32 = std::env::var("SHOP_FIRST")?.parse()?;
    if let Ok(message) = std::env::var("SHOP_HALT_AT") {
        let after = std::env::var("SHOP_HALT_AFTER")?.parse()?;
        let halt = Halt { message, after: AtomicI64::new(after) };
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(halt))?;
    }
    let retry = RetryPolicy::default().initial_backoff(Duration::from_millis(1));
    let client = Client::builder().retry(retry.max_backoff(Duration::from_millis(10))).build()?;
    let outbox = Outbox::for_client(&client);
    match database.split_once(':') {
        Some(("sqlite", path)) => {
            let store = SqliteStore::open(path)?;
            store.migrate().await?;
            let mut connection = open(Path::new(path))?;
            if let Ok(orders) = std::env::var("SHOP_ORDERS") {
                return commit(&mut connection, &outbox, first, orders.parse()?);
            }
            let sales = outbox.clone();
            let sells = tokio::task::spawn_blocking(move || sell(&mut connection, &sales, first));
            relay(&client, &outbox, store).await?;
            sells.await?
        }
        Some(("postgres" | "postgresql", _)) => {
            let pool = PgPool::connect(&database).await?;
            let store = PostgresStore::new(&pool);
            store.migrate().await?;
            relay(&client, &outbox, store).await?;
            sell_in_postgres(&pool, &outbox, first).await
        }
        _ => Err(format!("SHOP_DATABASE={database} is no database").into()),
    }
}

/// Starts a relay that runs until the process ends.
async fn relay<S: Store>(client: &Client, outbox: &Outbox, store: S) -> Result<(), ShopError> {
    let relay = outbox.relay(client, store).batch_events(8).lease(Duration::from_secs(1));
    let relay = relay.start().await?;
    println!("started");
    std::mem::forget(relay);
    Ok(())
}

fn open(path: &Path) -> Result<Connection, ShopError> {
    let connection = Connection::open(path)?;
    connection.execute_batch("CREATE TABLE IF NOT EXISTS orders (number INTEGER PRIMARY KEY)")?;
    Ok(connection)
}

/// Commits `orders` orders.
fn commit(
    connection: &mut Connection,
    outbox: &Outbox,
    first: u32,
    orders: u32,
) -> Result<(), ShopError> {
    for number in first..first + orders {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        outbox.enqueue_sqlite(&tx, ItemViewed::number(number))?;
        tx.commit()?;
    }
    Ok(())
}

/// Commits orders until the process is killed. Some transactions are rolled back.
fn sell(connection: &mut Connection, outbox: &Outbox, first: u32) -> Result<(), ShopError> {
    let mut number = first;
    loop {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for _ in 0..fastrand::u32(1..6) {
            tx.execute("INSERT INTO orders (number) VALUES (?1)", [number])?;
            outbox.enqueue_sqlite(&tx, ItemViewed::number(number))?;
            number += 1;
        }
        if fastrand::u32(0..5) == 0 {
            tx.rollback()?;
        } else {
            tx.commit()?;
            outbox.wake();
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Like `sell`, with PostgreSQL.
async fn sell_in_postgres(pool: &PgPool, outbox: &Outbox, first: u32) -> Result<(), ShopError> {
    // Two shops may create the table at once.
    let create = "CREATE TABLE IF NOT EXISTS orders (number integer PRIMARY KEY)";
    if pool.execute(create).await.is_err() {
        pool.execute(create).await?;
    }
    let mut number = first;
    loop {
        let mut tx = pool.begin().await?;
        for _ in 0..fastrand::u32(1..6) {
            let insert = sqlx::query("INSERT INTO orders (number) VALUES ($1)");
            insert.bind(i32::try_from(number)?).execute(&mut *tx).await?;
            outbox.enqueue(&mut tx, ItemViewed::number(number)).await?;
            number += 1;
        }
        if fastrand::u32(0..5) == 0 {
            tx.rollback().await?;
        } else {
            tx.commit().await?;
            outbox.wake();
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Stops a thread at a log message, until the process is killed.
struct Halt {
    message: String,
    /// The number of messages before it.
    after: AtomicI64,
}

impl<S: tracing::Subscriber> Layer<S> for Halt {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut text = Message(String::new());
        event.record(&mut text);
        if text.0 == self.message && self.after.fetch_sub(1, Ordering::Relaxed) == 0 {
            println!("halted");
            loop {
                std::thread::park();
            }
        }
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
