//! Metrics, with the names of OpenTelemetry's conventions for messaging.

use std::collections::BTreeMap;
use std::time::Duration;

use inngest_core::batch;
use inngest_tests::{AccountLinked, CheckoutCompleted, ItemViewed, Script, Step};
use metrics::Unit;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

/// Returns every metric since the last call, as `name{label=value,..}`. A snapshot resets them.
fn metrics(snapshotter: &Snapshotter) -> BTreeMap<String, Value> {
    let metrics = snapshotter.snapshot().into_vec().into_iter();
    let text = |key: &metrics::Key| {
        let labels: Vec<String> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        format!("{}{{{}}}", key.name(), labels.join(","))
    };
    metrics
        .map(|(key, _, _, value)| {
            let value = match value {
                DebugValue::Counter(count) => Value::Counter(count),
                DebugValue::Gauge(value) => Value::Gauge(value.0),
                DebugValue::Histogram(values) => {
                    Value::Histogram(values.into_iter().map(|value| value.0).collect())
                }
            };
            (text(key.key()), value)
        })
        .collect()
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Counter(u64),
    Gauge(f64),
    Histogram(Vec<f64>),
}

/// Runs `test` on a paused clock with its own recorder.
fn with_recorder<F: Future<Output = ()>>(test: impl FnOnce(Snapshotter) -> F) {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    metrics::with_local_recorder(&recorder, || runtime.block_on(test(snapshotter)));
}

const SEND: &str = "messaging.system=inngest,messaging.operation.name=send";
const VIEWED: &str = "messaging.destination.name=storefront/item.viewed";

fn sent(labels: &str) -> String {
    format!("messaging.client.sent.messages{{{SEND},{labels}}}")
}

fn duration(labels: &str) -> String {
    format!("messaging.client.operation.duration{{{SEND}{labels}}}")
}

#[test]
fn events_are_counted_by_name_and_error_and_each_attempt_is_measured() {
    with_recorder(|snapshotter| async move {
        let steps = [
            Step::status(503),
            Step::AcceptAfter(Duration::from_millis(250)),
            Step::Accept,
            Step::status(401),
        ];
        let client = Script::new(steps).client();
        client.send(ItemViewed::number(1)).await.expect("an id");
        let mixed =
            batch![ItemViewed::number(1), CheckoutCompleted::of("c"), ItemViewed::number(2)];
        client.send_batch(&mixed.expect("a batch")).await.expect("ids");
        client.send_all(ItemViewed::many(7)).await.expect_err("a refused key");
        client.send(AccountLinked { account: 1 << 60 }).await.expect_err("unsafe");

        let checkout = "messaging.destination.name=storefront/cart.checkout.completed";
        let linked = "messaging.destination.name=storefront/account.linked";
        let expected = [
            (sent(VIEWED), Value::Counter(3)),
            (sent(checkout), Value::Counter(1)),
            (sent(&format!("{VIEWED},error.type=key_refused")), Value::Counter(7)),
            (sent(&format!("{linked},error.type=invalid")), Value::Counter(1)),
            (duration(&format!(",{VIEWED}")), Value::Histogram(vec![0.25])),
            (duration(&format!(",{VIEWED},error.type=unavailable")), Value::Histogram(vec![0.0])),
            (duration(&format!(",{VIEWED},error.type=key_refused")), Value::Histogram(vec![0.0])),
            (duration(""), Value::Histogram(vec![0.0])),
        ];
        assert_eq!(metrics(&snapshotter), expected.into());
    });
}

