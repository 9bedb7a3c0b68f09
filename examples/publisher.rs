//! A web service that publishes events in the background: before an outage of Inngest, during one,
//! and in a graceful shutdown.
//!
//! ```text
//! cargo run --example publisher
//! ```

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::routing::post;
use inngest_core::InngestEvent;
use inngest_core::publisher::{PublishError, Publisher};
use inngest_core::testing::{EventApi, Fault};
use serde::{Deserialize, Serialize};
use tower::ServiceExt;

#[derive(Serialize, Deserialize, InngestEvent)]
#[inngest(name = "storefront/item.viewed", id = "item-viewed-{visit}-{item}")]
struct ItemViewed {
    visit: u32,
    item: String,
}

/// Publishes a view. The handler waits neither for Inngest nor for capacity in the queue, so that
/// it never delays the customer.
async fn viewed(
    State(publisher): State<Publisher>,
    Path((visit, item)): Path<(u32, String)>,
) -> StatusCode {
    match publisher.try_publish(ItemViewed { visit, item }) {
        Ok(_receipt) => StatusCode::ACCEPTED,
        Err(PublishError::Event(_)) => StatusCode::BAD_REQUEST,
        // The queue is full, or the key is refused: this view is not counted.
        Err(_) => StatusCode::OK,
    }
}

fn app(publisher: Publisher) -> Router {
    Router::new().route("/visits/{visit}/items/{item}", post(viewed)).with_state(publisher)
}

/// Requests two items for each visit, and returns the number of accepted views.
async fn view_items(app: &Router, visits: std::ops::Range<u32>) -> Result<usize, axum::Error> {
    let mut accepted = 0;
    for visit in visits {
        for item in ["lamp", "shade"] {
            let request = Request::post(format!("/visits/{visit}/items/{item}"));
            let request = request.body(Body::empty()).map_err(axum::Error::new)?;
            let response = app.clone().oneshot(request).await.map_err(axum::Error::new)?;
            accepted += usize::from(response.status() == StatusCode::ACCEPTED);
        }
    }
    Ok(accepted)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let api = EventApi::start().await;
    api.on("recommend", |_: inngest_core::Event<ItemViewed>| async {});

    let publisher = api
        .client()
        .publisher()
        // Your service stores events that cannot be delivered; this example only prints their
        // number.
        .on_undelivered(|undelivered| {
            eprintln!("{} events to store: {:?}", undelivered.events.len(), undelivered.cause);
        })
        .start();

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let app = app(publisher.clone());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = axum::serve(listener, app.clone()).with_graceful_shutdown(async {
        // In your service: `tokio::signal::ctrl_c()`, and SIGTERM.
        drop(stopped.await);
    });
    let server = tokio::spawn(server.into_future());

    println!("before the outage        {:>4} views accepted", view_items(&app, 0..100).await?);

    api.fail_next_n(3, Fault::status(503));
    println!("during an outage         {:>4} views accepted", view_items(&app, 100..150).await?);
    let stats = publisher.stats();
    println!("in the queue             {:>4} views", stats.queued_events);

    // First stop accepting requests, then deliver the events that they published.
    let _ = stop.send(());
    server.await??;
    let report = publisher.close(Duration::from_secs(10)).await;
    println!("after close              {:>4} delivered", report.delivered);
    println!("                         {:>4} failed", report.failed);
    println!("                         {:>4} undelivered", report.undelivered.len());
    println!("                         {:>4} retries", publisher.stats().retries);

    api.idle().await;
    println!("functions                {:>4} runs", api.runs_of("recommend").len());
    Ok(())
}
