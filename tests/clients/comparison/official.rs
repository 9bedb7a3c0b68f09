//! Sends events with the official crate: see `run`.

use std::io;

use inngest::client::Inngest;
use inngest::event::Event;
use inngest::result::DevError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Deserialize, Serialize)]
struct Numbered {
    number: u64,
}

#[derive(Deserialize)]
struct Call {
    call: String,
    count: u64,
    url: String,
    key: String,
}

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some("environment") {
        let client = Inngest::new("comparison");
        let client =
            args.next().into_iter().fold(client, |client, url| client.event_api_origin(&url));
        return println!("{}", outcome(client.send_event(&viewed(0)).await));
    }
    for line in io::stdin().lines() {
        let call: Call = serde_json::from_str(&line.unwrap()).unwrap();
        let client = Inngest::new("comparison").event_api_origin(&call.url).event_key(&call.key);
        println!("{}", send(&client, &call).await);
    }
}

async fn send(client: &Inngest, call: &Call) -> Value {
    match call.call.as_str() {
        "one" => outcome(client.send_event(&viewed(0)).await),
        "many" => {
            let events: Vec<_> = (0..call.count).map(viewed).collect();
            outcome(client.send_events(&events.iter().collect::<Vec<_>>()).await)
        }
        "same dedup id twice" => {
            let event =
                Event::new("storefront/order.placed", Numbered { number: 7 }).id("order-placed-7");
            outcome(client.send_event(&event).await);
            outcome(client.send_event(&event).await)
        }
        "all fields" => {
            // The crate's event has no user and no sessions.
            let event = viewed(0).timestamp(1_700_000_000_000).version("2");
            outcome(client.send_event(&event).await)
        }
        "large integer" => outcome(client.send_event(&viewed((1 << 53) + 1)).await),
        "reserved name" => {
            let event = Event::new("inngest/cart.viewed", Numbered { number: 0 });
            outcome(client.send_event(&event).await)
        }
        "wrong type" => {
            let event = Event::new("storefront/cart.viewed", json!({ "number": "0" }));
            outcome(client.send_event(&event).await)
        }
        // The client does not implement `Debug`.
        "print" => json!({ "printed": null }),
        other => panic!("`{other}` is not a call"),
    }
}

fn viewed(number: u64) -> Event<Numbered> {
    Event::new("storefront/cart.viewed", Numbered { number })
}

fn outcome(result: Result<(), DevError>) -> Value {
    match result {
        Ok(()) => json!({ "ids": null }),
        Err(DevError::Basic(error)) => json!({ "error": error }),
        Err(_) => json!({ "error": "an error without a text" }),
    }
}
