//! Functions in TypeScript for events that a Rust program sends. `functions.ts` imports the types in `events.ts`, which
//! is generated from the payloads in this file. A test fails if `events.ts` is not up to date.
//!
//! In this folder, start the functions, and in another terminal a Dev Server that calls them:
//!
//! ```text
//! npm install
//! npm start
//! npx inngest-cli@latest dev -u http://127.0.0.1:3001/api/inngest
//! ```
//!
//! Then send an order and its shipment. The Dev Server shows the runs at `http://127.0.0.1:8288`:
//!
//! ```text
//! INNGEST_DEV=1 cargo run -p inngest-recipes --example typescript
//! ```
//!
//! After a change of the payloads, write `events.ts`. `npm run check` then shows which functions must change:
//!
//! ```text
//! INNGEST_EVENTS=bless cargo test -p inngest-recipes --example typescript
//! ```
//!
//! To write the types to another file:
//!
//! ```text
//! cargo run -p inngest-recipes --example typescript -- --types > events.ts
//! ```

use inngest_core::catalog::Catalog;
use inngest_core::{Client, InngestEvent, InngestEvents, batch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A customer has placed an order.
#[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "shop/order.placed", id = "order-placed-{number}")]
struct OrderPlaced {
    number: u32,
    email: String,
    items: Vec<Item>,
    payment: Payment,
}

/// An item of an order.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Item {
    sku: String,
    /// The price of one piece, in cents.
    cents: u32,
    quantity: u16,
}

/// How the customer pays.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "method", rename_all = "lowercase")]
enum Payment {
    Card { last4: String },
    Invoice,
}

/// An order has left the warehouse.
#[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "shop/order.shipped", id = "order-shipped-{number}")]
struct OrderShipped {
    number: u32,
    /// The carrier's number, if it has one.
    tracking: Option<String>,
}

#[derive(InngestEvents)]
#[allow(dead_code, reason = "the catalog uses the types only")]
enum ShopEvent {
    OrderPlaced(OrderPlaced),
    OrderShipped(OrderShipped),
}

fn catalog() -> Catalog {
    Catalog::new("shop").events::<ShopEvent>()
}

/// Sends an order and its shipment.
async fn send(client: &Client, number: u32) -> Result<(), Box<dyn std::error::Error>> {
    let placed = OrderPlaced {
        number,
        email: "ada@example.com".to_owned(),
        items: vec![Item { sku: "lamp".to_owned(), cents: 4_900, quantity: 2 }],
        payment: Payment::Card { last4: "4242".to_owned() },
    };
    let shipped = OrderShipped { number, tracking: None };
    for id in client.send_batch(&batch![placed, shipped]?).await? {
        println!("accepted as {id}");
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().nth(1).as_deref() == Some("--types") {
        print!("{}", catalog().typescript()?);
        return Ok(());
    }
    // A new number each time: for 24 hours, Inngest starts no function for an order with the same number.
    let number = std::time::UNIX_EPOCH.elapsed()?.subsec_nanos();
    send(&Client::from_env()?, number).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_are_up_to_date() {
        let catalog = catalog();
        catalog.assert_file("typescript/events.ts", &catalog.typescript().unwrap());
    }

    #[tokio::test]
    async fn what_is_sent_has_these_types() {
        let (client, sent) = Client::recorder();
        sent.check_with(catalog());
        send(&client, 1).await.unwrap();
        assert_eq!(sent.events().len(), 2);
    }
}
