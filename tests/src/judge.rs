//! A server that derives ids from the seed as Inngest does, and judges a sender by the identity of the events.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use inngest_core::testing::TransportFault;
use inngest_core::{Client, ClientBuilder, EventId};
use serde_json::{Value, json};
use tokio::time::Instant;

/// What a [`Judge`] does with a request.
#[derive(Clone, Debug)]
pub enum Ruling {
    /// Accepts every event.
    Accept,
    /// Accepts the events before this index, and responds with 400 as if the event at it were invalid. A shorter
    /// request is accepted.
    StopAt(usize),
    /// Accepts the events before this index, then drops the connection.
    Lose(usize),
    /// Accepts the events before this index, and never responds.
    Hang(usize),
    /// Accepts nothing, and responds with this status and body.
    Respond(u16, &'static str),
    /// Accepts nothing, and fails without a response.
    Fail(TransportFault),
}

/// A request that a [`Judge`] received.
#[derive(Clone, Debug)]
pub struct JudgedRequest {
    /// How many requests came before it.
    pub index: usize,
    /// The time since the judge was made.
    pub elapsed: Duration,
    /// The number of each event: the `number` in its data.
    pub numbers: Vec<u64>,
}

/// What a [`Judge`] has seen. An event is known by its number.
#[derive(Debug, Default)]
struct Record {
    requests: Vec<JudgedRequest>,
    /// The numbers of the events accepted under each id.
    numbers: BTreeMap<String, BTreeSet<u64>>,
    /// The ids under which each event was accepted.
    ids: BTreeMap<u64, BTreeSet<String>>,
}

/// A transport that rules on each request and remembers which event it accepted under which id.
#[derive(Clone)]
pub struct Judge {
    start: Instant,
    rule: Arc<dyn Fn(&JudgedRequest) -> Ruling + Send + Sync>,
    record: Arc<Mutex<Record>>,
}

impl Judge {
    /// Makes a judge that rules by `rule`.
    pub fn new(rule: impl Fn(&JudgedRequest) -> Ruling + Send + Sync + 'static) -> Judge {
        Judge { start: Instant::now(), rule: Arc::new(rule), record: Arc::default() }
    }

    /// Makes a judge that stops at the first event for which `is_bad` returns true.
    pub fn with_bad_events(is_bad: impl Fn(u64) -> bool + Send + Sync + 'static) -> Judge {
        Judge::new(move |request| stop_at_bad(request, &is_bad))
    }

    /// Returns a judge with the same record that rules by `rule`.
    #[must_use]
    pub fn ruling(&self, rule: impl Fn(&JudgedRequest) -> Ruling + Send + Sync + 'static) -> Judge {
        Judge { rule: Arc::new(rule), ..self.clone() }
    }

    /// Returns the builder of a client that sends to this judge.
    pub fn builder(&self) -> ClientBuilder {
        let judge = self.clone();
        let builder = Client::builder().no_env().event_key("a-secret-key");
        builder.transport(move |request| judge.clone().respond(request))
    }

    /// Returns a client that sends to this judge.
    #[must_use]
    pub fn client(&self) -> Client {
        self.builder().build().expect("a client")
    }

    /// Returns the requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<JudgedRequest> {
        self.record().requests.clone()
    }

    /// Returns the numbers of the events in each request so far.
    #[must_use]
    pub fn numbers(&self) -> Vec<Vec<u64>> {
        self.requests().into_iter().map(|request| request.numbers).collect()
    }

    /// Returns the numbers of the accepted events.
    #[must_use]
    pub fn accepted(&self) -> BTreeSet<u64> {
        self.record().ids.keys().copied().collect()
    }

    /// Returns whether the event of this number was accepted under this id.
    #[must_use]
    pub fn has_accepted(&self, number: u64, id: &EventId) -> bool {
        self.record().ids.get(&number).is_some_and(|ids| ids.contains(id.as_str()))
    }

