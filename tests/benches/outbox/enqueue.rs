//! Enqueuing one event in a transaction, against a bare INSERT of the same row.

use std::time::{Duration, Instant};

use inngest_core::Client;
use inngest_core::outbox::Outbox;

use crate::table::Column;
use crate::{Database, checkout, cpu};

const ROUNDS: usize = 40;
/// A round takes about this long for each of the two.
const ROUND: Duration = Duration::from_millis(100);

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

    let probe = cost(20, || database.insert(&row));
    let transactions = ROUND.as_nanos() / (probe.time / 20).as_nanos().max(1);
    let transactions = usize::try_from(transactions).unwrap_or(usize::MAX).clamp(10, 5_000);
    let mut ours = Vec::new();
    let mut bare = Vec::new();
    for round in 0..ROUNDS + 2 {
        database.clear();
        // The second one finds warm caches, so they swap.
        let (a, b) = if round % 2 == 0 {
            let first = cost(transactions, || database.enqueue(&outbox, &event));
            (first, cost(transactions, || database.insert(&row)))
        } else {
            let first = cost(transactions, || database.insert(&row));
            (cost(transactions, || database.enqueue(&outbox, &event)), first)
        };
        if round >= 2 {
            ours.push(a);
            bare.push(b);
        }
    }
    database.clear();
    let time = median(&ours, |cost| cost.time) / median(&bare, |cost| cost.time);
    let cpu = median(&ours, |cost| cost.cpu) / median(&bare, |cost| cost.cpu);
    let rate = transactions as f64 / median(&ours, |cost| cost.time);
    column.set("transactions", format!("{rate:.0}"));
    column.set("transactions ratio", format!("{:.3}", 1.0 / time));
    let known = cpu.is_finite();
    column.set("cpu ratio", if known { format!("{cpu:.3}") } else { "unknown".to_owned() });
}

/// Runs `transaction` several times.
fn cost(times: usize, mut transaction: impl FnMut()) -> Cost {
    let (start, cpu_start) = (Instant::now(), cpu::of_thread().unwrap_or_default());
    for _ in 0..times {
        transaction();
    }
    Cost {
        time: start.elapsed(),
        cpu: cpu::of_thread().unwrap_or_default().saturating_sub(cpu_start),
    }
}

/// Returns a median in seconds.
fn median(costs: &[Cost], value: impl Fn(&Cost) -> Duration) -> f64 {
    let mut values: Vec<Duration> = costs.iter().map(value).collect();
    values.sort_unstable();
    values[values.len() / 2].as_secs_f64()
}
