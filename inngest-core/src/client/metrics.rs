//! What a client counts and measures by the crate `metrics`, with the names of OpenTelemetry's conventions
//! for messaging.

use metrics::{
    Label, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use tokio::time::Instant;

use super::error::RequestError;
use super::response::Answer;
use crate::batch::{Slot, one_name};

const SENT: &str = "messaging.client.sent.messages";
const DURATION: &str = "messaging.client.operation.duration";
const QUEUED_EVENTS: &str = "inngest.publisher.queued.events";
const QUEUED_BYTES: &str = "inngest.publisher.queued.bytes";
const IN_FLIGHT: &str = "inngest.publisher.in_flight";

/// Tells the recorder that is installed what is measured, and its units.
pub(super) fn describe() {
    describe_counter!(SENT, Unit::Count, "Events that ended: accepted, or with an error.type");
    describe_histogram!(DURATION, Unit::Seconds, "Attempts at a request, each on its own");
    describe_gauge!(QUEUED_EVENTS, Unit::Count, "Events that publishers hold, those in flight too");
    describe_gauge!(QUEUED_BYTES, Unit::Bytes, "What these events take, as JSON");
    describe_gauge!(IN_FLIGHT, Unit::Count, "Batches that publishers are sending");
}

fn labels(name: Option<&'static str>, error_type: Option<&'static str>) -> Vec<Label> {
    let mut labels = vec![
        Label::from_static_parts("messaging.system", "inngest"),
        Label::from_static_parts("messaging.operation.name", "send"),
    ];
    let named = name.map(|name| Label::from_static_parts("messaging.destination.name", name));
    labels.extend(named);
    labels.extend(error_type.map(|error| Label::from_static_parts("error.type", error)));
    labels
}

/// Counts events as they end; those alike that follow each other at once.
#[derive(Default)]
pub(super) struct Tally {
    alike: Option<(&'static str, Option<&'static str>)>,
    events: u64,
}

impl Tally {
    pub(super) fn add(&mut self, name: &'static str, error_type: Option<&'static str>) {
        if self.alike != Some((name, error_type)) {
            self.count();
            self.alike = Some((name, error_type));
        }
        self.events += 1;
    }

    pub(super) fn count(&mut self) {
        let events = std::mem::take(&mut self.events);
        if let Some((name, error_type)) = self.alike {
            counter!(SENT, labels(Some(name), error_type)).increment(events);
        }
    }
}

/// Measures one attempt at a request.
pub(super) struct Attempt {
    began: Instant,
}

impl Attempt {
    pub(super) fn begin() -> Attempt {
        Attempt { began: Instant::now() }
    }

    pub(super) fn end(&self, events: &[Slot], result: &Result<Answer, RequestError>) {
        let error_type = match result {
            Ok(Answer::Accepted(_)) => None,
            Ok(Answer::Partial { .. }) => Some("rejected"),
            Err(error) => Some(error.kind()),
        };
        histogram!(DURATION, labels(one_name(events), error_type))
            .record(self.began.elapsed().as_secs_f64());
    }
}

/// What one publisher has added to the gauges, which all of a program's publishers share; dropped with the
/// publisher, it takes it back.
#[derive(Default)]
pub(crate) struct Gauges {
    events: usize,
    bytes: usize,
    in_flight: usize,
}

impl Gauges {
    pub(crate) fn set(&mut self, events: usize, bytes: usize, in_flight: usize) {
        change(QUEUED_EVENTS, &mut self.events, events);
        change(QUEUED_BYTES, &mut self.bytes, bytes);
        change(IN_FLIGHT, &mut self.in_flight, in_flight);
    }
}

impl Drop for Gauges {
    fn drop(&mut self) {
        self.set(0, 0, 0);
    }
}

fn change(name: &'static str, known: &mut usize, now: usize) {
    let before = std::mem::replace(known, now);
    if before != now {
        #[expect(clippy::cast_precision_loss, reason = "no memory holds 2^53 bytes of events")]
        gauge!(name).increment(now as f64 - before as f64);
    }
}