    /// Asserts that no id belongs to two events, and that no event has two ids.
    pub fn assert_identities(&self) {
        let record = self.record();
        for (id, numbers) in &record.numbers {
            assert_eq!(numbers.len(), 1, "the events {numbers:?} have one id, {id}");
        }
        for (number, ids) in &record.ids {
            assert_eq!(ids.len(), 1, "event {number} has several ids: {ids:?}");
        }
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().expect("no panic in a judge")
    }

    async fn respond(
        self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportFault> {
        let body: Value = serde_json::from_slice(request.body()).expect("JSON");
        let events = body.as_array().cloned().unwrap_or_else(|| vec![body]);
        let number = |event: &Value| event["data"]["number"].as_u64().expect("a number");
        let numbers: Vec<u64> = events.iter().map(number).collect();
        let seed = request.headers()["x-inngest-event-id-seed"].to_str().expect("ASCII");
        let request = {
            let mut record = self.record();
            let (index, elapsed) = (record.requests.len(), self.start.elapsed());
            let request = JudgedRequest { index, elapsed, numbers: numbers.clone() };
            record.requests.push(request.clone());
            request
        };
        let accept = |count: usize| self.accept(seed, &numbers[..count.min(numbers.len())]);
        match (self.rule)(&request) {
            Ruling::StopAt(index) if index < numbers.len() => {
                let mut ids = accept(index);
                if ids.is_empty() {
                    ids.push(String::new());
                }
                let body = json!({ "ids": ids, "status": 400, "error": "a bad event" });
                Ok(response(400, &body.to_string()))
            }
            Ruling::Accept | Ruling::StopAt(_) => {
                let body = json!({ "ids": accept(numbers.len()), "status": 200 });
                Ok(response(200, &body.to_string()))
            }
            Ruling::Lose(count) => {
                accept(count);
                Err(TransportFault::Interrupted)
            }
            Ruling::Hang(count) => {
                accept(count);
                std::future::pending().await
            }
            Ruling::Respond(status, body) => Ok(response(status, body)),
            Ruling::Fail(fault) => Err(fault),
        }
    }

    /// Accepts the first events of a request with this seed, and returns their ids.
    fn accept(&self, seed: &str, numbers: &[u64]) -> Vec<String> {
        let mut record = self.record();
        let mut ids = Vec::with_capacity(numbers.len());
        for (position, number) in (1..).zip(numbers) {
            let id = seeded_id(seed, position);
            record.numbers.entry(id.clone()).or_default().insert(*number);
            record.ids.entry(*number).or_default().insert(id.clone());
            ids.push(id);
        }
        ids
    }
}

/// Stops at the first event of `request` for which `is_bad` returns true.
fn stop_at_bad(request: &JudgedRequest, is_bad: &dyn Fn(u64) -> bool) -> Ruling {
    let bad = request.numbers.iter().position(|number| is_bad(*number));
    bad.map_or(Ruling::Accept, Ruling::StopAt)
}

/// Returns the id of the event at `position`, counted from 1: the time of the seed, and its ten random bytes, to whose
/// last four the position is added. Inngest writes the same 16 bytes in base 32.
///
/// # Panics
///
/// If `seed` is not the value of a seed header.
#[must_use]
pub fn seeded_id(seed: &str, position: u32) -> String {
    let (millis, random) = seed.split_once(',').expect("a seed");
    let bytes = base64::engine::general_purpose::STANDARD.decode(random).expect("base64");
    let (first, last) = bytes.split_at(6);
    let last = u32::from_be_bytes(last.try_into().expect("ten bytes")).wrapping_add(position);
    format!("{millis}-{first:02x?}-{last:08x}")
}

fn response(status: u16, body: &str) -> http::Response<Bytes> {
    let mut response = http::Response::new(Bytes::from(body.to_owned()));
    *response.status_mut() = http::StatusCode::from_u16(status).expect("an HTTP status");
    response
}
