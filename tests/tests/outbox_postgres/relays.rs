//! Several relays, and a relay's own life.

use std::collections::BTreeMap;
use std::time::Duration;

use inngest_core::testing::Fault;
use inngest_tests::ItemViewed;
use inngest_tests::postgres::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::fixture::{Shop, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_relays_send_every_event_once() {
    let Some(shop) = Shop::open().await else { return };
    let mut relays = Vec::new();
    for _ in 0..4 {
        let relay = shop.relay().batch_events(7).in_flight(2);
        relays.push(relay.start().await.expect("a relay"));
    }
    for start in 0..30 {
        shop.enqueue(start * 40..(start + 1) * 40).await;
        shop.outbox.wake();
    }
    shop.empty().await;
    let mut delivered = Vec::new();
    for relay in relays {
        delivered.push(relay.close(Duration::from_secs(5)).await.delivered);
    }
    shop.assert_delivered(0..1_200);
    assert_eq!(shop.api.events().len(), 1_200, "an event was sent twice");
    assert_eq!(delivered.iter().sum::<u64>(), 1_200);
    let busy = delivered.iter().filter(|number| **number > 0).count();
    assert!(busy > 1, "only one relay sent anything: {delivered:?}");
}

#[tokio::test]
async fn an_event_that_is_committed_after_later_ones_is_sent_soon() {
    let Some(shop) = Shop::open().await else { return };
    let relay = shop.relay().start().await.expect("a relay");
    let mut late = shop.pool.begin().await.expect("a transaction");
    shop.outbox.enqueue_all(&mut late, ItemViewed::many(5)).await.expect("rows");
    // They have greater numbers, and are sent first.
    shop.enqueue(5..10).await;
    shop.outbox.wake();
    until("the later events", || shop.api.events().len() == 5).await;
    late.commit().await.expect("a commit");
    until("the earlier events", || shop.api.events().len() == 10).await;
    relay.close(Duration::from_secs(5)).await;
    shop.assert_delivered(0..10);
}

#[tokio::test]
async fn a_pool_of_one_connection_is_enough() {
    let Some(shop) = Shop::open().await else { return };
    let pool = shop.database.pool(1).await;
    let relay = shop.relay_with(&pool).batch_events(3).start().await.expect("a relay");
    shop.enqueue(0..50).await;
    shop.empty().await;
    relay.close(Duration::from_secs(5)).await;
    pool.close().await;
    shop.assert_delivered(0..50);
}

#[tokio::test]
async fn a_closed_relay_releases_what_it_did_not_send() {
    let Some(shop) = Shop::open().await else { return };
    shop.enqueue(0..6).await;
    shop.api.fail_next(Fault::hang());
    let relay = shop.relay().start().await.expect("a relay");
    until("a request", || shop.api.requests().len() == 1).await;
    let report = relay.close(Duration::from_millis(400)).await;
    assert_eq!((report.delivered, report.left), (0, 6));
    assert!(shop.batch_has("token IS NULL AND due_at <= clock_timestamp() AND crashes = 0").await);
    assert!(shop.batch_has("ambiguous_at IS NOT NULL").await, "the request may have arrived");
    assert_eq!(shop.drain().await.delivered, 6);
    shop.assert_delivered(0..6);
}

#[tokio::test]
async fn a_relay_that_is_dropped_leaves_no_transaction_open() {
    let Some(shop) = Shop::open().await else { return };
    // With a slow connection, every response is waited for when some relay is dropped.
    let slow = slow_proxy(shop.database.options()).await;
    let pool = PgPoolOptions::new().max_connections(8).connect_with(slow).await;
    let pool = pool.expect("a database");
    for attempt in 0..60_u32 {
        shop.enqueue(attempt * 10..(attempt + 1) * 10).await;
        let relay = shop.relay_with(&pool).batch_events(1).in_flight(4);
        let relay = relay.start().await.expect("a relay");
        tokio::time::sleep(Duration::from_millis(fastrand::u64(0..60))).await;
        drop(relay);
    }
    // Connections that are in the middle of something return to the pool, or are closed.
    let open = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    let mut attempts = 0;
    while shop.number(open).await > 0 {
        attempts += 1;
        assert!(attempts < 300, "a transaction is open");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    pool.close().await;
    shop.drain_all().await;
    shop.assert_delivered(0..600);
}

/// Returns options for a connection through which each response takes 3 ms longer.
async fn slow_proxy(server: PgConnectOptions) -> PgConnectOptions {
    let address = format!("{}:{}", server.get_host(), server.get_port());
    let proxy = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = proxy.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((client, _)) = proxy.accept().await {
            let server = tokio::net::TcpStream::connect(&address).await.expect("a server");
            let (mut requests, mut client) = client.into_split();
            let (mut responses, mut server) = server.into_split();
            tokio::spawn(async move {
                drop(tokio::io::copy(&mut requests, &mut server).await);
            });
            tokio::spawn(async move {
                let mut buffer = [0; 16_384];
                while let Ok(length @ 1..) = responses.read(&mut buffer).await {
                    tokio::time::sleep(Duration::from_millis(3)).await;
                    if client.write_all(&buffer[..length]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    server.host("127.0.0.1").port(port)
}

#[tokio::test]
async fn the_order_of_commits_is_the_order_of_requests_with_one_batch_in_flight() {
    let Some(shop) = Shop::open().await else { return };
    for number in 0..30 {
        shop.enqueue([number]).await;
    }
    let relay = shop.relay().in_flight(1).batch_events(4);
    relay.drain().await.expect("a database");
    let sent: Vec<u32> = shop.api.events().iter().map(crate::fixture::number).collect();
    assert_eq!(sent, (0..30).collect::<Vec<_>>());
    let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
    for request in shop.api.requests() {
        let events = request.json().expect("JSON").as_array().map_or(1, Vec::len);
        *sizes.entry(events).or_default() += 1;
    }
    assert_eq!(sizes, BTreeMap::from([(2, 1), (4, 7)]));
}
