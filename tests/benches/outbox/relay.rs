//! A relay: how fast it drains, how soon it sends, and what it costs while it is idle.

use std::hint::black_box;
use std::time::{Duration, Instant};

use inngest_core::outbox::{Outbox, Relay, Store};
use inngest_core::{Batch, Client};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::common::sink;
use crate::table::Column;
use crate::{CheckoutCompleted, Database, checkout, cpu};

/// Events in a request of the relay and of `send_batch`: the default of the relay.
const BATCH: usize = 500;
const DRAINED: usize = 50_000;
const ROUNDS: usize = 5;
const COMMITS: usize = 200;
const IDLE: Duration = Duration::from_secs(5);

fn runtime() -> Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime")
}

pub(crate) fn drain<D: Database>(column: &mut Column, database: &mut D, relays: usize) {
    let runtime = runtime();
    let url = sink();
    let builder = Client::builder().no_env().dev(true).event_key("test").base_url(&url);
    let client =
        builder.max_request_events(BATCH).max_request_bytes(1 << 20).build().expect("a client");
    let outbox = Outbox::for_client(&client);
    let events: Vec<CheckoutCompleted> = (0..DRAINED).map(checkout).collect();
    let batch = Batch::try_from_iter(&events).expect("a batch");
    let (mut memory, mut one, mut several) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        black_box(runtime.block_on(client.send_batch(&batch)).expect("ids"));
        memory.push(rate(start));
        for (count, rates) in [(1, &mut one), (relays, &mut several)] {
            database.fill(&outbox, &events);
            let start = Instant::now();
            let drains: Vec<_> = (0..count)
                .map(|_| outbox.relay(&client, database.store(runtime.handle())))
                .map(|relay| runtime.spawn(relay.drain()))
                .collect();
            let drains = drains.into_iter().map(|drain| runtime.block_on(drain).expect("no panic"));
            let delivered: u64 = drains.map(|report| report.expect("a report").delivered).sum();
            rates.push(rate(start));
            assert_eq!(delivered, DRAINED as u64, "a drain delivers everything");
            database.clear();
        }
    }
    let [memory, one, several] = [memory, one, several].map(median);
    column.set("memory", format!("{memory:.0}"));
    column.set("drain", format!("{one:.0}"));
    column.set("drain ratio", format!("{:.3}", one / memory));
    column.set("drain relays", format!("{several:.0}"));
}

fn rate(start: Instant) -> f64 {
    DRAINED as f64 / start.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Starts a relay whose requests are reported with the time at which they would be sent.
fn start_reporting<D: Database>(
    runtime: &Runtime,
    database: &D,
) -> (Outbox, Relay<D::Store>, mpsc::UnboundedReceiver<Instant>) {
    let (report, requests) = mpsc::unbounded_channel();
    let builder =
        Client::builder().no_env().dev(true).transport(move |_: http::Request<bytes::Bytes>| {
            report.send(Instant::now()).expect("somebody who listens");
            let id = format!("01HF7YAT00{:016}", fastrand::u64(..10_u64.pow(16)));
            let body = format!(r#"{{"ids":["{id}"],"status":200}}"#);
            std::future::ready(Ok(http::Response::new(bytes::Bytes::from(body))))
        });
    let client = builder.build().expect("a client");
    let outbox = Outbox::for_client(&client);
    let relay = outbox.relay(&client, database.store(runtime.handle()));
    let relay = runtime.block_on(relay.start()).expect("a relay");
    (outbox, relay, requests)
}

pub(crate) fn latency<D: Database>(column: &mut Column, database: &mut D) {
    for (row, wakes) in [("wake", true), ("poll", false)] {
        let runtime = runtime();
        let (outbox, relay, mut requests) = start_reporting(&runtime, database);
        let event = checkout(1);
        let mut times = Vec::new();
        for _ in 0..COMMITS {
            // The relay becomes idle, and the commit comes at any moment between two polls.
            std::thread::sleep(Duration::from_millis(fastrand::u64(30..80)));
            database.enqueue(&outbox, &event);
            let committed = Instant::now();
            if wakes {
                outbox.wake();
            }
            let sent = requests.blocking_recv().expect("a request");
            times.push(sent.saturating_duration_since(committed));
        }
        close(&runtime, relay);
        database.clear();
        times.sort_unstable();
        let at = |share: usize| times[times.len() * share / 100].as_secs_f64() * 1_000.0;
        column.set(row, format!("{:.1} / {:.1} ms", at(50), at(95)));
    }
}

/// Measures the share of a core that an idle relay uses.
pub(crate) fn idle<D: Database>(column: &mut Column, database: &D) {
    let runtime = runtime();
    let (_outbox, relay, _requests) = start_reporting(&runtime, database);
    std::thread::sleep(Duration::from_millis(500));
    let (start, before) = (Instant::now(), cpu::of_process());
    std::thread::sleep(IDLE);
    let used = cpu::of_process().zip(before).map(|(after, before)| after.saturating_sub(before));
    let share = used.map(|used| used.as_secs_f64() / start.elapsed().as_secs_f64());
    close(&runtime, relay);
    let share = share.map_or("unknown".to_owned(), |share| format!("{:.2} %", share * 100.0));
    column.set("idle", share);
}

fn close<S: Store>(runtime: &Runtime, relay: Relay<S>) {
    let report = runtime.block_on(relay.close(Duration::from_secs(10)));
    assert_eq!((report.left, report.released, report.dead), (0, 0, 0), "the relay sent everything");
}