#[test]
fn a_partial_400_is_counted_as_rejected_and_no_label_contains_private_data() {
    with_recorder(|snapshotter| async move {
        let secret = r#"{"ids":[""],"status":400,"error":"a-secret-key"}"#;
        let steps = [
            Step::respond(400, r#"{"ids":["a",""],"status":400,"error":"a-private-note"}"#),
            Step::Accept,
            Step::respond(400, secret),
            Step::respond(400, secret),
            Step::respond(400, secret),
        ];
        let client = Script::new(steps).client();
        let view = ItemViewed { number: 1, note: "a-private-note".to_owned() };
        let error = client.send_all([&view, &view, &view]).await.expect_err("a bad event");
        assert_eq!((error.accepted().len(), error.rejected().len()), (2, 1));
        let metrics = metrics(&snapshotter);
        assert_eq!(metrics[&sent(VIEWED)], Value::Counter(2));
        assert_eq!(metrics[&sent(&format!("{VIEWED},error.type=rejected"))], Value::Counter(1));
        let rejected = &metrics[&duration(&format!(",{VIEWED},error.type=rejected"))];
        let Value::Histogram(attempts) = rejected else { panic!("{rejected:?}") };
        assert_eq!(attempts.len(), 4, "the whole batch, and the second event alone three times");
        let shown = format!("{metrics:?}");
        for secret in ["a-secret-key", "a-private-note", "http", "id-"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    });
}

#[test]
fn every_metric_has_its_unit() {
    with_recorder(|snapshotter| async move {
        let publisher = Script::new([]).client().publisher().start();
        drop(publisher.publish(ItemViewed::number(1)).await.expect("capacity"));
        publisher.flush(Duration::from_secs(9)).await.expect("all sent");
        let metrics = snapshotter.snapshot().into_vec().into_iter();
        let units: BTreeMap<String, Option<Unit>> =
            metrics.map(|(key, unit, ..)| (key.key().name().to_owned(), unit)).collect();
        let expected = [
            ("messaging.client.sent.messages", Unit::Count),
            ("messaging.client.operation.duration", Unit::Seconds),
            ("inngest.publisher.queued.events", Unit::Count),
            ("inngest.publisher.queued.bytes", Unit::Bytes),
            ("inngest.publisher.in_flight", Unit::Count),
        ];
        assert_eq!(units, expected.map(|(name, unit)| (name.to_owned(), Some(unit))).into());
    });
}

#[test]
fn events_of_a_publisher_are_counted_by_outcome_and_its_gauges_return_to_zero() {
    with_recorder(|snapshotter| async move {
        let steps = [Step::status(503), Step::Accept, Step::Hang];
        let publisher = Script::new(steps).client().publisher().start();
        drop(publisher.publish_all(ItemViewed::many(3)).await);
        publisher.flush(Duration::from_secs(9)).await.expect("all sent");
        drop(publisher.publish(ItemViewed::number(1)).await.expect("capacity"));
        tokio::time::sleep(Duration::from_millis(1)).await;
        let now = metrics(&snapshotter);
        assert_eq!(now[&sent(VIEWED)], Value::Counter(3));
        let bytes = publisher.stats().queued_bytes;
        #[expect(clippy::cast_precision_loss, reason = "a hundred")]
        let gauges = [
            ("inngest.publisher.queued.events{}", 1.0),
            ("inngest.publisher.queued.bytes{}", bytes as f64),
            ("inngest.publisher.in_flight{}", 1.0),
        ];
        for (gauge, value) in gauges {
            assert_eq!(now[gauge], Value::Gauge(value), "{gauge}");
        }

        drop(publisher.close(Duration::from_secs(1)).await);
        tokio::time::sleep(Duration::from_millis(1)).await;
        let now = metrics(&snapshotter);
        let closed = sent(&format!("{VIEWED},error.type=closed"));
        assert_eq!(now[&closed], Value::Counter(1));
        // The last snapshot reset the values: these are the changes since then.
        for (gauge, value) in gauges {
            assert_eq!(now[gauge], Value::Gauge(-value), "{gauge}");
        }
    });
}

/// A recorder that panics in every call.
struct PanickingRecorder;

impl metrics::Recorder for PanickingRecorder {
    fn describe_counter(&self, _: metrics::KeyName, _: Option<Unit>, _: metrics::SharedString) {
        panic!("a recorder that panics");
    }

    fn describe_gauge(&self, _: metrics::KeyName, _: Option<Unit>, _: metrics::SharedString) {
        panic!("a recorder that panics");
    }

    fn describe_histogram(&self, _: metrics::KeyName, _: Option<Unit>, _: metrics::SharedString) {
        panic!("a recorder that panics");
    }

    fn register_counter(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Counter {
        panic!("a recorder that panics");
    }

    fn register_gauge(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Gauge {
        panic!("a recorder that panics");
    }

    fn register_histogram(
        &self,
        _: &metrics::Key,
        _: &metrics::Metadata<'_>,
    ) -> metrics::Histogram {
        panic!("a recorder that panics");
    }
}

#[test]
fn a_recorder_that_panics_changes_nothing() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    metrics::with_local_recorder(&PanickingRecorder, || {
        runtime.block_on(async {
            let client = Script::new([]).client();
            client.send(ItemViewed::number(1)).await.expect("an id");
            let publisher = client.publisher().start();
            let results = publisher.publish_all(ItemViewed::many(3)).await;
            for receipt in results.into_receipts().expect("capacity") {
                receipt.delivered().await.expect("an id");
            }
            let report = publisher.close(Duration::from_secs(5)).await;
            assert_eq!((report.delivered, report.undelivered.len()), (3, 0));
        });
    });
}
