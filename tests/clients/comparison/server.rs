//! The Event API that the clients are compared with. Each line of its input names the faults of a new server, whose URL
//! it prints, or is `report`: then it prints what that server received.

use std::io::{self, BufRead, Write};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use inngest_core::testing::{EventApi, Fault};
use inngest_core::{Event, InngestEvent};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Any data of the events that start the functions.
#[derive(Deserialize, Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.viewed")]
struct CartViewed {}

#[derive(Deserialize, Serialize, InngestEvent)]
#[inngest(name = "storefront/order.placed")]
struct OrderPlaced {}

struct Server {
    api: EventApi,
    /// When each request arrived.
    arrivals: Arc<Mutex<Vec<Instant>>>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).unwrap_or("0".to_owned()).parse()?;
    let mut server = None;
    for line in io::stdin().lock().lines() {
        let answer = match line?.as_str() {
            "report" => report(server.as_ref().ok_or("no server was started")?).await?,
            faults => {
                drop(server.take());
                let started = start(faults, port).await?;
                let url = json!(started.api.url());
                server = Some(started);
                url
            }
        };
        writeln!(io::stdout(), "{answer}")?;
    }
    Ok(())
}

async fn start(faults: &str, port: u16) -> io::Result<Server> {
    let api = EventApi::bind((Ipv4Addr::LOCALHOST, port)).await?;
    api.on("view", |_: Event<CartViewed>| async {});
    api.on("pack", |_: Event<OrderPlaced>| async {});
    if faults == "refuse the third" {
        api.fault_when_event(|event| {
            (event.data["number"] == 2).then(|| Fault::refuse("the number is invalid"))
        });
    }
    let arrivals = Arc::<Mutex<Vec<Instant>>>::default();
    let (times, faults) = (arrivals.clone(), faults.to_owned());
    api.fault_when(move |_| {
        let now = Instant::now();
        let mut times = times.lock().unwrap();
        times.push(now);
        fault(&faults, times.len(), now - times[0])
    });
    Ok(Server { api, arrivals })
}

/// Returns what goes wrong at a request, counted from 1.
fn fault(faults: &str, number: usize, since_first: Duration) -> Option<Fault> {
    match faults {
        "503 twice" => (number <= 2).then(|| Fault::status(503)),
        "503" => Some(Fault::status(503)),
        "outage" => (since_first < Duration::from_secs(5)).then(|| Fault::status(503)),
        "lost response" => (number == 1).then(Fault::drop_before_answer),
        "429" => (number == 1).then(|| Fault::status(429).retry_after("2")),
        "401" => {
            let body = json!({ "status": 401, "message": "", "error": "Event key not found" });
            Some(Fault::status(401).body(body.to_string()))
        }
        "html" => Some(Fault::html()),
        "an id too few" => Some(Fault::missing_ids(1)),
        "none" | "refuse the third" => None,
        other => panic!("`{other}` is not a fault"),
    }
}

/// Returns what a server received since it was started.
async fn report(Server { api, arrivals }: &Server) -> Result<Value, serde_json::Error> {
    api.idle().await;
    let times = arrivals.lock().unwrap().clone();
    let mut requests = Vec::new();
    for (request, time) in api.requests().iter().zip(&times) {
        let events = request.json()?.as_array().map_or(1, Vec::len);
        requests.push(json!({
            "path": request.path,
            "env": request.header("x-inngest-env"),
            "events": events,
            "millis": (*time - times[0]).as_millis() as u64,
        }));
    }
    Ok(json!({ "requests": requests, "events": api.events(), "runs": api.runs().len() }))
}
