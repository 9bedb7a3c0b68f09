//! A web service with metrics for Prometheus: `GET /metrics` returns the counters, durations and gauges of the client
//! and its publisher.
//!
//! With a Dev Server, run the service. The tests need no server:
//!
//! ```text
//! INNGEST_DEV=1 cargo run -p inngest-recipes --example prometheus
//! cargo test -p inngest-recipes --example prometheus
//! ```
//!
//! Then send it requests:
//!
//! ```text
//! curl -X POST http://127.0.0.1:3000/orders/1
//! curl -X POST http://127.0.0.1:3000/views/1
//! curl http://127.0.0.1:3000/metrics
//! ```

use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use inngest_core::publisher::Publisher;
use inngest_core::{Client, InngestEvent};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, InngestEvent)]
#[inngest(name = "shop/order.placed", id = "order-placed-{number}")]
struct OrderPlaced {
    number: u32,
}

#[derive(Serialize, Deserialize, InngestEvent)]
#[inngest(name = "shop/item.viewed")]
struct ItemViewed {
    item: u32,
}

/// The buckets of an attempt's duration, in seconds. The last one is the default `timeout` of an attempt.
const BUCKETS: [f64; 9] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0];

/// Installs the recorder of this process. Call it before a client is built, since the client registers the units
/// and descriptions with it.
fn install_recorder() -> Result<PrometheusHandle, BuildError> {
    let duration = Matcher::Full("messaging.client.operation.duration".to_owned());
    PrometheusBuilder::new()
        // Adds units and `_total` to names, as Prometheus recommends.
        .with_recommended_naming(true)
        // Without buckets, this process would compute quantiles, which cannot be aggregated over processes.
        .set_buckets_for_metric(duration, &BUCKETS)?
        .install_recorder()
}

#[derive(Clone)]
struct App {
    client: Client,
    publisher: Publisher,
}

