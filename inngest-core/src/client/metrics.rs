//! The client's metrics, recorded through the crate `metrics` under the names of OpenTelemetry's
//! messaging conventions.

use std::panic::{AssertUnwindSafe, catch_unwind};

use metrics::{
    Label, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use tokio::time::Instant;

use super::log;
use crate::batch::{Slot, common_name};

const SENT: &str = "messaging.client.sent.messages";
const DURATION: &str = "messaging.client.operation.duration";
const QUEUED_EVENTS: &str = "inngest.publisher.queued.events";
const QUEUED_BYTES: &str = "inngest.publisher.queued.bytes";
const IN_FLIGHT: &str = "inngest.publisher.in_flight";
#[cfg(feature = "outbox")]
const OUTBOX_PENDING: &str = "inngest.outbox.pending.events";
#[cfg(feature = "outbox")]
const OUTBOX_AGE: &str = "inngest.outbox.oldest.age";
#[cfg(feature = "outbox")]
const OUTBOX_DEAD: &str = "inngest.outbox.dead.events";

/// Runs `call`, which calls the installed recorder. A panic in the recorder is caught: it must end
/// neither a call nor a publisher.
fn record(call: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(call)).is_err() {
        log::metrics_panicked();
    }
}

/// Registers descriptions and units with the installed recorder.
pub(super) fn describe() {
    record(describe_all);
}

fn describe_all() {
    describe_counter!(SENT, Unit::Count, "Events with an outcome: accepted, or an error.type");
    describe_histogram!(DURATION, Unit::Seconds, "Attempts at a request, each measured separately");
    describe_gauge!(QUEUED_EVENTS, Unit::Count, "Events held by publishers, including in flight");
    describe_gauge!(QUEUED_BYTES, Unit::Bytes, "Size of these events as JSON");
    describe_gauge!(IN_FLIGHT, Unit::Count, "Batches that publishers are sending");
    #[cfg(feature = "outbox")]
    OutboxGauges::describe();
}

fn labels(name: Option<&'static str>, error_type: Option<&'static str>) -> Vec<Label> {
    let mut labels = vec![
        Label::from_static_parts("messaging.system", "inngest"),
        Label::from_static_parts("messaging.operation.name", "send"),
    ];
    labels.extend(name.map(|name| Label::from_static_parts("messaging.destination.name", name)));
    labels.extend(error_type.map(|error| Label::from_static_parts("error.type", error)));
    labels
}

/// Counts events by name and outcome. Consecutive events with the same name and outcome are
/// recorded at once.
#[derive(Default)]
pub(super) struct OutcomeCounter {
    current: Option<(&'static str, Option<&'static str>)>,
    events: u64,
}

impl OutcomeCounter {
    pub(super) fn add(&mut self, name: &'static str, error_type: Option<&'static str>) {
        if self.current != Some((name, error_type)) {
            self.flush();
            self.current = Some((name, error_type));
        }
        self.events += 1;
    }

    pub(super) fn flush(&mut self) {
        let events = std::mem::take(&mut self.events);
        if let Some((name, error_type)) = self.current {
            record(|| counter!(SENT, labels(Some(name), error_type)).increment(events));
        }
    }
}

/// Measures the duration of one attempt at a request.
pub(super) struct AttemptTimer {
    started: Instant,
}

impl AttemptTimer {
    pub(super) fn start() -> AttemptTimer {
        AttemptTimer { started: Instant::now() }
    }

    pub(super) fn record(&self, events: &[Slot], error_type: Option<&'static str>) {
        let seconds = self.started.elapsed().as_secs_f64();
        record(|| histogram!(DURATION, labels(common_name(events), error_type)).record(seconds));
    }
}

/// One publisher's share of the gauges, to which all publishers of a process add. Dropping it
/// subtracts the share.
#[derive(Default)]
pub(crate) struct QueueGauges {
    events: usize,
    bytes: usize,
    in_flight: usize,
}

impl QueueGauges {
    pub(crate) fn set(&mut self, events: usize, bytes: usize, in_flight: usize) {
        change(QUEUED_EVENTS, &mut self.events, events);
        change(QUEUED_BYTES, &mut self.bytes, bytes);
        change(IN_FLIGHT, &mut self.in_flight, in_flight);
    }
}

impl Drop for QueueGauges {
    fn drop(&mut self) {
        self.set(0, 0, 0);
    }
}

/// The gauges of an outbox. A relay sets them to what it counted in the database.
#[cfg(feature = "outbox")]
pub(crate) struct OutboxGauges;

#[cfg(feature = "outbox")]
impl OutboxGauges {
    fn describe() {
        describe_gauge!(OUTBOX_PENDING, Unit::Count, "Events in the outbox, without dead ones");
        describe_gauge!(OUTBOX_AGE, Unit::Seconds, "Age of the oldest event in the outbox");
        describe_gauge!(OUTBOX_DEAD, Unit::Count, "Dead events in the outbox");
    }

    pub(crate) fn set(pending: u64, oldest_age: std::time::Duration, dead: u64) {
        #[expect(clippy::cast_precision_loss, reason = "no table has 2^53 rows")]
        let (pending, dead) = (pending as f64, dead as f64);
        record(|| {
            gauge!(OUTBOX_PENDING).set(pending);
            gauge!(OUTBOX_AGE).set(oldest_age.as_secs_f64());
            gauge!(OUTBOX_DEAD).set(dead);
        });
    }
}

/// Changes a gauge by the difference between `new` and the publisher's current share.
fn change(name: &'static str, share: &mut usize, new: usize) {
    let old = std::mem::replace(share, new);
    if old != new {
        #[expect(clippy::cast_precision_loss, reason = "no memory holds 2^53 bytes of events")]
        let difference = new as f64 - old as f64;
        record(|| gauge!(name).increment(difference));
    }
}
