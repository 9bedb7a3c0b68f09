//! The cost of the publisher compared with sending by hand, measured alternately in one loop: `cargo bench -p
//! inngest-tests --bench publish`.
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use inngest_core::Batch;
use inngest_core::publisher::Publisher;
use inngest_core::testing::TransportFault;
use tokio::runtime::Runtime;

mod common;
use common::{CheckoutCompleted, checkout, client, compare, sink};

const QUEUED: usize = 100_000;
const MINUTE: Duration = Duration::from_secs(60);

/// Starts a publisher whose requests never end, with capacity for all events.
fn start_stalled() -> Publisher {
    let builder = inngest_core::Client::builder().no_env().dev(true);
    let builder = builder.transport(|_: http::Request<bytes::Bytes>| {
        std::future::pending::<Result<http::Response<bytes::Bytes>, TransportFault>>()
    });
    let client = builder.build().expect("a client");
    let publisher = client.publisher().max_queued_events(QUEUED).max_queued_bytes(1 << 30);
    publisher.start()
}

fn queue(runtime: &Runtime, events: &[CheckoutCompleted]) {
    let mut rates = Vec::new();
    for _ in 0..20 {
        let publisher = runtime.block_on(async { start_stalled() });
        let start = Instant::now();
        runtime.block_on(async {
            for event in events {
                black_box(publisher.publish(event).await.expect("capacity"));
            }
        });
        rates.push(events.len() as f64 / start.elapsed().as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    println!("publish to the queue: {:.0} events a second (median of 20)", rates[10]);
}

/// Prints the memory of a queued event in addition to its JSON.
fn memory(runtime: &Runtime, events: &[CheckoutCompleted]) {
    let bytes = Batch::try_from_iter(events).expect("a batch").bytes();
    let publisher = runtime.block_on(async { start_stalled() });
    let used = allocation_counter::measure(|| {
        runtime.block_on(async {
            for event in events {
                publisher.publish(event).await.expect("capacity");
            }
        });
    });
    let held = usize::try_from(used.bytes_current).unwrap_or_default();
    let each = held.saturating_sub(bytes) as f64 / events.len() as f64;
    println!("memory: {:.0} bytes an event above its {} of JSON", each, bytes / events.len());
}

fn delivered(runtime: &Runtime, events: &[CheckoutCompleted]) {
    let events = &events[..20_000];
    let url = sink();
    let by_hand = client(&url);
    let publisher = runtime.block_on(async {
        client(&url).publisher().max_queued_events(QUEUED).max_queued_bytes(1 << 30).start()
    });
    compare(
        "20,000 events delivered in batches of 100, against send_batch",
        60,
        || {
            runtime.block_on(async {
                for event in events {
                    publisher.publish(event).await.expect("capacity");
                }
                publisher.flush(MINUTE).await.expect("all delivered");
            });
        },
        || {
            runtime.block_on(async {
                for batch in events.chunks(100) {
                    let batch = Batch::try_from_iter(batch).expect("a batch");
                    black_box(by_hand.send_batch(&batch).await.expect("ids"));
                }
            });
        },
    );
    assert_eq!(publisher.stats().failed.values().sum::<u64>(), 0);
}

fn single(runtime: &Runtime, event: &CheckoutCompleted) {
    let url = sink();
    let by_hand = client(&url);
    let publisher = runtime.block_on(async { client(&url).publisher().start() });
    let runtime = runtime.handle();
    // The event is sent from a task, as in a web handler.
    let in_task = |work: tokio::task::JoinHandle<()>| runtime.block_on(work).expect("no panic");
    compare(
        "a single event, publish to delivered, against send",
        5_000,
        || {
            let (publisher, event) = (publisher.clone(), event.clone());
            in_task(runtime.spawn(async move {
                let receipt = publisher.publish(event).await.expect("capacity");
                black_box(receipt.delivered().await.expect("an id"));
            }));
        },
        || {
            let (client, event) = (by_hand.clone(), event.clone());
            in_task(runtime.spawn(async move {
                black_box(client.send(event).await.expect("an id"));
            }));
        },
    );
}

fn main() {
    let events: Vec<CheckoutCompleted> = (0..QUEUED).map(checkout).collect();
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let threads = threads.expect("a runtime");
    let thread = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let thread = thread.expect("a runtime");
    queue(&thread, &events);
    memory(&thread, &events);
    delivered(&threads, &events);
    single(&threads, &events[0]);
}
