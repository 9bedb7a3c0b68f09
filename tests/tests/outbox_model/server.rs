//! A model of Inngest's Event API, which fails as the story says, and remembers every event by its
//! number and every id by its seed and place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use fastrand::Rng;
use inngest_core::testing::TransportFault;
use inngest_core::testing::outbox_store::ScriptedStore;
use inngest_core::{Client, ClientBuilder};
use inngest_tests::seeded_id;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

pub(crate) const CHECKOUT: &str = "storefront/cart.checkout.completed";

/// How the server reacts to requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    /// It accepts every event that is not bad.
    Fair,
    /// This percentage of requests has a random fault.
    Mixed(u8),
    /// It cannot be reached.
    Unreachable,
    /// It responds with this status to every request.
    Status(u16),
    /// It responds with this status and asks to wait this many seconds.
    RetryAfter(u16, u64),
    /// It never responds.
    Hang,
    /// It accepts every event, and the response is lost.
    Lost,
    /// It responds with a web page.
    Page,
}

/// What the server refuses, for the whole story.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// Events whose number is a multiple of this are refused with 400; 0 for none.
    pub(crate) bad_every: u64,
    /// A request with an event whose number is a multiple of this fails with 500; 0 for none.
    pub(crate) poison_every: u64,
    /// Whether the key is refused for the name of checkouts.
    pub(crate) refuses_checkouts: bool,
    /// Whether an event whose response was lost is refused from then on.
    pub(crate) refuses_lost: bool,
    /// A request with more events than this gets a 413.
    pub(crate) max_events: usize,
    /// The longest time until a response, in milliseconds.
    pub(crate) max_delay: u64,
}

/// What the server knows of an event under one id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identity {
    /// The numbers of the events that had the id.
    pub(crate) numbers: BTreeSet<u64>,
    pub(crate) accepted: bool,
    /// When an attempt first ended so that the sender cannot know whether it was accepted: by the
    /// clock of the server, and by the clock of the database.
    pub(crate) ambiguous: Option<(Duration, SystemTime)>,
    /// The last attempt, by the same clocks.
    pub(crate) last_attempt: Option<(Duration, SystemTime)>,
}

#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) ids: BTreeMap<String, Identity>,
    /// The numbers of accepted events whose response was lost.
    pub(crate) lost: BTreeSet<u64>,
    /// Names that were refused with 403.
    pub(crate) refused_names: BTreeSet<String>,
}

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) rules: Rules,
    start: Instant,
    store: ScriptedStore,
    weather: Arc<Mutex<Weather>>,
    /// Whether no event is poison any more, and names and lost events are accepted.
    healed: Arc<Mutex<bool>>,
    rng: Arc<Mutex<Rng>>,
    record: Arc<Mutex<Record>>,
}

impl Server {
    pub(crate) fn new(rules: Rules, store: ScriptedStore, rng: Rng) -> Server {
        Server {
            rules,
            start: Instant::now(),
            store,
            weather: Arc::new(Mutex::new(Weather::Fair)),
            healed: Arc::default(),
            rng: Arc::new(Mutex::new(rng)),
            record: Arc::default(),
        }
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        let server = self.clone();
        let builder = Client::builder().no_env().event_key("a-secret-key");
        builder.transport(move |request| server.clone().respond(request))
    }

    pub(crate) fn set_weather(&self, weather: Weather) {
        *self.weather.lock().expect("no panic") = weather;
    }

    pub(crate) fn heal(&self) {
        self.set_weather(Weather::Fair);
        *self.healed.lock().expect("no panic") = true;
    }

