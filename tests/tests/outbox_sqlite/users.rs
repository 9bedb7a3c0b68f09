//! The application's side: its transactions beside relays.

use std::process::Command;
use std::thread;
use std::time::Duration;

use inngest_core::outbox::EnqueueError;
use inngest_tests::ItemViewed;
use rusqlite::TransactionBehavior::{Deferred, Immediate};

use crate::fixture::{Shop, counts, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_writers_beside_two_relays_lose_nothing() {
    const WRITERS: u32 = 8;
    const ORDERS: u32 = 40;
    let shop = Shop::open().await;
    shop.db().execute_batch("CREATE TABLE orders (number INTEGER PRIMARY KEY)").expect("a table");
    let relays = [
        shop.relay().start().await.expect("a relay"),
        shop.relay().start().await.expect("a relay"),
    ];
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (mut db, outbox) = (shop.db(), shop.outbox.clone());
            thread::spawn(move || {
                for number in writer * ORDERS..(writer + 1) * ORDERS {
                    let tx = db.transaction_with_behavior(Immediate)?;
                    tx.query_row("SELECT count(*) FROM orders", (), |_| Ok(()))?;
                    tx.execute("INSERT INTO orders (number) VALUES (?1)", [number])?;
                    outbox.enqueue_sqlite(&tx, ItemViewed::number(number)).expect("a row");
                    tx.commit()?;
                }
                Ok::<(), rusqlite::Error>(())
            })
        })
        .collect();
    for writer in writers {
        let written = tokio::task::spawn_blocking(move || writer.join()).await.expect("no panic");
        written.expect("no panic").expect("no transaction fails");
    }
    until("an empty outbox", || shop.number("SELECT count(*) FROM inngest_outbox") == 0).await;
    for relay in relays {
        relay.close(Duration::from_secs(10)).await;
    }
    assert_eq!(shop.number("SELECT count(*) FROM orders"), i64::from(WRITERS * ORDERS));
    shop.assert_delivered(0..WRITERS * ORDERS);
    let accepted = u32::try_from(shop.api.events().len()).expect("a small number");
    assert_eq!(accepted, WRITERS * ORDERS, "an event was sent twice");
}

/// The trap: `busy_timeout` does not help, since waiting could not make the read valid again.
#[tokio::test]
async fn a_deferred_transaction_that_has_read_fails_at_once_if_another_connection_writes() {
    let shop = Shop::open().await;
    let mut db = shop.db();
    db.busy_timeout(Duration::from_secs(60)).expect("a timeout");
    let tx = db.transaction_with_behavior(Deferred).expect("a transaction");
    tx.query_row("SELECT count(*) FROM inngest_outbox", (), |_| Ok(())).expect("a row");
    shop.enqueue([1]);
    let error = shop.outbox.enqueue_sqlite(&tx, ItemViewed::number(2)).expect_err("a conflict");
    let EnqueueError::Database(error) = error else { panic!("{error}") };
    let code = error.sqlite_error().expect("an error of SQLite").extended_code;
    assert_eq!(code, rusqlite::ffi::SQLITE_BUSY_SNAPSHOT);
    tx.rollback().expect("a rollback");

    // What the documentation advises.
    let tx = db.transaction_with_behavior(Immediate).expect("a transaction");
    tx.query_row("SELECT count(*) FROM inngest_outbox", (), |_| Ok(())).expect("a row");
    shop.outbox.enqueue_sqlite(&tx, ItemViewed::number(2)).expect("a row");
    tx.commit().expect("a commit");
    shop.drain().await;
    shop.assert_delivered([1, 2]);
}

#[tokio::test]
async fn a_long_read_does_not_stop_the_relay() {
    let shop = Shop::open().await;
    shop.enqueue(0..3);
    let mut db = shop.db();
    let tx = db.transaction_with_behavior(Deferred).expect("a transaction");
    let pending = |tx: &rusqlite::Transaction<'_>| -> i64 {
        let sql = "SELECT count(*) FROM inngest_outbox";
        tx.query_row(sql, (), |row| row.get(0)).expect("a number")
    };
    assert_eq!(pending(&tx), 3);
    assert_eq!(counts(shop.drain().await), [3, 0, 0, 0]);
    assert_eq!(pending(&tx), 3, "the reader sees the same as before");
}

#[tokio::test]
async fn an_idle_relay_notices_what_another_process_commits() {
    let shop = Shop::open().await;
    let relay = shop.relay().start().await.expect("a relay");
    for first in [0, 100, 200] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_outbox-shop"));
        command.env("SHOP_DATABASE", format!("sqlite:{}", shop.folder.file().display()));
        command.env("INNGEST_DEV", shop.api.url());
        command.env("SHOP_FIRST", first.to_string()).env("SHOP_ORDERS", "3");
        let status = tokio::task::spawn_blocking(move || command.status()).await;
        assert!(status.expect("no panic").expect("a process").success());
        until("an empty outbox", || shop.number("SELECT count(*) FROM inngest_outbox") == 0).await;
    }
    relay.close(Duration::from_secs(5)).await;
    shop.assert_delivered((0..3).chain(100..103).chain(200..203));
}
