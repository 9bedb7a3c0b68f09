//! The spans of calls have exactly the documented fields, and contain no body, URL or key.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use inngest_core::{Batch, RetryPolicy, batch};
use inngest_tests::{AccountLinked, CheckoutCompleted, ItemViewed, Script, Step};
use tracing::field::{Field, Visit};
use tracing::instrument::WithSubscriber as _;
use tracing::span::{Attributes, Id, Record};
use tracing::{Instrument as _, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

#[derive(Clone, Debug, Default, PartialEq)]
struct SpanRecord {
    name: &'static str,
    parent: Option<&'static str>,
    fields: BTreeMap<&'static str, String>,
    closed: bool,
}

/// Records every span, in the order of creation.
#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<(u64, SpanRecord)>>>);

impl Capture {
    fn subscriber(&self) -> impl Subscriber + Send + Sync + 'static {
        Registry::default().with(self.clone())
    }

    fn spans(&self) -> Vec<SpanRecord> {
        let spans = self.0.lock().expect("no panic");
        spans.iter().map(|(_, span)| span.clone()).filter(|span| span.name == "send").collect()
    }

    fn update(&self, id: &Id, change: impl FnOnce(&mut SpanRecord)) {
        let mut spans = self.0.lock().expect("no panic");
        let span = spans.iter_mut().rev().find(|(known, _)| *known == id.into_u64());
        change(&mut span.expect("a recorded span").1);
    }
}

struct Fields<'a>(&'a mut BTreeMap<&'static str, String>);

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Capture {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).expect("a new span");
        let parent = span.parent().map(|parent| parent.name());
        let mut record = SpanRecord { name: span.name(), parent, ..SpanRecord::default() };
        attributes.record(&mut Fields(&mut record.fields));
        self.0.lock().expect("no panic").push((id.into_u64(), record));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        self.update(id, |span| values.record(&mut Fields(&mut span.fields)));
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        self.update(&id, |span| span.closed = true);
    }
}