    pub(crate) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().expect("no panic")
    }

    pub(crate) fn is_bad(&self, number: u64) -> bool {
        is_multiple(number, self.rules.bad_every)
    }

    pub(crate) fn is_poison(&self, number: u64) -> bool {
        is_multiple(number, self.rules.poison_every)
    }

    async fn respond(
        self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportFault> {
        let body: Value = serde_json::from_slice(request.body()).expect("JSON");
        let events = body.as_array().cloned().unwrap_or_else(|| vec![body]);
        let seed = request.headers()["x-inngest-event-id-seed"].to_str().expect("ASCII").to_owned();
        let ids: Vec<String> = (1..).take(events.len()).map(|at| seeded_id(&seed, at)).collect();
        let weather = *self.weather.lock().expect("no panic");
        // Only with a fault does a response take longer than the client's timeout.
        let max_delay = if weather == Weather::Fair {
            self.rules.max_delay.min(8_000)
        } else {
            self.rules.max_delay
        };
        let delay = self.rng.lock().expect("no panic").u64(..=max_delay);
        if weather == Weather::Unreachable {
            sleep(Duration::from_millis(delay.min(3_000))).await;
            return Err(TransportFault::Connect);
        }
        let mut attempt = Attempt { server: &self, ids, events, is_ambiguous: true };
        attempt.begin();
        sleep(Duration::from_millis(delay)).await;
        attempt.respond(weather).await
    }
}

/// A request that the server has received. Unless it ends with a clear response, it is ambiguous,
/// also if the sender is killed meanwhile.
struct Attempt<'a> {
    server: &'a Server,
    ids: Vec<String>,
    events: Vec<Value>,
    is_ambiguous: bool,
}

