//! The cost of typed sending compared with a minimal baseline: a `Vec` of plain structs, serialized by
//! `serde_json::to_vec` and posted with reqwest, with the same response parsed.
//!
//! Absolute times mean little on a shared machine, so the two are measured alternately in one loop, and the
//! ratios of their medians are printed: `cargo bench -p inngest-tests --bench send`.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use inngest_core::{Batch, InngestEvent};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

mod common;
use common::{CheckoutCompleted, EVENTS, checkout, client, compare, sink};

const BATCHES: usize = 20;

/// The event as a program would write it without this crate.
#[derive(Serialize)]
struct Plain {
    name: &'static str,
    id: String,
    data: CheckoutCompleted,
}

#[derive(Deserialize)]
struct Response {
    ids: Vec<String>,
    status: u16,
}

fn plain(number: usize) -> Plain {
    let data = checkout(number);
    let id = format!("cart-checkout-completed-{}", data.cart_id);
    Plain { name: CheckoutCompleted::NAME, id, data }
}

/// The client of the baseline.
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
        let body = post.send().await.expect("a response").bytes().await.expect("a body");
        let response: Response = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(response.status, 200);
        response.ids
    }
}

fn against_bare(runtime: &Runtime) {
    let url = sink();
    let (typed, bare) = (client(&url), Bare::new(&url));
    let many: Vec<CheckoutCompleted> = (0..BATCHES * EVENTS).map(checkout).collect();
    let plains: Vec<Plain> = (0..BATCHES * EVENTS).map(plain).collect();
    let bytes = serde_json::to_vec(&plains[0]).expect("JSON").len();
    println!("events of {bytes} bytes, {EVENTS} a request");
    compare(
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
    compare(
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
    compare(
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

    let url = sink();
    let (typed, bare) = (client(&url), Bare::new(&url));
    let (event, plain) = (checkout(1), plain(1));
    compare(
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
