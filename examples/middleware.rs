//! A web service with hooks on its client: `before_send` adds the id of the web request to each
//! event, and `after_send` counts events by name and outcome.
//!
//! ```text
//! cargo run --example middleware
//! ```

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::post;
use inngest_core::testing::EventApi;
use inngest_core::{Client, InngestEvent, InngestEvents, SendReport};
use serde::{Deserialize, Serialize};
use tower::ServiceExt;

#[derive(Serialize, Deserialize, InngestEvent)]
#[inngest(name = "storefront/item.viewed")]
struct ItemViewed {
    item: String,
}

#[derive(Serialize, Deserialize, InngestEvent)]
#[inngest(name = "storefront/coupon.used", id = "coupon-used-{code}")]
struct CouponUsed {
    code: String,
}

#[derive(InngestEvents)]
enum StorefrontEvent {
    ItemViewed(ItemViewed),
    CouponUsed(CouponUsed),
}

tokio::task_local! {
    static REQUEST_ID: String;
}

/// Makes the request's id available to its handler, as a task-local value.
async fn with_request_id(request: Request, next: Next) -> Response {
    let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok());
    let id = id.unwrap_or("unknown").to_owned();
    REQUEST_ID.scope(id, next.run(request)).await
}

/// The number of accepted events and of other events, by event name.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<BTreeMap<&'static str, [u32; 2]>>>);

impl Counts {
    fn count(&self, sent: &SendReport<'_>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let [accepted, others] = counts.entry(sent.name).or_default();
        *if sent.outcome.error_type().is_none() { accepted } else { others } += 1;
    }

    fn print(&self) {
        for (name, [accepted, others]) in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            println!("{name:<24} {accepted} accepted, {others} not accepted");
        }
    }
}

/// Builds the client with its hooks. No handler has to be changed for them. In your service, leave
/// out `no_env`, `dev` and `base_url`.
fn client(api: &EventApi, counts: Counts) -> Result<Client, inngest_core::ConfigError> {
    Client::builder()
        .no_env()
        .dev(true)
        .base_url(api.url())
        .before_send(|_name, envelope| {
            // The hook runs on the task that calls `send`, so the request's id is available.
            // Inngest can search runs by the sessions of their events.
            let add_request_id = |id: &String| {
                envelope.session("request", id);
            };
            // Outside of a request there is no id, and the event is unchanged.
            REQUEST_ID.try_with(add_request_id).ok();
        })
        .after_send(move |sent| counts.count(sent))
        .build()
}

async fn viewed(State(client): State<Client>, Path(item): Path<String>) -> StatusCode {
    send(client, ItemViewed { item }.into()).await
}

async fn used(State(client): State<Client>, Path(code): Path<String>) -> StatusCode {
    send(client, CouponUsed { code }.into()).await
}

/// Sends an event, and returns the status for the web request.
async fn send(client: Client, event: StorefrontEvent) -> StatusCode {
    match client.send(event).await {
        Ok(_) => StatusCode::ACCEPTED,
        Err(error) if error.is_retryable() => StatusCode::SERVICE_UNAVAILABLE,
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let api = EventApi::start().await;
    let counts = Counts::default();
    let app = Router::new()
        .route("/items/{item}", post(viewed))
        .route("/coupons/{code}", post(used))
        .layer(from_fn(with_request_id))
        .with_state(client(&api, counts.clone())?);

    // The code of the last coupon is blank, so its event is rejected before it is sent.
    let requests = ["/items/lamp", "/items/shade", "/coupons/XMAS", "/coupons/%20"];
    for (number, path) in requests.into_iter().enumerate() {
        let request = axum::http::Request::post(path).header("x-request-id", format!("r{number}"));
        let response = app.clone().oneshot(request.body(Body::empty())?).await?;
        println!("{path:<24} {}", response.status());
    }

    for event in api.events_of::<ItemViewed>() {
        let sessions: Vec<_> = event.sessions().collect();
        println!("{:<24} {sessions:?}", event.data.item);
    }
    counts.print();
    Ok(())
}
