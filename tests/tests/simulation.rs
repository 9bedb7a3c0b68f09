//! The invariants of the publisher and the client under faults of every kind, checked with a model of
//! Inngest's Event API on a paused clock, in thousands of random runs, called stories.
//!
//! A story that fails prints its number. `SIMULATION_SEED=number cargo test -p inngest-tests --test
//! simulation` repeats that story, and `SIMULATION_STORIES=n` runs `n` stories.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use fastrand::Rng;
use inngest_core::publisher::{CloseReport, DeliveryError, PublishError, Receipt, Undelivered};
use inngest_core::testing::TransportFault;
use inngest_core::{Batch, Client};
use inngest_tests::{CheckoutCompleted, ItemViewed, seeded_id};
use serde_json::{Value, json};

/// What the server has accepted and run. One function runs for every event.
#[derive(Debug, Default)]
struct Server {
    /// The number of the event of each run, by the dedup id or the id of the event.
    runs: BTreeMap<String, u64>,
    /// The ids under which each event was accepted.
    ids: BTreeMap<u64, BTreeSet<String>>,
    /// The numbers of events that were dropped because another event had the same id.
    dropped: Vec<u64>,
    /// The numbers of accepted events whose response was lost.
    lost: BTreeSet<u64>,
}

impl Server {
    /// Accepts the events before the first bad one, as the Event API does, and returns their ids.
    fn accept(
        &mut self,
        seed: &str,
        events: &[Value],
        is_bad: impl Fn(u64) -> bool,
    ) -> Vec<String> {
        let mut ids = Vec::new();
        for (position, event) in (1_u32..).zip(events) {
            let number = number(event);
            if is_bad(number) {
                break;
            }
            let id = seeded_id(seed, position);
            let dedup = event["id"].as_str().unwrap_or(&id).to_owned();
            if *self.runs.entry(dedup).or_insert(number) != number {
                self.dropped.push(number);
            }
            self.ids.entry(number).or_default().insert(id.clone());
            ids.push(id);
        }
        ids
    }
}

fn number(event: &Value) -> u64 {
    let data = &event["data"];
    let cart = || data["cart_id"].as_str()?.parse().ok();
    data["number"].as_u64().or_else(cart).expect("a number")
}

/// The faults and the limits of the server in one random run.
#[derive(Clone, Debug)]
struct Story {
    /// The percentage of requests with a fault.
    faults: u8,
    /// Events whose number is a multiple of this are refused in every request; 0 for none.
    bad_every: u64,
    /// A request with an event whose number is a multiple of this fails with 500; 0 for none.
    poison_every: u64,
    /// Whether the key is refused for the name of checkouts.
    refuses_checkouts: bool,
    /// Whether an event whose response was lost gets a 400 from then on.
    refuses_lost: bool,
    /// A request with more events than this gets a 413.
    max_events: usize,
    /// Whether the key may be refused.
    refuses_keys: bool,
}

#[derive(Clone)]
struct Simulation {
    story: Story,
    server: Arc<Mutex<Server>>,
    rng: Arc<Mutex<Rng>>,
    /// Whether faults are off, for resending what was not delivered.
    healthy: Arc<Mutex<bool>>,
}

