//! A web service that publishes in the background, through an outage of Inngest and a shutdown.
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

/// A view is worth no customer's time: the handler never waits for Inngest, and not for room either.
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

/// Some customers look around.
async fn look_around(app: &Router, visits: std::ops::Range<u32>) -> Result<usize, axum::Error> {
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
        // What will not be sent any more is kept; here it is only told.
        .on_undelivered(|left| eprintln!("{} events to keep: {:?}", left.events.len(), left.cause))
        .start();

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let app = app(publisher.clone());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = axum::serve(listener, app.clone()).with_graceful_shutdown(async {
        // In your service: `tokio::signal::ctrl_c()`, and SIGTERM.
        drop(stopped.await);
    });
    let server = tokio::spawn(server.into_future());

    println!("customers look around    {:>4} views accepted", look_around(&app, 0..100).await?);

    api.fail_next_n(3, Fault::status(503));
    println!("Inngest has an outage    {:>4} views accepted", look_around(&app, 100..150).await?);
    let stats = publisher.stats();
    println!("meanwhile                {:>4} views queued", stats.queued_events);

    // First no more requests come, then what they published goes out.
    let _ = stop.send(());
    server.await??;
    let report = publisher.close(Duration::from_secs(10)).await;
    println!("closed                   {:>4} delivered", report.delivered);
    println!("                         {:>4} failed", report.failed);
    println!("                         {:>4} left to be sent again", report.undelivered.len());
    println!("                         {:>4} batches sent again", publisher.stats().retries);

    api.idle().await;
    println!("functions                {:>4} runs", api.runs_of("recommend").len());
    Ok(())
}
