//! The publisher with servers, hooks and runtimes that misbehave: it continues, or it reports that it is
//! closed, and every event is accounted for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use inngest_core::publisher::{DeliveryError, PublishError, Publisher, Undelivered};
use inngest_core::{Client, Event};
use inngest_tests::{ItemViewed, Script, Step};

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

async fn publish(publisher: &Publisher, numbers: impl IntoIterator<Item = u32>) {
    for receipt in publisher.publish_all(numbers.into_iter().map(ItemViewed::number)).await {
        drop(receipt.expect("capacity"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_enormous_retry_after_pauses_it_for_an_hour() {
    for retry_after in ["9300000000000000000", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let script = Script::new([Step::retry_after(503, retry_after)]);
        let publisher = script.client().publisher().start();
        publish(&publisher, 0..5).await;
        publisher.flush(3_601 * SECOND).await.expect("all sent");
        assert_eq!(script.requests()[1].elapsed.as_secs(), 3_600);
        assert_eq!(publisher.close(SECOND).await.delivered, 5);
    }
}

#[tokio::test(start_paused = true)]
async fn an_infinite_linger_waits_for_a_full_batch_or_an_idle_publisher() {
    let script = Script::new([Step::AcceptAfter(SECOND)]);
    let builder = script.client().publisher().linger(Duration::MAX).max_batch_events(2);
    let publisher = builder.start();
    publish(&publisher, [0]).await;
    tokio::time::sleep(MILLI).await;
    publish(&publisher, [1, 2, 3]).await;
    tokio::time::sleep(2 * SECOND).await;
    let batches: Vec<_> = script.requests().into_iter().map(|request| request.numbers).collect();
    assert_eq!(batches, [vec![0], vec![1, 2], vec![3]]);
}

#[tokio::test(start_paused = true)]
async fn a_success_that_began_before_a_pause_does_not_end_it() {
    let slow = Step::AcceptAfter(300 * MILLI);
    let script = Script::new([slow, Step::retry_after(429, "3")]);
    let publisher = script.client().publisher().max_batch_events(1).start();
    publish(&publisher, [1]).await;
    tokio::time::sleep(MILLI).await;
    publish(&publisher, [2]).await;
    tokio::time::sleep(MILLI).await;
    publish(&publisher, 3..6).await;
    publisher.flush(30 * SECOND).await.expect("all sent");
    let times: Vec<u128> =
        script.requests().iter().map(|request| request.elapsed.as_millis()).collect();
    assert_eq!(times[..2], [0, 1]);
    assert!(times[2..].iter().all(|time| *time >= 3_001), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_one_request_within_the_limits_of_the_client() {
    let refused = vec![Step::retry_after(429, "30"); 2];
    let script = Script::new(refused.clone());
    let client = script.builder().max_request_events(10).build().expect("a client");
    let publisher = client.publisher().max_in_flight(1).start();
    publish(&publisher, 0..100).await;
    publisher.flush(100 * SECOND).await.expect("all sent");
    let requests = script.requests();
    assert_eq!(requests.iter().map(|request| request.in_flight).max(), Some(1));
    let times: Vec<u64> = requests.iter().map(|request| request.elapsed.as_secs()).collect();
    assert_eq!(times[..3], [0, 30, 60]);
    assert_eq!(requests.len(), 12);
    assert_eq!(publisher.stats().retries, 2);

    let script = Script::new([]);
    let client = script.builder().max_request_bytes(2_000).build().expect("a client");
    let publisher = client.publisher().start();
    publish(&publisher, 0..100).await;
    let report = publisher.close(SECOND).await;
    assert_eq!(report.delivered, 100);
    let seed = |request: &inngest_tests::ScriptedRequest| {
        request.http.headers()["x-inngest-event-id-seed"].to_str().unwrap().to_owned()
    };
    let seeds: std::collections::BTreeSet<String> = script.requests().iter().map(seed).collect();
    assert_eq!(seeds.len(), script.requests().len());
    for request in script.requests() {
        assert!(request.http.body().len() <= 2_000);
    }
}

#[tokio::test(start_paused = true)]
async fn publisher_survives_a_hook_that_panics() {
    let script = Script::new([Step::respond(200, "<html>"), Step::Accept]);
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let hook = move |_: Undelivered| {
        count.fetch_add(1, Ordering::Relaxed);
        panic!("a panic of the hook");
    };
    let publisher = script.client().publisher().on_undelivered(hook).start();
    publish(&publisher, [1]).await;
    publisher.flush(SECOND).await.expect("it has failed");
    publish(&publisher, [2]).await;
    publisher.flush(SECOND).await.expect("it is delivered");
    assert_eq!(publisher.stats().delivered, 1);

    publish(&publisher, [3]).await;
    drop(publisher);
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[test]
fn a_hook_that_panics_while_another_panic_unwinds_does_not_abort_the_process() {
    let unwound = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let script = Script::new([Step::Hang]);
            let builder = script.client().publisher();
            let publisher = builder.on_undelivered(|_| panic!("a panic of the hook")).start();
            publish(&publisher, [1]).await;
            panic!("a panic of the program");
        });
    })
    .join();
    let message = unwound.expect_err("a panic");
    assert_eq!(message.downcast_ref::<&str>(), Some(&"a panic of the program"));
}

#[test]
fn publisher_reports_that_its_runtime_is_gone_and_hands_every_event_back() {
    let new_runtime =
        || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let runtime = new_runtime();
    let script = runtime.block_on(async { Script::new([Step::Accept, Step::Hang]) });
    let publisher = {
        let _inside = runtime.enter();
        script.client().publisher().max_batch_events(1).max_in_flight(1).start()
    };
    let receipt = runtime.block_on(async {
        publish(&publisher, [1]).await;
        publisher.flush(SECOND).await.expect("sent");
        publish(&publisher, [2]).await;
        let receipt = publisher.publish(ItemViewed::number(3)).await.expect("capacity");
        tokio::time::sleep(MILLI).await;
        receipt
    });
    drop(runtime);

    let other = new_runtime();
    other.block_on(async {
        assert!(matches!(receipt.delivered().await, Err(DeliveryError::Closed)));
        let refused = publisher.publish(ItemViewed::number(4)).await.expect_err("no runtime");
        let PublishError::Closed { event } = refused else { panic!("{refused:?}") };
        assert_eq!(event.len(), 1);
        assert_eq!(publisher.stats().in_flight, 0);
        let start = std::time::Instant::now();
        assert_eq!(publisher.flush(60 * SECOND).await.expect_err("two are left").events, 2);
        let report = publisher.close(60 * SECOND).await;
        assert!(start.elapsed() < 30 * SECOND, "it does not wait for a runtime that is gone");
        assert_eq!((report.delivered, report.failed, report.undelivered.len()), (1, 0, 2));
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flush_and_close_return_after_receipts_and_hooks_were_notified() {
    let api = inngest_core::testing::EventApi::start().await;
    let notified = Arc::new(Mutex::new(0));
    let hook = Arc::clone(&notified);
    let builder = Client::builder().no_env().dev(true).base_url(api.url()).after_send(move |_| {
        std::thread::sleep(20 * MILLI);
        *hook.lock().unwrap() += 1;
    });
    let publisher = builder.build().expect("a client").publisher().start();
    let receipt = publisher.publish(ItemViewed::number(1)).await.expect("capacity");
    publisher.flush(10 * SECOND).await.expect("sent");
    assert_eq!(*notified.lock().unwrap(), 1);
    assert!(receipt.try_delivered().is_some());

    let receipts = publisher.publish_all((2..5).map(ItemViewed::number)).await;
    let report = publisher.close(10 * SECOND).await;
    assert_eq!((report.delivered, *notified.lock().unwrap()), (4, 4));
    assert!(receipts.iter().all(|receipt| receipt.as_ref().unwrap().try_delivered().is_some()));
}

#[tokio::test(start_paused = true)]
async fn events_left_over_after_a_refused_key_carry_the_cause() {
    let script = Script::new([Step::status(403)]);
    let left: Arc<Mutex<Vec<Undelivered>>> = Arc::default();
    let kept = Arc::clone(&left);
    let hook = move |undelivered| kept.lock().unwrap().push(undelivered);
    let publisher = script.client().publisher().on_undelivered(hook).start();
    drop(publisher.publish(Event::new(ItemViewed::number(1))).await.expect("capacity"));
    let unfinished = publisher.flush(5 * SECOND).await.expect_err("the key is refused");
    assert_eq!(
        unfinished.to_string(),
        "1 event has no outcome yet, because the event key or an event name is refused"
    );
    drop(publisher);
    let left = left.lock().unwrap();
    let [Undelivered { events, cause: Some(cause), .. }] = &left[..] else { panic!("{left:?}") };
    assert_eq!((events.len(), cause.kind()), (1, "key_refused"));
}
