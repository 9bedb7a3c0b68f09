//! One attempt to send a claimed batch: the batch of the client, and the outcome of each event.

use std::sync::Arc;

use serde::ser::Error as _;

use crate::batch::{Batch, CallSite, Seed, event_name};
use crate::client::{Client, Outcome, Rejection, RequestError, TraceHeaders, reject};
use crate::event::EventError;
use crate::outbox::store::ClaimedBatch;

/// A claimed batch as the client sends it.
pub(super) struct Attempt {
    batch: Batch,
    /// The index in the claimed batch of each event in `batch`.
    indexes: Vec<usize>,
    /// The names of all events of the claimed batch.
    pub(super) names: Vec<&'static str>,
    /// The rows that are not events, by their index. They are rejected.
    invalid: Vec<(usize, String)>,
    trace: TraceHeaders,
}

impl Attempt {
    #[track_caller]
    pub(super) fn new(claimed: &ClaimedBatch) -> Attempt {
        let call_site = CallSite::caller();
        let bytes = claimed.events.iter().map(|event| event.body.len()).sum();
        let seed = Seed::from_bytes(claimed.seed);
        let mut attempt = Attempt {
            batch: Batch::of_seed(seed.unwrap_or_else(Seed::new), claimed.events.len(), bytes),
            indexes: Vec::with_capacity(claimed.events.len()),
            names: Vec::with_capacity(claimed.events.len()),
            invalid: Vec::new(),
            trace: common_trace(claimed),
        };
        for (index, event) in claimed.events.iter().enumerate() {
            let body =
                std::str::from_utf8(&event.body).map_err(|error| format!("is not text: {error}"));
            let name = match body.and_then(event_name) {
                // Inngest would ignore the seed, and a retry would duplicate the event.
                _ if seed.is_none() => Err("is in a batch whose seed is invalid".to_owned()),
                name => name,
            };
            match name {
                Ok(name) => {
                    attempt.batch.push_at(event.place, name, &event.body, call_site);
                    attempt.indexes.push(index);
                    attempt.names.push(name);
                }
                Err(problem) => {
                    attempt.names.push("(unknown)");
                    attempt.invalid.push((index, problem));
                }
            }
        }
        if claimed.ambiguous_for.is_some() {
            attempt.batch.mark_all_in_doubt();
        }
        attempt
    }

    /// Sends the batch. Returns the outcome of each event of the claimed batch.
    pub(super) async fn send(&self, client: &Client) -> Vec<Outcome> {
        let mut sent = client.send_for_relay(&self.batch, &self.trace).await.into_iter();
        let mut invalid = self.invalid.iter().peekable();
        let outcome = |index: usize| match invalid.next_if(|(it, _)| *it == index) {
            Some((_, problem)) => Some(invalid_row(problem)),
            None => sent.next(),
        };
        (0..self.names.len()).filter_map(outcome).collect()
    }

    /// Returns the outcome of the event at `index` of the claimed batch, whose name the server refuses.
    pub(super) fn reject_name(&self, index: usize, cause: &RequestError) -> Option<Outcome> {
        let in_batch = self.indexes.binary_search(&index).ok()?;
        let message = cause.message().unwrap_or_default().to_owned();
        Some(reject(&self.batch, in_batch, 403, message))
    }

    /// Returns whether no event that is still in the outbox may have been accepted by an attempt.
    /// `outcomes` is empty if the attempt was canceled.
    pub(super) fn is_unambiguous(&self, outcomes: &[Outcome]) -> bool {
        let mut events = self.indexes.iter().enumerate();
        events.all(|(in_batch, index)| {
            let delivered = matches!(outcomes.get(*index), Some(Outcome::Accepted(_)));
            delivered || !self.batch.is_in_doubt(in_batch)
        })
    }
}

/// Returns the outcome of a row whose body is not an event: another program wrote it.
fn invalid_row(problem: &str) -> Outcome {
    let problem = format!("the row in the outbox {problem}");
    let source = Arc::new(serde_json::Error::custom(problem));
    let error = EventError::Serialize { event: "(unknown)", source };
    Outcome::Rejected(Box::new(Rejection::Event(error)))
}

/// Returns the trace context that all events have in common.
fn common_trace(claimed: &ClaimedBatch) -> TraceHeaders {
    let mut events = claimed.events.iter().map(|event| event.traceparent.as_deref());
    let first = events.next().flatten();
    match first.filter(|first| events.all(|other| other == Some(*first))) {
        Some(traceparent) => TraceHeaders::from_traceparent(traceparent),
        None => TraceHeaders::default(),
    }
}