impl Simulation {
    /// Responds to a request, with a random fault unless the server is healthy.
    async fn respond(
        self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportFault> {
        let body: Value = serde_json::from_slice(request.body()).expect("JSON");
        let events = body.as_array().cloned().unwrap_or_else(|| vec![body]);
        let seed = request.headers()["x-inngest-event-id-seed"].to_str().expect("ASCII").to_owned();
        let bad = self.story.bad_every;
        let healthy = *self.healthy.lock().expect("no panic");
        let refused = if self.story.refuses_lost && !healthy {
            self.server.lock().expect("no panic").lost.clone()
        } else {
            BTreeSet::new()
        };
        let is_bad = |number| is_multiple(number, bad) || refused.contains(&number);
        let accept = |count: usize| {
            let events = &events[..count];
            self.server.lock().expect("no panic").accept(&seed, events, is_bad)
        };
        let accept_and_lose = |count: usize| {
            let accepted = accept(count).len();
            let numbers = events[..accepted].iter().map(number);
            self.server.lock().expect("no panic").lost.extend(numbers);
        };
        let (fault, delay, part) = {
            let mut rng = self.rng.lock().expect("no panic");
            let fault =
                if healthy || rng.u8(..100) >= self.story.faults { 0 } else { rng.u8(1..16) };
            (fault, rng.u64(..300), rng.usize(..=events.len()))
        };
        tokio::time::sleep(Duration::from_millis(delay)).await;
        if events.len() > self.story.max_events {
            return Ok(status(413, &[], "too large"));
        }
        let is_checkout = |event: &Value| event["name"] == "storefront/cart.checkout.completed";
        if !healthy && self.story.refuses_checkouts && events.iter().any(is_checkout) {
            return Ok(status(403, &[], "the key is not allowed to send this name"));
        }
        let is_poison = |event: &Value| is_multiple(number(event), self.story.poison_every);
        if !healthy && events.iter().any(is_poison) {
            return Ok(status(500, &[], "it failed"));
        }
        match fault {
            1 => Err(TransportFault::Connect),
            2 => Err(TransportFault::Interrupted),
            3 => {
                // The connection is dropped after all events were accepted.
                accept_and_lose(events.len());
                Err(TransportFault::Interrupted)
            }
            4 => {
                // The connection is dropped after a part of the events was accepted.
                accept_and_lose(part);
                Err(TransportFault::Interrupted)
            }
            5 if part < events.len() => {
                // An internal failure of the server, at a random event.
                let ids = accept(part);
                Ok(status(400, &ids, "internal error"))
            }
            6 => Ok(status(503, &[], "down")),
            7 => {
                accept_and_lose(events.len());
                Ok(status(502, &[], "down, but it was accepted"))
            }
            8 => {
                let mut response = status(429, &[], "slow down");
                let seconds = (delay % 20).to_string().parse().expect("a header's value");
                response.headers_mut().insert("retry-after", seconds);
                Ok(response)
            }
            9 => std::future::pending().await,
            10 => {
                accept_and_lose(events.len());
                std::future::pending().await
            }
            11 => {
                accept(part);
                Ok(http::Response::new(Bytes::from_static(b"<html>a page</html>")))
            }
            12 => {
                // The response has fewer ids than events.
                let ids = accept(events.len());
                let body = json!({ "ids": ids[1.min(ids.len())..], "status": 200 });
                Ok(http::Response::new(body.to_string().into()))
            }
            // A failure of the server itself, although no event is bad.
            14 => Ok(status(400, &[], "internal error")),
            15 => {
                // A gateway's response, which may come after the events were accepted.
                accept_and_lose(part);
                let body = Bytes::from_static(br#"{"error":"Bad Request"}"#);
                let mut response = http::Response::new(body);
                *response.status_mut() = http::StatusCode::BAD_REQUEST;
                Ok(response)
            }
            13 if self.story.refuses_keys => Ok(status(401, &[], "Event key not found")),
            _ => {
                let ids = accept(events.len());
                if ids.len() < events.len() {
                    return Ok(status(400, &ids, "a bad event"));
                }
                let body = json!({ "ids": ids, "status": 200 });
                Ok(http::Response::new(body.to_string().into()))
            }
        }
    }
}

fn is_multiple(number: u64, of: u64) -> bool {
    of > 0 && number % of == 0
}

fn status(status: u16, ids: &[String], error: &str) -> http::Response<Bytes> {
    let ids = if ids.is_empty() { vec![String::new()] } else { ids.to_vec() };
    let body = json!({ "ids": ids, "status": status, "error": error });
    let mut response = http::Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = http::StatusCode::from_u16(status).expect("an HTTP status");
    response
}

/// The result of a story.
struct StoryResult {
    simulation: Simulation,
    /// The number of every event that the publisher accepted, with its receipt.
    accepted: Vec<(u64, Receipt)>,
    /// What the hook `on_undelivered` received.
    undelivered: Vec<Undelivered>,
    report: CloseReport,
}

async fn run(seed: u64) -> StoryResult {
    let mut rng = Rng::with_seed(seed);
    // Seeds the jitter of the client.
    fastrand::seed(seed);
    let story = Story {
        faults: *rng.choice(&[0, 10, 30, 60, 90]).expect("one"),
        bad_every: *rng.choice(&[0, 0, 2, 5, 11]).expect("one"),
        poison_every: *rng.choice(&[0, 0, 0, 7, 13]).expect("one"),
        refuses_checkouts: rng.u8(..4) == 0,
        refuses_lost: rng.bool(),
        max_events: *rng.choice(&[1_000, 1_000, 4, 1]).expect("one"),
        refuses_keys: rng.bool(),
    };
    let simulation = Simulation {
        story,
        server: Arc::default(),
        rng: Arc::new(Mutex::new(rng.fork())),
        healthy: Arc::default(),
    };
    let client = client(&simulation);
    let undelivered: Arc<Mutex<Vec<Undelivered>>> = Arc::default();
    let hook = Arc::clone(&undelivered);
    let publisher = client
        .publisher()
        .max_batch_events(rng.usize(1..12))
        .max_batch_bytes(rng.usize(100..2_000))
        .linger(Duration::from_millis(rng.u64(..20)))
        .max_in_flight(rng.usize(1..5))
        .max_queued_events(rng.usize(1..40))
        .max_queued_bytes(rng.usize(100..4_000))
        .on_undelivered(move |events| hook.lock().expect("no panic").push(events))
        .start();

    let mut accepted = Vec::new();
    for number in 1..=rng.u32(1..50) {
        let result = match rng.u8(..8) {
            0 => publisher.try_publish(event(number)),
            1 => {
                // Canceled after a timeout, as a web handler does it.
                let publish = publisher.publish(event(number));
                let limit = Duration::from_millis(rng.u64(..200));
                match tokio::time::timeout(limit, publish).await {
                    Ok(result) => result,
                    Err(_) => continue,
                }
            }
            kind => {
                // A poison event can fill the queue for good.
                let publish = match kind {
                    2 if number % 2 == 0 => {
                        publisher.publish(CheckoutCompleted::of(&number.to_string()))
                    }
                    _ => publisher.publish(event(number)),
                };
                match tokio::time::timeout(Duration::from_secs(120), publish).await {
                    Ok(result) => result,
                    Err(_) => continue,
                }
            }
        };
        match result {
            Ok(receipt) => accepted.push((u64::from(number), receipt)),
            Err(PublishError::KeyRefused { .. }) => publisher.resume(),
            Err(PublishError::Full { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        match rng.u8(..12) {
            0 => drop(publisher.flush(Duration::from_millis(rng.u64(..500))).await),
            1 => tokio::time::sleep(Duration::from_millis(rng.u64(..2_000))).await,
            2 => publisher.resume(),
            _ => {}
        }
    }
    let deadlines = [0, 1, 100, 5_000, 3_600_000];
    let deadline = Duration::from_millis(*rng.choice(&deadlines).expect("one"));
    let report = publisher.close(deadline).await;
    drop(publisher);
    // On a slow machine, a thread notifies hooks and receipts after `close`. Then it drops the hook.
    let closed = Instant::now();
    while Arc::strong_count(&undelivered) > 1 {
        assert!(closed.elapsed() < Duration::from_secs(60), "the hook is still in use");
        tokio::task::yield_now().await;
        std::thread::sleep(Duration::from_micros(10));
    }
    let undelivered = std::mem::take(&mut *undelivered.lock().expect("no panic"));
    StoryResult { simulation, accepted, undelivered, report }
}

fn client(simulation: &Simulation) -> Client {
    let simulation = simulation.clone();
    let builder = Client::builder().no_env().event_key("a-secret-key").max_request_events(7);
    let builder = builder.transport(move |request| simulation.clone().respond(request));
    builder.build().expect("a client")
}

fn event(number: u32) -> ItemViewed {
    ItemViewed::number(number)
}

/// Resends what was not delivered until the server, now without faults, has accepted all of it. An event in doubt
/// that is bad stays unsent.
async fn resend(simulation: &Simulation, batch: Batch) {
    *simulation.healthy.lock().expect("no panic") = true;
    let mut batch = batch;
    for max_request_events in [7, 1, 7, 1] {
        let simulation = simulation.clone();
        let builder = Client::builder().no_env().event_key("a-secret-key");
        let builder = builder.max_request_events(max_request_events);
        let builder = builder.transport(move |request| simulation.clone().respond(request));
        // A 413 is not retried, so every second client sends each event alone.
        match builder.build().expect("a client").send_batch(&batch).await {
            Ok(_) => return,
            Err(error) => batch = error.into_unsent(),
        }
    }
    let bad = simulation.story.bad_every;
    for event in batch.events() {
        let number = number(&serde_json::from_str(event.json()).expect("JSON"));
        assert!(is_multiple(number, bad), "{number} cannot be delivered");
    }
}

async fn check(result: StoryResult) {
    let StoryResult { simulation, accepted, undelivered: handed_over, report } = result;
    let bad = simulation.story.bad_every;
    let is_bad = |number: u64| is_multiple(number, bad);

    // Every accepted event is counted once.
    let counted = report.delivered + report.failed + report.undelivered.len() as u64;
    assert_eq!(counted, accepted.len() as u64, "accepted = delivered + failed + undelivered");

    // Every receipt has the outcome that was counted.
    let (mut delivered, mut failed, mut undelivered) = (0_u64, 0_u64, 0_usize);
    for (number, receipt) in &accepted {
        let outcome = receipt.try_delivered();
        match outcome.unwrap_or_else(|| panic!("{number} has no outcome")) {
            Ok(id) => {
                delivered += 1;
                let server = simulation.server.lock().expect("no panic");
                let ids = server.ids.get(number).unwrap_or_else(|| panic!("{number} is lost"));
                assert!(ids.contains(id.as_str()), "{number} was accepted under {ids:?}, not {id}");
            }
            Err(DeliveryError::Closed | DeliveryError::KeyRefused(_)) => undelivered += 1,
            Err(DeliveryError::Rejected(_)) => {
                failed += 1;
                // Nothing that the server accepted is reported as rejected.
                let server = simulation.server.lock().expect("no panic");
                assert!(!server.ids.contains_key(number), "{number} was accepted");
            }
            Err(_) => failed += 1,
        }
    }
    assert_eq!((delivered, failed), (report.delivered, report.failed));
    assert_eq!(undelivered, report.undelivered.len());

    // After the events that were handed back are resent, every event has run once.
    let rejected: BTreeSet<u64> = accepted
        .iter()
        .filter(|(_, receipt)| {
            let outcome = receipt.try_delivered();
            matches!(outcome, Some(Err(DeliveryError::Rejected(_))))
        })
        .map(|(number, _)| *number)
        .collect();
    let mut batch = report.undelivered;
    let mut handed_over_rejected = BTreeSet::new();
    for undelivered in handed_over {
        if undelivered.rejections.is_empty() {
            batch.append(undelivered.events);
        } else {
            assert_eq!(undelivered.rejections.len(), undelivered.events.len());
            let events = undelivered.events.events();
            let parsed = events.map(|event| serde_json::from_str(event.json()).expect("JSON"));
            handed_over_rejected.extend(parsed.map(|event: Value| number(&event)));
        }
    }
    assert_eq!(handed_over_rejected, rejected, "rejected events are handed over");
    resend(&simulation, batch).await;
    let server = simulation.server.lock().expect("no panic");
    assert_eq!(server.dropped, Vec::<u64>::new(), "dropped because of another event's id");
    for (number, ids) in &server.ids {
        assert_eq!(ids.len(), 1, "{number} was accepted under {ids:?}");
    }
    let mut ran: BTreeMap<u64, usize> = BTreeMap::new();
    for number in server.runs.values() {
        *ran.entry(*number).or_default() += 1;
    }
    for (number, times) in &ran {
        assert_eq!(*times, 1, "{number} ran {times} times");
    }
    for (number, _) in &accepted {
        let may_be_missing = is_bad(*number) || rejected.contains(number);
        assert!(may_be_missing || ran.contains_key(number), "{number} never ran");
        assert!(!is_bad(*number) || !ran.contains_key(number), "{number} is bad and ran");
    }
}

fn story(seed: u64) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let result = run(seed).await;
        check(result).await;
    });
}

fn from_env(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().expect(variable))
}

#[test]
fn every_accepted_event_has_one_outcome_and_runs_at_most_once() {
    if let Some(seed) = from_env("SIMULATION_SEED") {
        return story(seed);
    }
    let stories = from_env("SIMULATION_STORIES").unwrap_or(10_000);
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                for seed in (0..stories).filter(|seed| seed % threads == thread) {
                    let result = std::panic::catch_unwind(|| story(seed));
                    assert!(result.is_ok(), "repeat this story with SIMULATION_SEED={seed}");
                }
            });
        }
    });
    println!("{stories} stories passed");
}
