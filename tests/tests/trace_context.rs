//! The trace context of a call: the headers `traceparent` and `tracestate` of its requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use inngest_core::testing::{EventApi, Fault};
use inngest_core::{Batch, Client, TraceContext};
use inngest_tests::{ItemViewed, Script, Step};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn header(script: &Script, index: usize, name: &str) -> Option<String> {
    let requests = script.requests();
    let value = requests[index].http.headers().get(name)?;
    Some(value.to_str().expect("ASCII").to_owned())
}

#[tokio::test(start_paused = true)]
async fn every_request_of_a_call_carries_the_trace_of_the_caller() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let context = move || {
        let call = count.fetch_add(1, Ordering::Relaxed);
        Some(format!("00-0af7651916cd43dd8448eb211c80319c-{:016x}-01", call + 1))
    };
    let script = Script::new([Step::status(503), Step::Accept, Step::status(503)]);
    let client = script.builder().trace_context(context).max_request_events(2).build();
    let client = client.expect("a client");

    let call = client.send(ItemViewed::number(1));
    assert_eq!(calls.load(Ordering::Relaxed), 1, "in the call itself");
    call.await.expect("an id");
    client.send_all(ItemViewed::many(3)).await.expect("ids");
    let batch = Batch::try_from_iter(ItemViewed::many(1)).expect("a batch");
    drop(client.send_batch(&batch));
    assert_eq!(calls.load(Ordering::Relaxed), 3, "in the call itself");
    let spans: Vec<String> = (0..script.requests().len())
        .map(|index| header(&script, index, "traceparent").expect("a header")[51..52].to_owned())
        .collect();
    assert_eq!(spans, ["1", "1", "2", "2", "2"]);
    assert_eq!(header(&script, 0, "tracestate"), None);

    let publisher = client.publisher().start();
    let receipt = publisher.publish(ItemViewed::number(1)).await.expect("capacity");
    receipt.delivered().await.expect("an id");
    assert!(header(&script, 5, "traceparent").is_some_and(|parent| parent.contains("04-01")));
}

#[tokio::test]
async fn each_attempt_carries_the_trace_headers() {
    let api = EventApi::start().await;
    api.fail_next(Fault::status(503));
    let builder = Client::builder().no_env().dev(true).base_url(api.url());
    let client = builder.trace_context(|| Some(PARENT.to_owned())).build().expect("a client");
    client.send(ItemViewed::number(1)).await.expect("an id");
    api.client().send(ItemViewed::number(2)).await.expect("an id");
    let requests = api.requests();
    let parents: Vec<_> = requests.iter().map(|request| request.header("traceparent")).collect();
    assert_eq!(parents, [Some(PARENT), Some(PARENT), None]);
}

#[tokio::test(start_paused = true)]
async fn an_invalid_trace_context_is_left_out() {
    struct Context(Option<&'static str>, Option<&'static str>);
    impl TraceContext for Context {
        fn traceparent(&self) -> Option<String> {
            self.0.map(str::to_owned)
        }
        fn tracestate(&self) -> Option<String> {
            self.1.map(str::to_owned)
        }
    }
    let cases = [
        (Context(Some(PARENT), Some("vendor=1")), Some(PARENT), Some("vendor=1")),
        (Context(Some(PARENT), Some("a\nb")), Some(PARENT), None),
        (Context(Some(PARENT), Some("")), Some(PARENT), None),
        (Context(None, Some("vendor=1")), None, None),
        (Context(Some("00-1-2-01"), Some("vendor=1")), None, None),
        (Context(Some(""), None), None, None),
    ];
    for (context, parent, state) in cases {
        let script = Script::new([]);
        let client = script.builder().trace_context(context).build().expect("a client");
        client.send(ItemViewed::number(1)).await.expect("an id");
        assert_eq!(header(&script, 0, "traceparent").as_deref(), parent);
        assert_eq!(header(&script, 0, "tracestate").as_deref(), state);
    }

    let script = Script::new([]);
    let panics = || -> Option<String> { panic!("a panic of the trace context") };
    let client = script.builder().trace_context(panics).build().expect("a client");
    client.send(ItemViewed::number(1)).await.expect("an id");
    assert_eq!(header(&script, 0, "traceparent"), None);
}
