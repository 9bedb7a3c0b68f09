//! Enqueues and sends events with the version of rusqlite of this package, and exits with an error if one
//! is missing.

use std::error::Error;

use inngest_core::InngestEvent;
use inngest_core::outbox::{Ids, Outbox, SqliteStore, StoreError};
use inngest_core::testing::{EventApi, Fault};
use rusqlite::{Connection, TransactionBehavior};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, InngestEvent)]
#[inngest(name = "shop/order.placed", id = "order-placed-{order}")]
struct OrderPlaced {
    order: u32,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder =
        std::env::temp_dir().join(format!("{}-{}", env!("CARGO_PKG_NAME"), std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let result = trade(&folder.join("shop.db")).await;
    std::fs::remove_dir_all(&folder)?;
    result?;
    println!("{}: SQLite {}", env!("CARGO_PKG_NAME"), rusqlite::version());
    Ok(())
}

async fn trade(file: &std::path::Path) -> Result<(), Box<dyn Error>> {
    let api = EventApi::start().await;
    let client = api.client();
    let outbox = Outbox::for_client(&client);

    // An error while a statement is prepared has another type than one while it runs.
    let store = SqliteStore::open(file)?;
    let missing = outbox.relay(&client, store).start().await.expect_err("no tables");
    assert!(missing.to_string().contains("call `migrate`"), "{missing}");
    let store = SqliteStore::open(file)?;
    store.migrate().await?;

    let mut db = Connection::open(file)?;
    for order in 0..4 {
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        outbox.enqueue_sqlite(&tx, OrderPlaced { order })?;
        if order == 3 { tx.rollback()? } else { tx.commit()? }
    }
    api.fault_when_event(|event| (event.data["order"] == 1).then(|| Fault::refuse("no such item")));
    let report = outbox.relay(&client, store).drain().await?;
    assert_eq!((report.delivered, report.dead), (2, 1));

    api.clear_faults();
    let relay = outbox.relay(&client, SqliteStore::open(file)?).start().await?;
    let dead = relay.dead_events(0, 10).await?;
    assert_eq!(relay.requeue(dead.iter().map(|event| event.id), Ids::Keep).await?, 1);
    api.wait_for_event(2).await;
    relay.close(std::time::Duration::from_secs(10)).await;
    assert_eq!(api.events_of::<OrderPlaced>().len(), 3);

    db.execute_batch("DROP TABLE inngest_outbox")?;
    let drain = outbox.relay(&client, SqliteStore::open(file)?).drain().await;
    let error = drain.expect_err("a missing table").to_string();
    assert!(error.starts_with("a table of the outbox is missing"), "{error}");
    let no_folder = SqliteStore::open(file.join("no").join("folder"));
    assert!(matches!(no_folder, Err(StoreError::Connection(_))));
    Ok(())
}
