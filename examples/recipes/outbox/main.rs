//! A shop whose orders and events agree despite failures: an order is rolled back, the relay is killed while it
//! sends, Inngest is unavailable, and two events are rejected or cause errors. At the end, the orders in the database
//! are compared with the events that Inngest has accepted.
//!
//! With SQLite, in a temporary file:
//!
//! ```text
//! cargo run -p inngest-recipes --example outbox
//! ```
//!
//! With PostgreSQL, and three relays:
//!
//! ```text
//! DATABASE_URL=postgres://.. cargo run -p inngest-recipes --example outbox
//! ```
//!
//! In place of Inngest, an Event API runs in this process. In PostgreSQL, the tables are in a new schema, which is
//! dropped at the end.

mod database;
mod failure;
mod print;
mod relay;
mod shop;

use std::time::Duration;

use database::Database;
use failure::Failure;
use inngest_core::outbox::{Ids, OutboxStats, RelayReport, Store};
use inngest_core::testing::Fault;
use print::{print_line, print_title};
use relay::RelayProcess;
use shop::Shop;
use tokio::sync::mpsc;

/// The time limit of a step, which is longer than any step should take.
const LIMIT: Duration = Duration::from_secs(120);
/// The sum of an order whose event Inngest rejects.
const NOTHING_TO_PAY: i64 = 0;
/// The sum of an order to whose event Inngest responds with 500.
const POISON: i64 = 1;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("relay") {
        return relay::run(arguments).await;
    }
    let database = Database::create().await?;
    let mut shop = Shop::open(database).await?;
    let story = tokio::time::timeout(LIMIT, tell(&mut shop)).await;
    shop.database.remove().await?;
    story.unwrap_or_else(|_| Err(Failure::new("not all events were sent in time")))
}

async fn tell(shop: &mut Shop) -> Result<(), Failure> {
    print_title(format_args!("A shop with an outbox in {}", shop.database.name()))?;
    commit_and_roll_back(shop).await?;
    let relays = kill_a_relay(shop).await?;
    survive_an_outage(shop).await?;
    print_title("The relays are closed")?;
    for relay in relays {
        let process = relay.process();
        print_line("closed", format_args!("relay {process}: {}", relay.close().await?))?;
    }
    send_bad_events(shop).await?;
    account(shop).await
}

async fn commit_and_roll_back(shop: &mut Shop) -> Result<(), Failure> {
    print_title("Each order and its event in one transaction")?;
    shop.place(300).await?;
    print_line("committed", "300 orders, and with each its event")?;
    let order = shop.next_order(4_900);
    shop.database.place(&shop.outbox, &order, Commit::No).await?;
    print_line(
        "rolled back",
        format_args!("1 order, number {}, and with it its event", order.number),
    )?;
    let waiting = shop.database.waiting().await?;
    print_line("in the outbox", format_args!("{waiting} events: no relay runs yet"))?;
    Ok(())
}

/// Whether a transaction is committed.
#[derive(Clone, Copy, PartialEq)]
enum Commit {
    Yes,
    No,
}

/// Kills a relay after Inngest has accepted events, but before it has responded. Returns the relays that are
/// started then.
async fn kill_a_relay(shop: &mut Shop) -> Result<Vec<RelayProcess>, Failure> {
    print_title("A relay is killed while it sends")?;
    let mut requests = 0;
    shop.api.fault_when(move |_| {
        requests += 1;
        // The events are accepted, but the relay does not get the response.
        (requests > 5).then(|| Fault::hang().after_accepting())
    });
    let relay = RelayProcess::start(&shop.database, shop.api.url())?;
    print_line("started", format_args!("relay {}", relay.process()))?;
    // 5 batches of 20 events got a response, and 4 batches are in flight.
    shop.api.wait_for_event(9 * 20 - 1).await;
    print_line("killed", format_args!("relay {} by SIGKILL", relay.process()))?;
    relay.kill().await?;
    print_line("Inngest has", "180 events, and the relay did not learn of 80 of them")?;
    shop.api.clear_faults();

    let mut relays = Vec::new();
    for _ in 0..shop.database.relays() {
        let relay = RelayProcess::start(&shop.database, shop.api.url())?;
        print_line("started", format_args!("relay {}", relay.process()))?;
        relays.push(relay);
    }
    shop.wait_until_accepted(&[]).await?;
    shop.wait_until_sent().await?;
    print_line(
        "Inngest has",
        "the events of all 300 orders; the 80 were sent again with the same ids",
    )?;
    Ok(relays)
}

