//! Sends events with our client: see `run`.

use std::io;
use std::time::{Duration, UNIX_EPOCH};

use inngest_core::{BatchError, Client, Event, InngestEvent, RawEvent, RetryPolicy, SendError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.viewed")]
struct CartViewed {
    number: u64,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/order.placed", id = "order-placed-{number}")]
struct OrderPlaced {
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
        return println!("{}", from_environment(args.next()).await);
    }
    for line in io::stdin().lines() {
        let call: Call = serde_json::from_str(&line.unwrap()).unwrap();
        let client =
            Client::builder().no_env().dev(false).base_url(&call.url).event_key(call.key.as_str());
        println!("{}", send(&client.build().unwrap(), &call).await);
    }
}

async fn send(client: &Client, call: &Call) -> Value {
    match call.call.as_str() {
        "one" => one(client.send(CartViewed { number: 0 }).await),
        "many" => many(client.send_all((0..call.count).map(|number| CartViewed { number })).await),
        "same dedup id twice" => {
            one(client.send(OrderPlaced { number: 7 }).await);
            one(client.send(OrderPlaced { number: 7 }).await)
        }
        "all fields" => {
            let event = Event::new(CartViewed { number: 0 })
                .at(UNIX_EPOCH + Duration::from_millis(1_700_000_000_000));
            one(client
                .send(event.version("2").user(json!({ "id": "u1" })).session("chat", "c1"))
                .await)
        }
        "large integer" => one(client.send(CartViewed { number: (1 << 53) + 1 }).await),
        "reserved name" => {
            one(client.send(RawEvent::new("inngest/cart.viewed", json!({ "number": 0 }))).await)
        }
        "wrong type" => one(client
            .send(RawEvent::new("storefront/cart.viewed", json!({ "number": "0" })))
            .await),
        "print" => json!({ "printed": format!("{client:?}") }),
        other => panic!("`{other}` is not a call"),
    }
}

fn one(result: Result<inngest_core::EventId, SendError>) -> Value {
    match result {
        Ok(id) => json!({ "ids": [id] }),
        Err(error) => json!({ "error": error.to_string(), "debug": format!("{error:?}") }),
    }
}

fn many(result: Result<Vec<inngest_core::EventId>, BatchError>) -> Value {
    match result {
        Ok(ids) => json!({ "ids": ids }),
        Err(error) => json!({
            "error": error.to_string(),
            "debug": format!("{error:?}"),
            "accepted": error.accepted().iter().map(|(_, id)| id.to_string()).collect::<Vec<_>>(),
            "rejected": error.rejected().iter().map(|(index, _)| index).collect::<Vec<_>>(),
        }),
    }
}

/// Sends an event with a client that the environment configures, and nothing else but `url`.
async fn from_environment(url: Option<String>) -> Value {
    let mut builder = Client::builder().retry(RetryPolicy::none());
    if let Some(url) = url {
        builder = builder.base_url(url);
    }
    match builder.build() {
        Ok(client) => one(client.send(CartViewed { number: 0 }).await),
        Err(error) => json!({ "error": error.to_string() }),
    }
}