/// Returns the fields that every span has, and `more`.
fn fields(more: &[(&'static str, &str)]) -> BTreeMap<&'static str, String> {
    let always = [
        ("otel.kind", "producer"),
        ("messaging.system", "inngest"),
        ("messaging.operation.name", "send"),
        ("messaging.operation.type", "send"),
    ];
    always.iter().chain(more).map(|(name, value)| (*name, (*value).to_owned())).collect()
}

const VIEWED: (&str, &str) = ("messaging.destination.name", "storefront/item.viewed");
const SEND_VIEWED: (&str, &str) = ("otel.name", "send storefront/item.viewed");

#[tokio::test(start_paused = true)]
async fn one_event_is_one_span_below_the_span_of_its_caller() {
    let capture = Capture::default();
    let script = Script::new([Step::status(503)]);
    async {
        let call = {
            let _caller = tracing::info_span!("handler").entered();
            script.client().send(ItemViewed::number(1))
        };
        call.await.expect("an id");
    }
    .with_subscriber(capture.subscriber())
    .await;
    let expected = fields(&[SEND_VIEWED, VIEWED, ("messaging.message.id", "id-0")]);
    let span = SpanRecord { name: "send", parent: Some("handler"), fields: expected, closed: true };
    assert_eq!(capture.spans(), [span]);
}

#[tokio::test(start_paused = true)]
async fn the_span_of_a_batch_has_its_size_and_the_name_that_all_events_share() {
    let capture = Capture::default();
    async {
        let client = Script::new([]).builder().max_request_events(2).build().expect("a client");
        client.send_all(ItemViewed::many(5)).await.expect("ids");
        let mixed = batch![ItemViewed::number(1), CheckoutCompleted::of("c1")].expect("a batch");
        let handler = tracing::info_span!("handler");
        client.send_batch(&mixed).instrument(handler.clone()).await.expect("ids");
        handler.in_scope(|| client.send_batch(&mixed)).await.expect("ids");
    }
    .with_subscriber(capture.subscriber())
    .await;
    let spans = capture.spans();
    let one = fields(&[SEND_VIEWED, VIEWED, ("messaging.batch.message_count", "5")]);
    assert_eq!(spans[0], SpanRecord { name: "send", parent: None, fields: one, closed: true });
    let mixed = fields(&[("otel.name", "send"), ("messaging.batch.message_count", "2")]);
    assert_eq!(spans[1].fields, mixed);
    let parents: Vec<_> = spans.iter().map(|span| span.parent).collect();
    assert_eq!(parents, [None, None, Some("handler")], "the caller's span is the parent");
    assert_eq!(spans.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_span_of_a_failure_has_its_error_type() {
    let capture = Capture::default();
    let steps = [
        Step::status(503),
        Step::status(413),
        Step::respond(400, r#"{"ids":["a",""],"status":400,"error":"bad"}"#),
        Step::status(403),
        Step::status(400),
        Step::status(400),
        Step::status(400),
    ];
    async {
        let client = Script::new(steps).builder().retry(RetryPolicy::none()).max_event_bytes(999);
        let client = client.build().expect("a client");
        client.send(ItemViewed::number(1)).await.expect_err("unavailable");
        client.send(ItemViewed::number(1)).await.expect_err("too large for the server");
        client.send(AccountLinked { account: 1 << 60 }).await.expect_err("unsafe");
        let large = ItemViewed { number: 1, note: "x".repeat(9_999) };
        client.send(&large).await.expect_err("too large for the client");
        let views = [ItemViewed::number(1), ItemViewed::number(2), large];
        // The last event is sent in its own request, and its key is refused. The second is then refused alone.
        let error = client.send_all(views.iter().chain(&views[..1])).await.expect_err("several");
        assert_eq!((error.rejected().len(), error.unsent().len()), (2, 1));
        client.send_all(["", ""].map(CheckoutCompleted::of)).await.expect_err("blank ids");
    }
    .with_subscriber(capture.subscriber())
    .await;
    let types: Vec<String> = capture
        .spans()
        .into_iter()
        .map(|mut span| span.fields.remove("error.type").expect("a failure"))
        .collect();
    let expected = ["unavailable", "rejected", "invalid", "invalid", "key_refused", "invalid"];
    assert_eq!(types, expected);
    let mut first = fields(&[SEND_VIEWED, VIEWED]);
    first.insert("error.type", "unavailable".to_owned());
    assert_eq!(capture.spans()[0].fields, first);
    let invalid = &capture.spans()[2].fields;
    assert_eq!(invalid["messaging.destination.name"], "storefront/account.linked");
}

#[tokio::test(start_paused = true)]
async fn each_batch_of_a_publisher_has_its_own_span() {
    let capture = Capture::default();
    let _default = tracing::subscriber::set_default(capture.subscriber());
    async {
        let script = Script::new([Step::status(503)]);
        let publisher = script.client().publisher().start();
        drop(publisher.publish_all(ItemViewed::many(3)).await);
        publisher.flush(Duration::from_secs(9)).await.expect("all sent");
    }
    .instrument(tracing::info_span!("handler"))
    .await;
    let spans = capture.spans();
    let mut expected = fields(&[SEND_VIEWED, VIEWED, ("messaging.batch.message_count", "3")]);
    assert_eq!(
        spans[1],
        SpanRecord { name: "send", fields: expected.clone(), closed: true, parent: None }
    );
    expected.insert("error.type", "unavailable".to_owned());
    assert_eq!(spans[0], SpanRecord { name: "send", fields: expected, closed: true, parent: None });
    assert_eq!(spans.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_span_contains_a_body_a_url_or_a_key() {
    let capture = Capture::default();
    let steps = [Step::Accept, Step::respond(401, "no such key: a-secret-key"), Step::status(400)];
    async {
        let script = Script::new(steps);
        let client = script.client();
        let view = ItemViewed { number: 1, note: "a-private-note".to_owned() };
        client.send(&view).await.expect("an id");
        client.send(&view).await.expect_err("a refused key");
        let batch = Batch::try_from_iter([&view]).expect("a batch");
        client.send_batch(&batch).await.map(drop).unwrap_or_default();
    }
    .with_subscriber(capture.subscriber())
    .await;
    let shown = format!("{:?}", capture.0.lock().expect("no panic"));
    assert!(shown.contains("key_refused"), "{shown}");
    for secret in ["a-secret-key", "a-private-note", "http", "/e/"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
