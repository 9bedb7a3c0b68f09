//! What the tests share: a storefront's events, and a transport that follows a script.
#![allow(clippy::missing_panics_doc, reason = "a helper of tests panics where a test would")]

mod readme;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use inngest_core::testing::TransportFault;
use inngest_core::{Client, ClientBuilder, InngestEvent};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// The documentation's example: an event with a dedup id and a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(
    name = "storefront/cart.checkout.completed",
    id = "cart-checkout-completed-{cart_id}",
    version = "2026-11-01.1"
)]
pub struct CheckoutCompleted {
    /// The cart.
    pub cart_id: String,
    /// What was in it.
    pub item_ids: Vec<String>,
}

impl CheckoutCompleted {
    /// A cart of two items.
    #[must_use]
    pub fn of(cart_id: &str) -> CheckoutCompleted {
        let item_ids = vec!["lamp".to_owned(), "shade".to_owned()];
        CheckoutCompleted { cart_id: cart_id.to_owned(), item_ids }
    }
}

/// An event without a dedup id of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "storefront/item.viewed")]
pub struct ItemViewed {
    /// Which view it is, for tests to tell them apart.
    pub number: u32,
    /// As long as a test wants it.
    pub note: String,
}

impl ItemViewed {
    /// View `number`, without a note.
    #[must_use]
    pub fn number(number: u32) -> ItemViewed {
        ItemViewed { number, note: String::new() }
    }

    /// Views `0..count`.
    #[must_use]
    pub fn many(count: u32) -> Vec<ItemViewed> {
        (0..count).map(ItemViewed::number).collect()
    }
}

/// An event whose data may be an integer that Inngest would round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "storefront/account.linked")]
pub struct AccountLinked {
    /// Safe up to 2^53 - 1.
    pub account: i128,
}

/// What a scripted transport does with one request.
#[derive(Clone, Debug)]
pub enum Step {
    /// Accepts every event, as Inngest does.
    Accept,
    /// Accepts every event after so long.
    AcceptAfter(Duration),
    /// Answers so.
    Answer(http::Response<Bytes>),
    /// Has no answer.
    Fail(TransportFault),
    /// Never answers.
    Hang,
}

impl Step {
    /// An answer of `status` with Inngest's error body.
    #[must_use]
    pub fn status(status: u16) -> Step {
        Step::answer(status, &format!(r#"{{"ids":[""],"status":{status},"error":"no"}}"#))
    }

    /// An answer of `status` with the header `retry-after`.
    #[must_use]
    pub fn retry_after(status: u16, value: &str) -> Step {
        let Step::Answer(mut answer) = Step::status(status) else { unreachable!() };
        answer.headers_mut().insert("retry-after", value.parse().expect("a header's value"));
        Step::Answer(answer)
    }

    /// An answer of `status` and `body`.
    #[must_use]
    pub fn answer(status: u16, body: &str) -> Step {
        let mut answer = http::Response::new(Bytes::from(body.to_owned()));
        *answer.status_mut() = http::StatusCode::from_u16(status).expect("an HTTP status");
        Step::Answer(answer)
    }
}

/// One request that a script saw.
#[derive(Clone, Debug)]
pub struct Seen {
    /// When it came, from the beginning of the script.
    pub at: Duration,
    /// How many requests were under way when it came, itself included.
    pub in_flight: usize,
    /// The numbers of its [`ItemViewed`] events.
    pub numbers: Vec<u64>,
    /// The whole request.
    pub request: http::Request<Bytes>,
}

#[derive(Debug)]
struct State {
    steps: Vec<Step>,
    seen: Vec<Seen>,
    in_flight: usize,
}

/// A transport that answers the first request with the first step, the second with the second, and all
/// beyond the last step with [`Step::Accept`]. It is no server: ids are made up.
#[derive(Clone, Debug)]
pub struct Script {
    start: Instant,
    state: Arc<Mutex<State>>,
}

impl Script {
    /// A script of `steps`.
    #[must_use]
    pub fn new(steps: impl IntoIterator<Item = Step>) -> Script {
        let state = State { steps: steps.into_iter().collect(), seen: vec![], in_flight: 0 };
        Script { start: Instant::now(), state: Arc::new(Mutex::new(state)) }
    }

    /// A client that sends by this script, to be configured further.
    pub fn builder(&self) -> ClientBuilder {
        let script = self.clone();
        let builder = Client::builder().no_env().event_key("a-secret-key");
        builder.transport(move |request| script.clone().step(request))
    }

    /// A client that sends by this script.
    #[must_use]
    pub fn client(&self) -> Client {
        self.builder().build().expect("a client")
    }

    /// The requests so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.state.lock().expect("no panic in a script").seen.clone()
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
            let seen = Seen {
                at: self.start.elapsed(),
                in_flight: state.in_flight,
                numbers: events.iter().filter_map(|it| it["data"]["number"].as_u64()).collect(),
                request,
            };
            state.seen.push(seen);
            let step = state.steps.get(state.seen.len() - 1).cloned();
            step.unwrap_or(Step::Accept)
        };
        let accept = || {
            let ids: Vec<String> = (0..events.len()).map(|at| format!("id-{at}")).collect();
            let body = serde_json::json!({ "ids": ids, "status": 200 });
            Ok(http::Response::new(Bytes::from(body.to_string())))
        };
        // A canceled request is not under way.
        let _leave = Leave(&self.state);
        match step {
            Step::Accept => accept(),
            Step::AcceptAfter(wait) => {
                tokio::time::sleep(wait).await;
                accept()
            }
            Step::Answer(answer) => Ok(answer),
            Step::Fail(fault) => Err(fault),
            Step::Hang => std::future::pending().await,
        }
    }
}

struct Leave<'a>(&'a Mutex<State>);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if let Ok(mut state) = self.0.lock() {
            state.in_flight -= 1;
        }
    }
}
