//! What typed sending costs beside the least a program could do: a `Vec` of plain structs, serialised
//! by `serde_json::to_vec` and posted with reqwest, the same answer parsed.
//!
//! Absolute times say little on a shared machine, so what is compared takes turns in one loop, and the
//! ratios of the medians are printed at the end: `cargo bench -p inngest-tests`.

use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use inngest_core::{Batch, Client, InngestEvent};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

const EVENTS: usize = 1_000;
const BATCHES: usize = 20;

#[derive(Clone, Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.checkout.completed", id = "cart-checkout-completed-{cart_id}")]
struct CheckoutCompleted {
    cart_id: String,
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

/// The same without types: what a program would hold if it sent by hand.
#[derive(Serialize)]
struct Plain {
    name: &'static str,
    id: String,
    data: CheckoutCompleted,
}

#[derive(Deserialize)]
struct Answer {
    ids: Vec<String>,
    status: u16,
}

fn checkout(number: usize) -> CheckoutCompleted {
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

fn plain(number: usize) -> Plain {
    let data = checkout(number);
    let id = format!("cart-checkout-completed-{}", data.cart_id);
    Plain { name: CheckoutCompleted::NAME, id, data }
}

/// A server that reads a request, throws it away, and answers with as many ids as it is told.
fn sink(events: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let ids = vec!["\"01HF7YAT000000000000000001\""; events].join(",");
    let body = format!(r#"{{"ids":[{ids}],"status":200}}"#);
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let answer = answer.clone();
            std::thread::spawn(move || serve(connection, answer.as_bytes()));
        }
    });
    url
}

fn serve(connection: TcpStream, answer: &[u8]) -> Option<()> {
    connection.set_nodelay(true).ok()?;
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
        reader.read_exact(&mut body[..length]).ok()?;
        writer.write_all(answer).ok()?;
    }
}

/// Posts and parses as the bare program does.
struct Bare {
    client: reqwest::Client,
    url: String,
}

impl Bare {
    fn new(url: &str) -> Bare {
        Bare { client: reqwest::Client::new(), url: format!("{url}/e/test") }
    }

    async fn post(&self, body: Vec<u8>) -> Vec<String> {
        let post =
            self.client.post(&self.url).header("content-type", "application/json").body(body);
        let answer = post.send().await.expect("an answer").bytes().await.expect("a body");
        let answer: Answer = serde_json::from_slice(&answer).expect("JSON");
        assert_eq!(answer.status, 200);
        answer.ids
    }
}

fn client(url: &str) -> Client {
    let builder = Client::builder().no_env().dev(true).event_key("test").base_url(url);
    // As many a request as the bare program sends.
    let builder = builder.max_request_events(EVENTS).max_request_bytes(1 << 20);
    builder.build().expect("a client")
}

/// Runs the two in turns and prints the ratio of their medians.
fn paired(what: &str, rounds: usize, mut ours: impl FnMut(), mut bare: impl FnMut()) {
    let mut times = [Vec::with_capacity(rounds), Vec::with_capacity(rounds)];
    let measure = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    for round in 0..rounds + rounds / 10 {
        // Whoever goes second finds warm caches, so they swap.
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
    println!("{what}: ours {ours:?}, bare {bare:?}; time {ratio:.3}, rate {:.3}", 1.0 / ratio);
}

fn against_bare(runtime: &Runtime) {
    let url = sink(EVENTS);
    let (typed, bare) = (client(&url), Bare::new(&url));
    let many: Vec<CheckoutCompleted> = (0..BATCHES * EVENTS).map(checkout).collect();
    let plains: Vec<Plain> = (0..BATCHES * EVENTS).map(plain).collect();
    let bytes = serde_json::to_vec(&plains[0]).expect("JSON").len();
    println!("events of {bytes} bytes, {EVENTS} a request");
    paired(
        "20 batches, one call",
        200,
        || {
            let ids = runtime.block_on(typed.send_all(&many)).expect("ids");
            assert_eq!(black_box(ids).len(), BATCHES * EVENTS);
        },
        || {
            for batch in plains.chunks(EVENTS) {
                let body = serde_json::to_vec(batch).expect("JSON");
                assert_eq!(black_box(runtime.block_on(bare.post(body))).len(), EVENTS);
            }
        },
    );
    let (events, plains) = (&many[..EVENTS], &plains[..EVENTS]);
    paired(
        "one batch, one call",
        2_000,
        || {
            let ids = runtime.block_on(typed.send_all(events)).expect("ids");
            assert_eq!(black_box(ids).len(), EVENTS);
        },
        || {
            let body = serde_json::to_vec(plains).expect("JSON");
            assert_eq!(black_box(runtime.block_on(bare.post(body))).len(), EVENTS);
        },
    );
    paired(
        "push of 1,000, nothing sent",
        2_000,
        || {
            let batch = Batch::try_from_iter(events).expect("a batch");
            assert_eq!(black_box(batch).len(), EVENTS);
        },
        || {
            black_box(serde_json::to_vec(plains).expect("JSON"));
        },
    );

    let url = sink(1);
    let (typed, bare) = (client(&url), Bare::new(&url));
    let (event, plain) = (checkout(1), plain(1));
    paired(
        "single send",
        10_000,
        || {
            black_box(runtime.block_on(typed.send(&event)).expect("an id"));
        },
        || {
            let body = serde_json::to_vec(&plain).expect("JSON");
            assert_eq!(black_box(runtime.block_on(bare.post(body))).len(), 1);
        },
    );
}

fn alone(criterion: &mut Criterion) {
    let events: Vec<CheckoutCompleted> = (0..EVENTS).map(checkout).collect();
    let mut group = criterion.benchmark_group("push");
    group.throughput(Throughput::Elements(EVENTS as u64));
    group.bench_function("1,000 events", |bencher| {
        bencher.iter(|| Batch::try_from_iter(&events).expect("a batch"));
    });
    group.finish();

    let event = &events[0];
    let mut id = String::with_capacity(100);
    criterion.bench_function("id", |bencher| {
        bencher.iter(|| {
            id.clear();
            event.write_dedup_id(&mut id).expect("an id");
            black_box(&id);
        });
    });
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    against_bare(&runtime.expect("a runtime"));
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    alone(&mut criterion);
    criterion.final_summary();
}