impl Attempt<'_> {
    fn begin(&self) {
        let mut record = self.server.record();
        let now = (self.server.start.elapsed(), self.server.store.now());
        for (id, event) in self.ids.iter().zip(&self.events) {
            let identity = record.ids.entry(id.clone()).or_default();
            identity.numbers.insert(number(event));
            identity.last_attempt = Some(now);
        }
    }

    /// Ends the attempt with a response after which nothing can have been accepted, except what it
    /// names.
    fn clear<T>(&mut self, response: T) -> T {
        self.is_ambiguous = false;
        response
    }

    fn healed(&self) -> bool {
        *self.server.healed.lock().expect("no panic")
    }

    /// Accepts the first `count` events up to the first bad one, and returns their ids.
    fn accept(&self, count: usize) -> Vec<String> {
        let healed = self.healed();
        let mut record = self.server.record();
        let mut accepted = Vec::new();
        for (id, event) in self.ids.iter().zip(&self.events).take(count) {
            let number = number(event);
            let is_refused = self.server.rules.refuses_lost && record.lost.contains(&number);
            if self.server.is_bad(number) || (is_refused && !healed) {
                break;
            }
            record.ids.entry(id.clone()).or_default().accepted = true;
            accepted.push(id.clone());
        }
        accepted
    }

    fn accept_and_lose(&self, count: usize) {
        let accepted = self.accept(count).len();
        let numbers = self.events[..accepted].iter().map(number);
        self.server.record().lost.extend(numbers);
    }

    async fn respond(&mut self, weather: Weather) -> Result<http::Response<Bytes>, TransportFault> {
        let rules = &self.server.rules;
        if self.events.len() > rules.max_events {
            return self.clear(Ok(status(413, &[], "too large")));
        }
        if !self.healed() {
            let checkouts = || self.events.iter().filter(|event| event["name"] == CHECKOUT);
            if rules.refuses_checkouts && checkouts().next().is_some() {
                self.server.record().refused_names.insert(CHECKOUT.to_owned());
                return self.clear(Ok(status(403, &[], "not this name")));
            }
            if self.events.iter().any(|event| self.server.is_poison(number(event))) {
                return Ok(status(500, &[], "it failed"));
            }
        }
        match weather {
            Weather::Fair => Ok(self.fair()),
            Weather::Mixed(percent) => {
                let (fault, part) = {
                    let mut rng = self.server.rng.lock().expect("no panic");
                    let fault = if rng.u8(..100) < percent { rng.u8(1..=13) } else { 0 };
                    (fault, rng.usize(..=self.events.len()))
                };
                self.faulty(fault, part).await
            }
            Weather::Unreachable => Err(TransportFault::Connect),
            Weather::Status(code @ (401 | 403 | 404)) => self.clear(Ok(status(code, &[], "no"))),
            Weather::Status(code) => Ok(status(code, &[], "no")),
            Weather::RetryAfter(code, seconds) => {
                self.is_ambiguous = code != 429;
                Ok(retry_after(code, seconds))
            }
            Weather::Hang => std::future::pending().await,
            Weather::Lost => {
                self.accept_and_lose(self.events.len());
                Err(TransportFault::Interrupted)
            }
            Weather::Page => Ok(http::Response::new(Bytes::from_static(b"<html>a page</html>"))),
        }
    }

    fn fair(&mut self) -> http::Response<Bytes> {
        let ids = self.accept(self.events.len());
        self.clear(());
        if ids.len() < self.events.len() {
            return status(400, &ids, "a bad event");
        }
        let body = json!({ "ids": ids, "status": 200 });
        http::Response::new(body.to_string().into())
    }

    async fn faulty(
        &mut self,
        fault: u8,
        part: usize,
    ) -> Result<http::Response<Bytes>, TransportFault> {
        let count = self.events.len();
        match fault {
            1 => self.clear(Err(TransportFault::Connect)),
            2 => Err(TransportFault::Interrupted),
            3 => {
                self.accept_and_lose(part);
                Err(TransportFault::Interrupted)
            }
            // An internal failure at an event that is not bad. It does not repeat for the event alone.
            4 if part < count && count > 1 => {
                let ids = self.accept(part);
                self.clear(Ok(status(400, &ids, "internal error")))
            }
            5 => Ok(status(503, &[], "down")),
            6 => {
                self.accept_and_lose(count);
                Ok(status(502, &[], "down, but it was accepted"))
            }
            7 => self.clear(Ok(retry_after(429, part as u64))),
            8 => Ok(retry_after(503, part as u64)),
            9 => std::future::pending().await,
            10 => {
                self.accept_and_lose(count);
                std::future::pending().await
            }
            11 => {
                self.accept_and_lose(part);
                Ok(http::Response::new(Bytes::from_static(b"<html>a page</html>")))
            }
            12 => {
                // The response has fewer ids than events.
                self.accept_and_lose(count);
                Ok(http::Response::new(Bytes::from_static(br#"{"ids":[],"status":200}"#)))
            }
            13 => {
                // A gateway's response, which may come after the events were accepted.
                self.accept_and_lose(part);
                let body = Bytes::from_static(br#"{"error":"Bad Request"}"#);
                let mut response = http::Response::new(body);
                *response.status_mut() = http::StatusCode::BAD_REQUEST;
                Ok(response)
            }
            _ => Ok(self.fair()),
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.is_ambiguous {
            let now = (self.server.start.elapsed(), self.server.store.now());
            let mut record = self.server.record();
            for id in &self.ids {
                record.ids.entry(id.clone()).or_default().ambiguous.get_or_insert(now);
            }
        }
    }
}

pub(crate) fn number(event: &Value) -> u64 {
    let data = &event["data"];
    let cart = || data["cart_id"].as_str()?.parse().ok();
    data["number"].as_u64().or_else(cart).expect("a number")
}

fn is_multiple(number: u64, of: u64) -> bool {
    of > 0 && number % of == 0
}

fn retry_after(code: u16, seconds: u64) -> http::Response<Bytes> {
    let mut response = status(code, &[], "slow down");
    let seconds = seconds.to_string().parse().expect("a header's value");
    response.headers_mut().insert("retry-after", seconds);
    response
}

fn status(status: u16, ids: &[String], error: &str) -> http::Response<Bytes> {
    let ids = if ids.is_empty() { vec![String::new()] } else { ids.to_vec() };
    let body = json!({ "ids": ids, "status": status, "error": error });
    let mut response = http::Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = http::StatusCode::from_u16(status).expect("an HTTP status");
    response
}
