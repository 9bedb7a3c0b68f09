//! Shared by the tests: the events of a storefront, and a transport with scripted responses.
#![allow(clippy::missing_panics_doc, reason = "test helpers panic on failure, as tests do")]

mod guide;
mod judge;
mod log;
pub mod payloads;
pub mod postgres;
mod readme;
mod sample;

pub use judge::{Judge, JudgedRequest, Ruling, seeded_id};
pub use log::{Log, LogCapture};
pub use sample::{Random, Sample};

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use inngest_core::testing::TransportFault;
use inngest_core::{Batch, Client, ClientBuilder, InngestEvent};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// The example of the documentation: an event with a dedup id and a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(
    name = "storefront/cart.checkout.completed",
    id = "cart-checkout-completed-{cart_id}",
    version = "2026-11-01.1"
)]
pub struct CheckoutCompleted {
    /// The id of the cart, used in the dedup id.
    pub cart_id: String,
    /// The ids of the items in the cart.
    pub item_ids: Vec<String>,
}

impl CheckoutCompleted {
    /// Returns the checkout of a cart with two items.
    #[must_use]
    pub fn of(cart_id: &str) -> CheckoutCompleted {
        let item_ids = vec!["lamp".to_owned(), "shade".to_owned()];
        CheckoutCompleted { cart_id: cart_id.to_owned(), item_ids }
    }
}

/// An event without a dedup id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "storefront/item.viewed")]
pub struct ItemViewed {
    /// The number of the view, by which tests distinguish views.
    pub number: u32,
    /// Text of any length, to make the event larger.
    pub note: String,
}

impl ItemViewed {
    /// Returns view `number`, without a note.
    #[must_use]
    pub fn number(number: u32) -> ItemViewed {
        ItemViewed { number, note: String::new() }
    }

    /// Returns the views `0..count`.
    #[must_use]
    pub fn many(count: u32) -> Vec<ItemViewed> {
        (0..count).map(ItemViewed::number).collect()
    }
}

/// An event with an integer that Inngest rounds if it is too large.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "storefront/account.linked")]
pub struct AccountLinked {
    /// The account's number, exact up to 2^53 - 1.
    pub account: i128,
}

/// Returns a batch of the views `numbers`.
///
/// # Panics
///
/// Never: these events are valid.
#[must_use]
pub fn batch_of(numbers: std::ops::Range<u32>) -> Batch {
    Batch::try_from_iter(numbers.map(ItemViewed::number)).expect("valid events")
}

/// The reaction of a [`Script`] to one request.
#[derive(Clone, Debug)]
pub enum Step {
    /// Accepts every event at once.
    Accept,
    /// Accepts every event after this delay.
    AcceptAfter(Duration),
    /// Returns this response.
    Respond(http::Response<Bytes>),
    /// Fails without a response.
    Fail(TransportFault),
    /// Never responds.
    Hang,
}

impl Step {
    /// Returns a response of `status` with Inngest's error body.
    #[must_use]
    pub fn status(status: u16) -> Step {
        Step::respond(status, &format!(r#"{{"ids":[""],"status":{status},"error":"no"}}"#))
    }

    /// Returns a response of `status` with the header `retry-after`.
    #[must_use]
    pub fn retry_after(status: u16, value: &str) -> Step {
        let Step::Respond(mut response) = Step::status(status) else { unreachable!() };
        response.headers_mut().insert("retry-after", value.parse().expect("a header's value"));
        Step::Respond(response)
    }

    /// Returns a response of `status` and `body`.
    #[must_use]
    pub fn respond(status: u16, body: &str) -> Step {
        let mut response = http::Response::new(Bytes::from(body.to_owned()));
        *response.status_mut() = http::StatusCode::from_u16(status).expect("an HTTP status");
        Step::Respond(response)
    }
}

/// A request that a [`Script`] received.
#[derive(Clone, Debug)]
pub struct ScriptedRequest {
    /// The time since the script was made.
    pub elapsed: Duration,
    /// The number of requests in flight, including this one.
    pub in_flight: usize,
    /// The numbers of its [`ItemViewed`] events.
    pub numbers: Vec<u64>,
    /// The HTTP request.
    pub http: http::Request<Bytes>,
}

#[derive(Debug)]
struct State {
    steps: Vec<Step>,
    requests: Vec<ScriptedRequest>,
    in_flight: usize,
}

/// A transport that reacts to the first request with the first step, to the second with the second, and
/// to all after the last step with [`Step::Accept`]. The ids of accepted events are `id-0`, `id-1` and so
/// on, in every response.
#[derive(Clone, Debug)]
pub struct Script {
    start: Instant,
    state: Arc<Mutex<State>>,
}

impl Script {
    /// Makes a script of `steps`.
    #[must_use]
    pub fn new(steps: impl IntoIterator<Item = Step>) -> Script {
        let state = State { steps: steps.into_iter().collect(), requests: vec![], in_flight: 0 };
        Script { start: Instant::now(), state: Arc::new(Mutex::new(state)) }
    }

    /// Returns the builder of a client that sends to this script.
    pub fn builder(&self) -> ClientBuilder {
        let script = self.clone();
        let builder = Client::builder().no_env().event_key("a-secret-key");
        builder.transport(move |request| script.clone().step(request))
    }

    /// Returns a client that sends to this script.
    #[must_use]
    pub fn client(&self) -> Client {
        self.builder().build().expect("a client")
    }

    /// Returns the requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<ScriptedRequest> {
        self.state.lock().expect("no panic in a script").requests.clone()
    }

    async fn step(
        self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportFault> {
        let body: serde_json::Value = serde_json::from_slice(request.body()).expect("JSON");
        let events = body.as_array().cloned().unwrap_or_else(|| vec![body]);
        let step = {
            let mut state = self.state.lock().expect("no panic in a script");
            state.in_flight += 1;
            let received = ScriptedRequest {
                elapsed: self.start.elapsed(),
                in_flight: state.in_flight,
                numbers: events.iter().filter_map(|it| it["data"]["number"].as_u64()).collect(),
                http: request,
            };
            state.requests.push(received);
            let step = state.steps.get(state.requests.len() - 1).cloned();
            step.unwrap_or(Step::Accept)
        };
        let accept = || {
            let ids: Vec<String> = (0..events.len()).map(|index| format!("id-{index}")).collect();
            let body = serde_json::json!({ "ids": ids, "status": 200 });
            Ok(http::Response::new(Bytes::from(body.to_string())))
        };
        // A canceled request is no longer in flight, so a guard counts it out.
        let _in_flight = InFlight(&self.state);
        match step {
            Step::Accept => accept(),
            Step::AcceptAfter(delay) => {
                tokio::time::sleep(delay).await;
                accept()
            }
            Step::Respond(response) => Ok(response),
            Step::Fail(fault) => Err(fault),
            Step::Hang => std::future::pending().await,
        }
    }
}

struct InFlight<'a>(&'a Mutex<State>);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        if let Ok(mut state) = self.0.lock() {
            state.in_flight -= 1;
        }
    }
}