async fn survive_an_outage(shop: &mut Shop) -> Result<(), Failure> {
    print_title("Inngest is down")?;
    let (refused, mut refusals) = mpsc::unbounded_channel();
    shop.api.fault_when(move |_| {
        // Sending fails if the step has ended.
        let _ = refused.send(());
        Some(Fault::status(503))
    });
    shop.place(100).await?;
    print_line("committed", "100 orders")?;
    for _ in 0..3 {
        refusals.recv().await;
    }
    print_line("Inngest", "has responded to 3 requests with 503")?;
    print_line("in the outbox", format_args!("{} events", shop.database.waiting().await?))?;
    shop.api.clear_faults();
    shop.wait_until_accepted(&[]).await?;
    shop.wait_until_sent().await?;
    print_line("Inngest has", "the events of all 400 orders, once it is back")?;
    Ok(())
}

async fn send_bad_events(shop: &mut Shop) -> Result<(), Failure> {
    print_title("Two bad events, and a relay in the shop's own process")?;
    shop.api.fault_when_event(|event| match event.data["cents"].as_i64().unwrap_or(-1) {
        NOTHING_TO_PAY => Some(Fault::refuse("there is nothing to pay")),
        POISON => Some(Fault::status(500)),
        _ => None,
    });
    match &shop.database {
        Database::Sqlite { .. } => {
            let store = shop.database.sqlite_store()?;
            send_bad_events_with(shop, store).await
        }
        Database::Postgres { .. } => {
            let store = shop.database.postgres_store()?;
            send_bad_events_with(shop, store).await
        }
    }
}

async fn send_bad_events_with<S: Store>(shop: &mut Shop, store: S) -> Result<(), Failure> {
    let relay = relay::options(shop.outbox.relay(&shop.client, store)).start().await?;
    let [rejected, poison] = [shop.next_order(NOTHING_TO_PAY), shop.next_order(POISON)];
    for order in [&rejected, &poison] {
        shop.database.place(&shop.outbox, order, Commit::Yes).await?;
    }
    // A relay isolates a bad event only if others are accepted at the same time.
    let mut others = 0;
    let stats = loop {
        shop.place(1).await?;
        others += 1;
        let stats = relay.stats().await?;
        if stats.isolated == 1 && stats.dead == 1 {
            break stats;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    print_line("committed", format_args!("2 orders with bad events, and {others} others"))?;
    let OutboxStats { isolated, dead, .. } = stats;
    print_line("dead", format_args!("{dead} event, which Inngest rejected:"))?;
    let dead = relay.dead_events(0, 10).await?;
    for event in &dead {
        print_line("", &event.reason)?;
    }
    print_line(
        "isolated",
        format_args!("{isolated} event, to which Inngest responds with 500: it is retried alone"),
    )?;
    shop.wait_until_accepted(&[rejected.number, poison.number]).await?;
    print_line("Inngest has", "the events of all other orders")?;

    shop.api.clear_faults();
    let requeued = relay.requeue(dead.iter().map(|event| event.id), Ids::Keep).await?;
    print_line("Inngest", "accepts both from now on")?;
    print_line("requeued", format_args!("{requeued} dead event"))?;
    shop.wait_until_accepted(&[]).await?;
    shop.wait_until_sent().await?;
    let RelayReport { delivered, left, .. } = relay.close(Duration::from_secs(10)).await;
    print_line("closed", format_args!("the relay: {delivered} events delivered, {left} left"))?;
    Ok(())
}

/// Compares the orders in the database with the events that Inngest has accepted.
async fn account(shop: &mut Shop) -> Result<(), Failure> {
    print_title("The account")?;
    shop.api.idle().await;
    let orders = shop.database.orders().await?;
    let account = shop.account();
    let runs = shop.api.runs_of("send-receipt").len();
    let waiting = shop.database.waiting().await?;
    let repeated = account.accepted - account.ids.len();
    print_line("orders", format_args!("{} in the database", orders.len()))?;
    print_line("events", format_args!("{} in Inngest, each of one order", account.ids.len()))?;
    print_line("sent twice", format_args!("{repeated}, with the ids that Inngest knew already"))?;
    print_line("functions", format_args!("ran {runs} times, once for each event"))?;
    print_line("in the outbox", format_args!("{waiting} events"))?;
    let events_of_orders = account.ids.keys().copied().eq(orders.iter().copied());
    let one_id_each = account.ids.values().all(|ids| ids.len() == 1);
    if !events_of_orders || !one_id_each || runs != orders.len() || waiting != 0 {
        return Err(Failure::new("orders and events do not agree"));
    }
    print_line("missing", "nothing")?;
    Ok(())
}