async fn place(State(app): State<App>, Path(number): Path<u32>) -> StatusCode {
    match app.client.send(OrderPlaced { number }).await {
        Ok(_) => StatusCode::ACCEPTED,
        Err(error) if error.is_retryable() => StatusCode::SERVICE_UNAVAILABLE,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

async fn view(State(app): State<App>, Path(item): Path<u32>) -> StatusCode {
    match app.publisher.try_publish(ItemViewed { item }) {
        Ok(_receipt) => StatusCode::ACCEPTED,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn app(client: &Client, publisher: Publisher, metrics: PrometheusHandle) -> Router {
    // Make this path reachable for Prometheus, but not from the internet.
    let metrics = get(move || async move { metrics.render() });
    Router::new()
        .route("/orders/{number}", post(place))
        .route("/views/{item}", post(view))
        .with_state(App { client: client.clone(), publisher })
        .route("/metrics", metrics)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let metrics = install_recorder()?;
    let client = Client::from_env()?;
    let publisher = client.publisher().start();

    // Durations are kept in memory until they are rendered or until `run_upkeep` is called. This bounds the memory if
    // nothing scrapes the process.
    let upkeep = metrics.clone();
    tokio::spawn(async move {
        let mut interval = tokio::time::interval(Duration::from_secs(5));
        loop {
            interval.tick().await;
            upkeep.run_upkeep();
        }
    });

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app(&client, publisher.clone(), metrics))
        .with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) })
        .await?;
    // The events that are left are lost here. The example `shutdown` stores them in a file.
    let report = publisher.close(Duration::from_secs(10)).await;
    println!("{} events delivered, {} left", report.delivered, report.undelivered.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use inngest_core::reqwest;
    use inngest_core::testing::{EventApi, Fault};

    use super::*;

    const SEND: &str = r#"messaging_system="inngest",messaging_operation_name="send""#;
    const ORDER: &str = r#"messaging_destination_name="shop/order.placed""#;
    const VIEW: &str = r#"messaging_destination_name="shop/item.viewed""#;

    struct Shop {
        url: String,
        http: reqwest::Client,
    }

    impl Shop {
        async fn start(app: Router) -> Shop {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            tokio::spawn(axum::serve(listener, app).into_future());
            Shop { url, http: reqwest::Client::new() }
        }

        async fn post(&self, path: &str) -> u16 {
            let response = self.http.post(format!("{}{path}", self.url)).send().await.unwrap();
            response.status().as_u16()
        }

        /// Returns the exposition text, and in it the value of each sample `name{labels}`.
        async fn scrape(&self) -> (String, BTreeMap<String, String>) {
            let response = self.http.get(format!("{}/metrics", self.url)).send().await.unwrap();
            assert_eq!(response.status(), 200);
            let text = response.text().await.unwrap();
            let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
            let samples = lines.map(|line| {
                let (name, value) = line.rsplit_once(' ').expect("a name and a value");
                (name.to_owned(), value.to_owned())
            });
            let samples = samples.collect();
            (text, samples)
        }

        /// Scrapes until a sample has the expected value.
        async fn wait_for(&self, sample: &str, expected: &str) {
            let wait = async {
                while self.scrape().await.1.get(sample).map(String::as_str) != Some(expected) {
                    tokio::task::yield_now().await;
                }
            };
            let found = tokio::time::timeout(Duration::from_secs(30), wait).await.is_ok();
            assert!(found, "`{sample}` is not {expected} in:\n{}", self.scrape().await.0);
        }
    }

    // There is only one test, since a process has one recorder.
    #[tokio::test]
    async fn sends_retries_rejections_and_a_publisher_are_in_the_exposition_text() {
        let metrics = install_recorder().unwrap();
        let api = EventApi::start().await;
        let client = api.client();
        let publisher = client.publisher().start();
        let shop = Shop::start(app(&client, publisher.clone(), metrics)).await;

        // An event that is accepted, one after a retry, and one that the server rejects.
        assert_eq!(shop.post("/orders/1").await, 202);
        api.fail_next(Fault::status(503));
        assert_eq!(shop.post("/orders/2").await, 202);
        api.fault_when_event(|event| {
            (event.data["number"] == 3).then(|| Fault::refuse("a bad order"))
        });
        assert_eq!(shop.post("/orders/3").await, 500);

        let (text, samples) = shop.scrape().await;
        for line in [
            "# HELP messaging_client_sent_messages_total Events with an outcome: accepted, or an error.type",
            "# TYPE messaging_client_sent_messages_total counter",
            "# TYPE messaging_client_operation_duration_seconds histogram",
        ] {
            assert!(text.lines().any(|it| it == line), "no `{line}` in:\n{text}");
        }
        let value = |name: &str, labels: &str| {
            let sample = format!("{name}{{{SEND},{labels}}}");
            samples.get(&sample).unwrap_or_else(|| panic!("no `{sample}` in:\n{text}"))
        };
        let rejected = format!(r#"{ORDER},error_type="rejected""#);
        assert_eq!(value("messaging_client_sent_messages_total", ORDER), "2");
        assert_eq!(value("messaging_client_sent_messages_total", &rejected), "1");
        // Each attempt is measured: the retried one, and up to four to find out that an event is at fault.
        let duration = "messaging_client_operation_duration_seconds";
        let unavailable = format!(r#"{ORDER},error_type="unavailable""#);
        assert_eq!(value(&format!("{duration}_count"), ORDER), "2");
        assert_eq!(value(&format!("{duration}_count"), &unavailable), "1");
        assert_eq!(value(&format!("{duration}_bucket"), &format!(r#"{ORDER},le="10""#)), "2");
        assert_eq!(value(&format!("{duration}_count"), &rejected), "4");

        // A publisher in an outage, and after it.
        api.fault_when(|_| Some(Fault::status(503)));
        for item in 0..3 {
            assert_eq!(shop.post(&format!("/views/{item}")).await, 202);
        }
        shop.wait_for("inngest_publisher_queued_events", "3").await;
        api.clear_faults();
        publisher.flush(Duration::from_secs(30)).await.expect("Inngest is available");
        shop.wait_for("inngest_publisher_queued_events", "0").await;
        shop.wait_for("inngest_publisher_queued_bytes", "0").await;
        let views = format!("messaging_client_sent_messages_total{{{SEND},{VIEW}}}");
        shop.wait_for(&views, "3").await;
        assert_eq!(api.events_of::<ItemViewed>().len(), 3);
    }
}
