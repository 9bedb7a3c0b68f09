//! Shared by the benchmarks: a payload, a server that costs next to nothing, and a fair comparison.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Instant;

use inngest_core::{Client, InngestEvent};
use serde::Serialize;

/// Events in a batch.
pub(crate) const EVENTS: usize = 1_000;

#[derive(Clone, Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.checkout.completed", id = "cart-checkout-completed-{cart_id}")]
/// The example of the documentation, with an account.
pub(crate) struct CheckoutCompleted {
    pub(crate) cart_id: String,
    item_ids: Vec<String>,
    account: Account,
    total_cents: u64,
    currency: String,
}

#[derive(Clone, Serialize)]
struct Account {
    id: String,
    email: String,
    name: String,
}

pub(crate) fn checkout(number: usize) -> CheckoutCompleted {
    CheckoutCompleted {
        cart_id: format!("ed12c8bde-{number:06}"),
        item_ids: (0..4).map(|item| format!("9f0865eb-4f62-4ccb-{number:04}-{item:012}")).collect(),
        account: Account {
            id: format!("acct_{number:012}"),
            email: format!("customer-{number}@example.com"),
            name: "Ada Byron King".to_owned(),
        },
        total_cents: 12_900,
        currency: "EUR".to_owned(),
    }
}

/// Starts a server that discards each request and responds with one id per event. Returns its URL.
pub(crate) fn sink() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            std::thread::spawn(move || serve(connection));
        }
    });
    url
}

fn serve(connection: TcpStream) -> Option<()> {
    connection.set_nodelay(true).ok()?;
    let ids: Vec<String> = (0..5_000).map(|id| format!("\"01HF7YAT00{id:016}\",")).collect();
    let ids = ids.concat();
    let mut writer = connection.try_clone().ok()?;
    let mut reader = BufReader::with_capacity(256 << 10, connection);
    let mut body = vec![0; 1 << 20];
    let mut line = String::new();
    loop {
        let mut length = 0;
        loop {
            line.clear();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let header = line.trim_end().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let body = &mut body[..length];
        reader.read_exact(body).ok()?;
        // An event has three opening braces: its own, of its data and of the account.
        let events = body.split(|byte| *byte == b'{').count() / 3;
        let ids = &ids[..(events * 29).saturating_sub(1)];
        let length = ids.len() + r#"{"ids":[],"status":200}"#.len();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
        let response = format!(r#"{head}{{"ids":[{ids}],"status":200}}"#);
        writer.write_all(response.as_bytes()).ok()?;
    }
}

pub(crate) fn client(url: &str) -> Client {
    let builder = Client::builder().no_env().dev(true).event_key("test").base_url(url);
    // A request holds as many events as a request of the baseline.
    let builder = builder.max_request_events(EVENTS).max_request_bytes(1 << 20);
    builder.build().expect("a client")
}

/// Runs the two alternately and prints the ratio of their medians.
pub(crate) fn compare(label: &str, rounds: usize, mut ours: impl FnMut(), mut bare: impl FnMut()) {
    let mut times = [Vec::with_capacity(rounds), Vec::with_capacity(rounds)];
    let measure = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    for round in 0..rounds + rounds / 10 {
        // The second one finds warm caches, so they swap.
        let pair = if round % 2 == 0 {
            let first = measure(&mut ours);
            [first, measure(&mut bare)]
        } else {
            let first = measure(&mut bare);
            [measure(&mut ours), first]
        };
        if round >= rounds / 10 {
            times[0].push(pair[0]);
            times[1].push(pair[1]);
        }
    }
    let [ours, bare] = times.map(|mut times| {
        times.sort_unstable();
        times[rounds / 2]
    });
    let ratio = ours.as_secs_f64() / bare.as_secs_f64();
    println!("{label}: ours {ours:?}, bare {bare:?}; time {ratio:.3}, rate {:.3}", 1.0 / ratio);
}
