//! Enqueuing one event in a transaction, against an INSERT of the same row: bare, with the row in memory, and by hand, with
//! `serde_json`.

use std::time::{Duration, Instant, UNIX_EPOCH};

use inngest_core::outbox::Outbox;
use inngest_core::{Client, InngestEvent};
use serde::Serialize;

use crate::table::Column;
use crate::{CheckoutCompleted, Database, checkout, cpu};

const ROUNDS: usize = 60;
/// Each of the programs takes about this long in a round.
const ROUND: Duration = Duration::from_millis(60);

#[derive(Clone, Copy)]
struct Cost {
    time: Duration,
    cpu: Duration,
}

pub(crate) fn measure<D: Database>(column: &mut Column, database: &mut D) {
    // An outbox with a client, as in a service.
    let client = Client::builder().no_env().dev(true).build().expect("a client");
    let outbox = Outbox::for_client(&client);
    let event = checkout(1);
    // Ready to be inserted: the bare program does not serialize.
    let row = outbox.prepare(&event).expect("a valid event");

    let (name, body, trace) = (row.name(), row.body(), row.traceparent());
    let mut ours = |database: &mut D| database.enqueue(&outbox, &event);
    let mut bare = |database: &mut D| database.insert(name, body, trace);
    let mut by_hand = |database: &mut D| database.insert(name, &serialized(&event), None);

    let probe = cost(20, database, &mut bare);
    let transactions = ROUND.as_nanos() / (probe.time / 20).as_nanos().max(1);
    let transactions = usize::try_from(transactions).unwrap_or(usize::MAX).clamp(10, 5_000);
    let mut costs = [const { Vec::new() }; 3];
    for round in 0..ROUNDS + 3 {
        database.clear();
        for turn in 0..3 {
            // Each of them is the first one equally often, since the others find warm caches.
            let index = (round + turn) % 3;
            let program: &mut dyn FnMut(&mut D) = match index {
                0 => &mut ours,
                1 => &mut bare,
                _ => &mut by_hand,
            };
            let cost = cost(transactions, database, program);
            if round >= 3 {
                costs[index].push(cost);
            }
        }
    }
    database.clear();
    let [ours, bare, by_hand] = costs.map(|costs| Cost::median(&costs));
    column.set("transactions", format!("{:.0}", transactions as f64 / ours.time.as_secs_f64()));
    column.set("rate", ratio(bare.time, ours.time));
    column.set("cpu", ratio(ours.cpu, bare.cpu));
    column.set("rate by hand", ratio(by_hand.time, ours.time));
    column.set("cpu by hand", ratio(ours.cpu, by_hand.cpu));
}

/// Serializes the event as a program without this crate would.
fn serialized(event: &CheckoutCompleted) -> Vec<u8> {
    #[derive(Serialize)]
    struct ByHand<'a> {
        name: &'a str,
        data: &'a CheckoutCompleted,
        id: String,
        ts: u128,
    }
    let id = format!("cart-checkout-completed-{}", event.cart_id);
    let ts = UNIX_EPOCH.elapsed().expect("a clock that is set").as_millis();
    let event = ByHand { name: CheckoutCompleted::NAME, data: event, id, ts };
    serde_json::to_vec(&event).expect("JSON")
}

/// Runs a transaction several times.
fn cost<D: Database>(times: usize, database: &mut D, program: &mut dyn FnMut(&mut D)) -> Cost {
    let (start, cpu_start) = (Instant::now(), cpu::of_thread().unwrap_or_default());
    for _ in 0..times {
        program(database);
    }
    let cpu = cpu::of_thread().unwrap_or_default().saturating_sub(cpu_start);
    Cost { time: start.elapsed(), cpu }
}

impl Cost {
    fn median(costs: &[Cost]) -> Cost {
        let median = |value: fn(&Cost) -> Duration| {
            let mut values: Vec<Duration> = costs.iter().map(value).collect();
            values.sort_unstable();
            values[values.len() / 2]
        };
        Cost { time: median(|cost| cost.time), cpu: median(|cost| cost.cpu) }
    }
}

fn ratio(one: Duration, other: Duration) -> String {
    if other.is_zero() {
        return "unknown".to_owned();
    }
    format!("{:.3}", one.as_secs_f64() / other.as_secs_f64())
}
