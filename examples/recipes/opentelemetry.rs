//! A web service whose requests, events and functions are one trace. Its spans and the spans of the client are exported
//! over OTLP, and the events are sent with the `traceparent` of the request that caused them.
//!
//! With a Dev Server, run the service. The tests need no server:
//!
//! ```text
//! INNGEST_DEV=1 cargo run -p inngest-recipes --example opentelemetry
//! cargo test -p inngest-recipes --example opentelemetry
//! ```
//!
//! `OTEL_EXPORTER_OTLP_ENDPOINT` is the URL of a collector, by default `http://localhost:4318`. Then send a request:
//!
//! ```text
//! curl -X POST http://127.0.0.1:3000/orders -H 'content-type: application/json' -d '{"number": 1, "cents": 4900}'
//! ```

use std::collections::HashMap;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::post;
use axum::{Json, Router};
use inngest_core::{Client, ConfigError, InngestEvent, TraceContext};
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde::{Deserialize, Serialize};
use tracing::level_filters::LevelFilter;
use tracing::{Instrument as _, Span, Subscriber, field, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

#[derive(Serialize, Deserialize, InngestEvent)]
#[inngest(name = "shop/order.placed", id = "order-placed-{number}")]
struct OrderPlaced {
    number: u32,
    cents: u32,
}

/// Returns the trace context of the current span, as the headers of W3C Trace Context.
struct CurrentSpan;

impl CurrentSpan {
    fn header(name: &str) -> Option<String> {
        let mut headers = HashMap::new();
        TraceContextPropagator::new().inject_context(&Span::current().context(), &mut headers);
        headers.remove(name)
    }
}

impl TraceContext for CurrentSpan {
    fn traceparent(&self) -> Option<String> {
        CurrentSpan::header("traceparent")
    }

    fn tracestate(&self) -> Option<String> {
        CurrentSpan::header("tracestate")
    }
}

/// Returns the provider that exports spans in the background, in batches.
fn tracer_provider(exporter: SpanExporter) -> SdkTracerProvider {
    SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(Resource::builder().with_service_name("shop").build())
        .build()
}

/// Returns the subscriber that logs to stdout and exports spans of INFO and above. Below INFO are the spans of the
/// exporter's own HTTP client: exporting them would cause another request for each request.
fn subscriber(provider: &SdkTracerProvider) -> impl Subscriber + Send + Sync + use<> {
    let export = tracing_opentelemetry::layer().with_tracer(provider.tracer("shop"));
    tracing_subscriber::registry().with(LevelFilter::INFO).with(fmt::layer()).with(export)
}

/// Runs a request in a span, whose parent is the caller's span.
async fn in_span(request: Request, next: Next) -> Response {
    // If your paths contain ids, use the matched route instead: there should be few different names of spans.
    let name = format!("{} {}", request.method(), request.uri().path());
    let span = info_span!(
        "request",
        otel.name = name,
        otel.kind = "server",
        http.request.method = request.method().as_str(),
        http.response.status_code = field::Empty,
    );
    let caller = TraceContextPropagator::new().extract(&trace_headers(request.headers()));
    if let Err(error) = span.set_parent(caller) {
        tracing::debug!("the request's span has no parent: {error}");
    }
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", i64::from(response.status().as_u16()));
    response
}

fn trace_headers(headers: &HeaderMap) -> HashMap<String, String> {
    let header = |name: &str| Some((name.to_owned(), headers.get(name)?.to_str().ok()?.to_owned()));
    ["traceparent", "tracestate"].into_iter().filter_map(header).collect()
}

async fn place(State(client): State<Client>, Json(order): Json<OrderPlaced>) -> StatusCode {
    // The span of `send` is a child of the request's span.
    match client.send(order).await {
        Ok(_) => StatusCode::ACCEPTED,
        Err(error) if error.is_retryable() => StatusCode::SERVICE_UNAVAILABLE,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn app(client: Client) -> Router {
    Router::new().route("/orders", post(place)).layer(from_fn(in_span)).with_state(client)
}

/// Builds a client whose events carry the trace context of the caller.
fn client(builder: inngest_core::ClientBuilder) -> Result<Client, ConfigError> {
    builder.trace_context(CurrentSpan).build()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let provider = tracer_provider(SpanExporter::builder().with_http().build()?);
    subscriber(&provider).init();
    let client = client(Client::builder())?;

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app(client))
        .with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) })
        .await?;
    // `shutdown` exports the last spans, and blocks the thread.
    tokio::task::spawn_blocking(move || provider.shutdown()).await??;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::body::{Body, Bytes};
    use inngest_core::testing::EventApi;
    use opentelemetry_otlp::WithExportConfig as _;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
    use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
    use prost::Message as _;
    use tower::ServiceExt as _;
    use tracing::subscriber::DefaultGuard;

    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const CALLER: &str = "b7ad6b7169203331";

    /// An OTLP collector on a local port, and the subscriber of this thread, which exports to the collector.
    struct Collector {
        received: Arc<Mutex<Vec<ResourceSpans>>>,
        provider: SdkTracerProvider,
        _subscriber: DefaultGuard,
    }

    impl Collector {
        async fn start() -> Collector {
            let received = Arc::<Mutex<Vec<ResourceSpans>>>::default();
            let spans = Arc::clone(&received);
            let receive = move |body: Bytes| async move {
                let request = ExportTraceServiceRequest::decode(body).expect("an OTLP request");
                spans.lock().unwrap().extend(request.resource_spans);
                // An empty `ExportTraceServiceResponse`: all spans are accepted.
                [("content-type", "application/x-protobuf")]
            };
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
            let app = Router::new().route("/v1/traces", post(receive));
            tokio::spawn(axum::serve(listener, app).into_future());

            let exporter = SpanExporter::builder().with_http().with_endpoint(url).build().unwrap();
            let provider = tracer_provider(exporter);
            let subscriber = subscriber(&provider).set_default();
            Collector { received, provider, _subscriber: subscriber }
        }

        /// Exports the remaining spans, and returns all spans.
        async fn spans(self) -> Vec<Span> {
            let provider = self.provider.clone();
            tokio::task::spawn_blocking(move || provider.shutdown()).await.unwrap().unwrap();
            let received = std::mem::take(&mut *self.received.lock().unwrap());
            let mut spans = Vec::new();
            for of_resource in received {
                let resource = of_resource.resource.unwrap();
                assert_eq!(text(&resource.attributes, "service.name"), Some("shop"));
                spans.extend(of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
            }
            spans
        }
    }

    fn one<'a>(spans: &'a [Span], name: &str) -> &'a Span {
        let mut found = spans.iter().filter(|span| span.name == name);
        let span = found.next().unwrap_or_else(|| panic!("no span `{name}` in {spans:#?}"));
        assert!(found.next().is_none(), "two spans `{name}`");
        span
    }

    fn value<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a Value> {
        let attribute = attributes.iter().find(|attribute| attribute.key == key)?;
        let AnyValue { value } = attribute.value.as_ref()?;
        value.as_ref()
    }

    fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
        let Value::StringValue(text) = value(attributes, key)? else { return None };
        Some(text)
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    }

    /// Posts an order with `headers`, such as the ones of a caller's trace.
    async fn place_order(client: Client, headers: &[(&str, &str)]) -> StatusCode {
        let mut request = Request::post("/orders").header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(r#"{"number": 1, "cents": 4900}"#)).unwrap();
        app(client).oneshot(request).await.unwrap().status()
    }

    fn client_of(api: &EventApi) -> Client {
        client(Client::builder().no_env().event_key("test").base_url(api.url())).unwrap()
    }

    #[tokio::test]
    async fn a_request_its_event_and_the_caller_are_one_trace() {
        let collector = Collector::start().await;
        let api = EventApi::start().await;
        let traceparent = format!("00-{TRACE}-{CALLER}-01");
        let headers = [("traceparent", &*traceparent), ("tracestate", "vendor=value")];
        assert_eq!(place_order(client_of(&api), &headers).await, StatusCode::ACCEPTED);
        let spans = collector.spans().await;
        assert_eq!(spans.len(), 2, "{spans:#?}");

        let request = one(&spans, "POST /orders");
        assert_eq!(request.kind(), SpanKind::Server);
        assert_eq!(hex(&request.trace_id), TRACE);
        assert_eq!(hex(&request.parent_span_id), CALLER);
        let status = value(&request.attributes, "http.response.status_code");
        assert_eq!(status, Some(&Value::IntValue(202)));

        let send = one(&spans, "send shop/order.placed");
        assert_eq!(send.kind(), SpanKind::Producer);
        assert_eq!(hex(&send.trace_id), TRACE);
        assert_eq!(send.parent_span_id, request.span_id);
        let event = api.wait_for_event(0).await;
        for (key, expected) in [
            ("messaging.system", "inngest"),
            ("messaging.operation.name", "send"),
            ("messaging.operation.type", "send"),
            ("messaging.destination.name", "shop/order.placed"),
            ("messaging.message.id", event.id.as_str()),
        ] {
            assert_eq!(text(&send.attributes, key), Some(expected), "{key}");
        }
        assert_eq!(value(&send.attributes, "error.type"), None);

        // The event is sent with the exported span as its parent.
        let post = &api.requests()[0];
        let parent = format!("00-{TRACE}-{}-01", hex(&send.span_id));
        assert_eq!(post.header("traceparent"), Some(&*parent));
        assert_eq!(post.header("tracestate"), Some("vendor=value"));
    }

    #[tokio::test]
    async fn a_batch_has_the_number_of_its_events() {
        let collector = Collector::start().await;
        let api = EventApi::start().await;
        let orders = (0..5).map(|number| OrderPlaced { number, cents: 4_900 });
        client_of(&api).send_all(orders).await.unwrap();
        let spans = collector.spans().await;
        let send = one(&spans, "send shop/order.placed");
        let count = value(&send.attributes, "messaging.batch.message_count");
        assert_eq!(count, Some(&Value::IntValue(5)));
    }

    #[tokio::test]
    async fn a_failed_send_has_its_error_in_a_trace_of_its_own() {
        let collector = Collector::start().await;
        let api = EventApi::start().await;
        api.accept_only_keys(["another"]);
        let status = place_order(client_of(&api), &[]).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        let spans = collector.spans().await;

        let (request, send) = (one(&spans, "POST /orders"), one(&spans, "send shop/order.placed"));
        assert!(request.parent_span_id.is_empty());
        assert_eq!(send.trace_id, request.trace_id);
        assert_eq!(text(&send.attributes, "error.type"), Some("key_refused"));
        assert_eq!(text(&send.attributes, "messaging.message.id"), None);
        let parent = format!("00-{}-{}-01", hex(&send.trace_id), hex(&send.span_id));
        assert_eq!(api.requests()[0].header("traceparent"), Some(&*parent));
    }
}
