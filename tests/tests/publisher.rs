//! The promises of the publisher, on a paused clock with a scripted transport.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use inngest_core::publisher::{
    DeliveryError, FlushError, PublishError, Publisher, PublisherBuilder, Undelivered,
};
use inngest_core::testing::TransportFault;
use inngest_core::{Batch, EventError, RetryPolicy};
use inngest_tests::{AccountLinked, CheckoutCompleted, ItemViewed, Script, Step, batch_of};
use tokio::time::{Instant, timeout};

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

fn started(script: &Script, configure: impl Fn(PublisherBuilder) -> PublisherBuilder) -> Publisher {
    configure(script.client().publisher()).start()
}

async fn publish(publisher: &Publisher, numbers: impl IntoIterator<Item = u32>) {
    for receipt in publisher.publish_all(numbers.into_iter().map(ItemViewed::number)).await {
        drop(receipt.expect("capacity"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_publisher_sends_a_single_event_at_once() {
    let script = Script::new([]);
    let publisher = started(&script, |builder| builder.linger(SECOND));
    for number in 0..3 {
        let receipt = publisher.publish(ItemViewed::number(number)).await.expect("capacity");
        receipt.delivered().await.expect("an id");
        assert!(receipt.try_delivered().is_some());
    }
    let times: Vec<Duration> = script.requests().iter().map(|request| request.elapsed).collect();
    assert_eq!(times, [Duration::ZERO; 3]);
}

#[tokio::test(start_paused = true)]
async fn events_are_batched_while_others_are_in_flight_for_at_most_the_linger() {
    let script = Script::new(vec![Step::AcceptAfter(SECOND); 9]);
    let publisher = started(&script, |builder| builder.linger(5 * MILLI).max_in_flight(2));
    publish(&publisher, [0]).await;
    tokio::time::sleep(MILLI).await;
    publish(&publisher, [1, 2]).await;
    tokio::time::sleep(2 * MILLI).await;
    publish(&publisher, [3]).await;
    tokio::time::sleep(10 * MILLI).await;
    let requests = script.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].numbers, [1, 2, 3]);
    assert_eq!(requests[1].elapsed, 6 * MILLI);
    // Two batches are in flight: these events wait until one of them is done.
    publish(&publisher, [4, 5]).await;
    publisher.flush(3 * SECOND).await.expect("all sent");
    assert_eq!(script.requests()[2].numbers, [4, 5]);
    assert_eq!(script.requests()[2].elapsed, SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_closed_at_its_limit_of_events_and_of_bytes() {
    let script = Script::new(vec![Step::AcceptAfter(SECOND); 9]);
    let publisher = started(&script, |builder| builder.max_batch_events(10));
    publish(&publisher, 0..25).await;
    publisher.flush(9 * SECOND).await.expect("all sent");
    let sizes: Vec<usize> = script.requests().iter().map(|request| request.numbers.len()).collect();
    assert_eq!(sizes, [10, 10, 5]);

    let script = Script::new(vec![Step::AcceptAfter(SECOND); 9]);
    let publisher = started(&script, |builder| builder.max_batch_bytes(2_500));
    for number in 0..5 {
        let view = ItemViewed { number, note: "x".repeat(if number == 3 { 9_000 } else { 1_000 }) };
        drop(publisher.publish(view).await.expect("capacity"));
    }
    publisher.flush(9 * SECOND).await.expect("all sent");
    let batches: Vec<Vec<u64>> =
        script.requests().into_iter().map(|request| request.numbers).collect();
    assert_eq!(batches, [vec![0, 1], vec![2], vec![3], vec![4]]);
}

#[tokio::test(start_paused = true)]
async fn at_most_max_in_flight_batches_are_in_flight() {
    let script = Script::new(vec![Step::AcceptAfter(SECOND); 99]);
    let publisher = started(&script, |builder| builder.max_batch_events(1).max_in_flight(3));
    publish(&publisher, 0..30).await;
    publisher.flush(99 * SECOND).await.expect("all sent");
    assert_eq!(script.requests().iter().map(|request| request.in_flight).max(), Some(3));
    assert_eq!(script.requests().last().map(|request| request.elapsed), Some(9 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn the_queue_is_bounded_by_events_and_by_bytes() {
    let script = Script::new([Step::AcceptAfter(SECOND)]);
    let publisher = started(&script, |builder| builder.max_queued_events(3));
    publish(&publisher, 0..3).await;
    let full = publisher.try_publish(ItemViewed::number(3)).expect_err("a full queue");
    let PublishError::Full { event } = full else { panic!("{full:?}") };
    // The error returns the event, which can still be sent.
    Script::new([]).client().send_batch(&event).await.expect("an id");
    let start = Instant::now();
    publish(&publisher, [4]).await;
    assert_eq!(start.elapsed(), SECOND, "it waits for capacity, and no longer");

    let script = Script::new([Step::AcceptAfter(SECOND)]);
    let publisher = started(&script, |builder| builder.max_queued_bytes(2_500));
    let view = |bytes| ItemViewed { number: 1, note: "x".repeat(bytes) };
    drop(publisher.try_publish(view(1_000)).expect("capacity"));
    drop(publisher.try_publish(view(1_000)).expect("capacity"));
    publisher.try_publish(view(1_000)).expect_err("a full queue");
    drop(publisher.try_publish(view(10)).expect("capacity"));
    publisher.flush(9 * SECOND).await.expect("all sent");
    // An event larger than `max_queued_bytes` is queued alone.
    drop(publisher.try_publish(view(5_000)).expect("capacity"));
    publisher.try_publish(view(1)).expect_err("a full queue");
    publisher.flush(9 * SECOND).await.expect("all sent");
    assert_eq!(publisher.stats().queued_bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn a_publish_that_is_dropped_while_it_waits_queues_no_event() {
    let script = Script::new([Step::AcceptAfter(SECOND)]);
    let publisher = started(&script, |builder| builder.max_queued_events(1));
    publish(&publisher, [0]).await;
    let waiting = publisher.publish(ItemViewed::number(1));
    timeout(MILLI, waiting).await.expect_err("the queue is full");
    publish(&publisher, [2]).await;
    publisher.flush(9 * SECOND).await.expect("all sent");
    let numbers: Vec<u64> =
        script.requests().into_iter().flat_map(|request| request.numbers).collect();
    assert_eq!(numbers, [0, 2]);
    assert_eq!(publisher.stats().accepted, 2);
}

#[tokio::test(start_paused = true)]
async fn each_flush_restarts_the_backoff_of_an_outage() {
    let script = Script::new(vec![Step::status(503); 1_000]);
    let publisher = started(&script, |builder| builder);
    publish(&publisher, 0..1).await;
    for _ in 0..4 {
        tokio::time::sleep(300 * SECOND).await;
        let before = script.requests().len();
        publisher.flush(500 * MILLI).await.expect_err("an outage");
        assert!(script.requests().len() > before, "an attempt within 500 ms");
    }
}

/// Returns how many events of two-digit numbers fit into the queue, whose requests hang.
fn count_capacity(publisher: &Publisher) -> usize {
    (50..90).take_while(|number| publisher.try_publish(ItemViewed::number(*number)).is_ok()).count()
}

#[tokio::test(start_paused = true)]
async fn delivered_events_release_exactly_the_capacity_that_they_took() {
    let bytes = batch_of(10..11).events().map(|event| event.json().len()).sum::<usize>();
    for configure in [
        |builder: PublisherBuilder, _| builder.max_queued_events(4),
        |builder: PublisherBuilder, bytes| builder.max_queued_bytes(4 * bytes),
    ] {
        let hanging = Script::new(vec![Step::Hang; 10]);
        let publisher = started(&hanging, |builder| configure(builder, bytes));
        assert_eq!(count_capacity(&publisher), 4);

        let script = Script::new([vec![Step::Accept; 13], vec![Step::Hang; 10]].concat());
        let publisher = started(&script, |builder| configure(builder, bytes).max_batch_events(2));
        for number in 10..20 {
            let receipt = publisher.publish(ItemViewed::number(number)).await.expect("capacity");
            receipt.delivered().await.expect("an id");
        }
        // Larger than the queue, in three requests.
        for receipt in publisher.publish_batch(batch_of(20..26)).await.expect("capacity") {
            receipt.delivered().await.expect("an id");
        }
        assert_eq!(count_capacity(&publisher), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn publish_returns_an_error_for_an_event_that_cannot_be_sent() {
    let script = Script::new([]);
    let publisher = started(&script, |builder| builder);
    let error = publisher.publish(CheckoutCompleted::of("")).await.expect_err("a blank id");
    assert!(matches!(error, PublishError::Event(EventError::BlankIdSegment { .. })));
    let error = publisher.try_publish(AccountLinked { account: 1 << 60 }).expect_err("unsafe");
    assert!(matches!(error, PublishError::Event(EventError::UnsafeInteger { .. })));
    let builder = script.builder().max_event_bytes(100).build().expect("a client");
    let view = ItemViewed { number: 1, note: "x".repeat(100) };
    let error = builder.publisher().start().try_publish(view).expect_err("too large");
    assert!(matches!(error, PublishError::Event(EventError::TooLarge { max: 100, .. })));

    let events =
        [CheckoutCompleted::of("a"), CheckoutCompleted::of(""), CheckoutCompleted::of("b")];
    let receipts = publisher.publish_all(&events).await;
    assert_eq!((receipts.len(), receipts.is_empty()), (3, false));
    assert!(publisher.publish_all(ItemViewed::many(0)).await.is_empty());
    let accepted: Vec<bool> = receipts.iter().map(Result::is_ok).collect();
    assert_eq!(accepted, [true, false, true]);
    let results = receipts.into_vec();
    assert!(matches!(&results[..], [Ok(_), Err(PublishError::Event(_)), Ok(_)]), "{results:?}");
    publisher.flush(SECOND).await.expect("all sent");
    assert_eq!(publisher.stats().delivered, 2);
}

#[tokio::test(start_paused = true)]
async fn a_retry_sends_the_same_bytes_and_seed_however_long_the_outage() {
    let steps = vec![Step::status(503); 20];
    let script = Script::new(steps);
    let publisher = started(&script, |builder| builder);
    let receipt = publisher.publish(ItemViewed::number(0)).await.expect("capacity");
    tokio::time::sleep(MILLI).await;
    publish(&publisher, [1, 2]).await;
    receipt.delivered().await.expect("an id after the outage");
    publisher.flush(99 * SECOND).await.expect("all sent");
    let requests = script.requests();
    for attempt in requests.iter().filter(|request| request.numbers == [0]) {
        assert_eq!(attempt.http.body(), requests[0].http.body());
        assert_eq!(attempt.http.headers(), requests[0].http.headers());
    }
    let stats = publisher.stats();
    assert_eq!((stats.delivered, stats.queued_events), (3, 0));
    assert_eq!(stats.retries, 20);
}

#[tokio::test(start_paused = true)]
async fn an_outage_gets_one_request_at_a_time_with_growing_backoff() {
    let script = Script::new(vec![Step::status(503); 40]);
    let publisher = started(&script, |builder| builder.max_batch_events(1));
    publish(&publisher, 0..20).await;
    publisher.flush(3_600 * SECOND).await.expect("all sent");
    let requests = script.requests();
    let first = &requests[..4];
    assert!(first.iter().all(|request| request.elapsed == Duration::ZERO), "what was in flight");
    let outage = &requests[4..40];
    assert!(outage.iter().all(|request| request.in_flight == 1));
    let waited = outage.last().expect("a request").elapsed;
    // 36 requests, most of them after the longest backoff, 30 s.
    assert!(waited > 200 * SECOND, "{waited:?}");
    assert_eq!(publisher.stats().delivered, 20);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_pauses_the_whole_publisher() {
    let script = Script::new([Step::retry_after(429, "30")]);
    let publisher = started(&script, |builder| builder.max_batch_events(1));
    publish(&publisher, [0]).await;
    tokio::time::sleep(MILLI).await;
    publish(&publisher, 1..9).await;
    publisher.flush(99 * SECOND).await.expect("all sent");
    let requests = script.requests();
    assert!(requests[1..].iter().all(|request| request.elapsed >= 30 * SECOND), "{requests:?}");
}

#[tokio::test(start_paused = true)]
async fn publisher_survives_a_refused_key() {
    let script = Script::new([Step::status(401)]);
    let publisher = started(&script, |builder| builder.max_queued_events(5));
    publish(&publisher, 0..5).await;
    // It waits for capacity when the key is refused.
    let waiting = publisher.publish(ItemViewed::number(5)).await.expect_err("a refused key");
    let PublishError::KeyRefused { cause, event } = waiting else { panic!("{waiting:?}") };
    assert!(cause.is_key_refused());
    assert_eq!(event.len(), 1);
    publisher.try_publish(ItemViewed::number(6)).expect_err("a refused key");
    let start = Instant::now();
    assert_eq!(
        publisher.flush(99 * SECOND).await.map_err(|FlushError { events, .. }| events),
        Err(5)
    );
    assert_eq!(start.elapsed(), Duration::ZERO, "there is nothing to wait for");
    let stats = publisher.stats();
    assert!(stats.key_refused && stats.queued_events == 5 && stats.delivered == 0);
    assert_eq!(script.requests().len(), 1);

    publisher.resume();
    publisher.flush(SECOND).await.expect("all sent");
    assert_eq!(publisher.stats().delivered, 5);
    assert!(!publisher.stats().key_refused);
}

#[tokio::test(start_paused = true)]
async fn a_413_splits_a_batch_in_half_until_it_fits() {
    let script = Script::new([Step::Accept, Step::status(413), Step::status(413)]);
    let publisher = started(&script, |builder| builder.max_in_flight(1));
    publish(&publisher, [100]).await;
    tokio::time::sleep(MILLI).await;
    publish(&publisher, 0..8).await;
    publisher.flush(SECOND).await.expect("all sent");
    let batches: Vec<Vec<u64>> =
        script.requests().into_iter().map(|request| request.numbers).collect();
    let expected =
        [vec![100], (0..8).collect(), vec![0, 1, 2, 3], vec![0, 1], vec![2, 3], vec![4, 5, 6, 7]];
    assert_eq!(batches, expected);
    assert_eq!(publisher.stats().delivered, 9);

    // A single event that is too large is rejected.
    let script = Script::new([Step::status(413)]);
    let publisher = started(&script, |builder| builder);
    let receipt = publisher.publish(ItemViewed::number(0)).await.expect("capacity");
    let error = receipt.delivered().await.expect_err("too large");
    assert!(matches!(error, DeliveryError::Rejected(_)), "{error:?}");
    assert_eq!(publisher.stats().failed["rejected"], 1);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_fails_for_good_is_handed_to_the_hook() {
    let script = Script::new([Step::respond(200, "<html>"), Step::Accept]);
    let kept: Arc<Mutex<Vec<Undelivered>>> = Arc::default();
    let hook = Arc::clone(&kept);
    let builder = script.client().publisher();
    let publisher = builder
        .on_undelivered(move |undelivered| hook.lock().expect("no panic").push(undelivered))
        .start();
    let receipt = publisher.publish(ItemViewed::number(0)).await.expect("capacity");
    let error = receipt.delivered().await.expect_err("HTML");
    assert!(matches!(error, DeliveryError::Failed(_)));
    assert_eq!(publisher.stats().failed["invalid_response"], 1);
    publisher
        .publish(ItemViewed::number(1))
        .await
        .expect("capacity")
        .delivered()
        .await
        .expect("an id");
    let kept = kept.lock().expect("no panic");
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].events.len(), 1);
    assert!(kept[0].cause.is_some());
}

#[tokio::test(start_paused = true)]
async fn close_delivers_what_it_can_and_hands_back_the_rest() {
    let script = Script::new([Step::Accept, Step::Accept, Step::Hang]);
    let publisher = started(&script, |builder| builder.max_batch_events(10).max_in_flight(1));
    publish(&publisher, 0..35).await;
    let start = Instant::now();
    let report = publisher.close(5 * SECOND).await;
    assert_eq!(start.elapsed(), 5 * SECOND);
    assert_eq!((report.delivered, report.failed), (20, 0));
    assert_eq!(report.undelivered.len(), 15);
    let error = publisher.publish(ItemViewed::number(99)).await.expect_err("closed");
    assert!(matches!(error, PublishError::Closed { .. }));
    let second = publisher.close(SECOND).await;
    assert_eq!((second.delivered, second.undelivered.len()), (20, 0));

    // Each event is resent under its previous id.
    let sent_before = script.requests()[2].clone();
    script.client().send_batch(&report.undelivered).await.expect("ids");
    let resent = script.requests()[3..].to_vec();
    assert_eq!(resent[0].numbers, sent_before.numbers);
    let seed = "x-inngest-event-id-seed";
    assert_eq!(resent[0].http.headers()[seed], sent_before.http.headers()[seed]);
    let rest: Vec<u64> = resent.into_iter().flat_map(|request| request.numbers).collect();
    assert_eq!(rest, (20..35).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn close_ends_waiting_publishes_and_receipts() {
    let script = Script::new(vec![Step::Hang; 99]);
    let publisher = started(&script, |builder| builder.max_queued_events(1));
    let receipt = publisher.publish(ItemViewed::number(0)).await.expect("capacity");
    let waiting = tokio::spawn(publisher.publish(ItemViewed::number(1)));
    let delivered = tokio::spawn(async move { receipt.delivered().await });
    tokio::time::sleep(MILLI).await;
    let report = publisher.close(SECOND).await;
    assert_eq!(report.undelivered.len(), 1);
    let error = waiting.await.expect("no panic").expect_err("closed");
    assert!(matches!(error, PublishError::Closed { .. }), "{error:?}");
    let error = delivered.await.expect("no panic").expect_err("closed");
    assert!(matches!(error, DeliveryError::Closed));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_clone_hands_the_queue_to_the_hook_at_once() {
    let script = Script::new(vec![Step::Hang; 99]);
    let kept = Arc::new(Mutex::new(0));
    let hook = Arc::clone(&kept);
    let builder = script.client().publisher();
    let publisher = builder
        .on_undelivered(move |undelivered| {
            assert!(undelivered.cause.is_none());
            *hook.lock().expect("no panic") += undelivered.events.len();
        })
        .start();
    publish(&publisher, 0..7).await;
    let clone = publisher.clone();
    drop(publisher);
    tokio::time::sleep(MILLI).await;
    assert_eq!(*kept.lock().expect("no panic"), 0);
    drop(clone);
    assert_eq!(*kept.lock().expect("no panic"), 7);
    tokio::time::sleep(MILLI).await;
    let sent = script.requests().len();
    tokio::time::sleep(99 * SECOND).await;
    assert_eq!(script.requests().len(), sent, "nothing is sent anymore");
}

#[tokio::test(start_paused = true)]
async fn flush_waits_only_for_events_accepted_before_it() {
    let script = Script::new([Step::AcceptAfter(SECOND), Step::AcceptAfter(9 * SECOND)]);
    let publisher = started(&script, |builder| builder.max_in_flight(1));
    publish(&publisher, [0]).await;
    let flushing = publisher.clone();
    let flush = tokio::spawn(async move { flushing.flush(99 * SECOND).await });
    tokio::time::sleep(MILLI).await;
    publish(&publisher, [1]).await;
    let start = Instant::now();
    flush.await.expect("no panic").expect("the first is sent");
    assert!(start.elapsed() < 2 * SECOND);
    let late = publisher.flush(SECOND).await.expect_err("nine seconds");
    assert_eq!(late.events, 1);
    assert_eq!(late.to_string(), "1 event has no outcome yet");
}

#[tokio::test(start_paused = true)]
async fn stats_count_events_batches_and_retries() {
    let script = Script::new([Step::Fail(TransportFault::Connect), Step::Hang]);
    let client = script.builder().retry(RetryPolicy::default().initial_backoff(MILLI)).build();
    let publisher = client.expect("a client").publisher().start();
    publish(&publisher, 0..3).await;
    tokio::time::sleep(2 * SECOND).await;
    let stats = publisher.stats();
    assert_eq!((stats.queued_events, stats.in_flight, stats.retries), (3, 1, 1));
    assert_eq!((stats.accepted, stats.delivered), (3, 0));
    assert_eq!(stats.oldest, Some(2 * SECOND));
    let bytes = Batch::try_from_iter(ItemViewed::many(3)).expect("a batch").bytes();
    assert_eq!(stats.queued_bytes, bytes);
}

#[test]
fn publishing_inside_of_serialize_does_not_deadlock() {
    thread_local! {
        static PUBLISHER: std::cell::OnceCell<Publisher> = const { std::cell::OnceCell::new() };
    }
    #[derive(inngest_core::InngestEvent)]
    #[inngest(name = "test/nested")]
    struct Nested {}
    impl serde::Serialize for Nested {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            PUBLISHER.with(|publisher| {
                let publisher = publisher.get().expect("set");
                drop(publisher.try_publish(ItemViewed::number(1)).expect("capacity"));
            });
            serializer.collect_map([("outer", 1)])
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(async {
        let script = Script::new([]);
        let publisher = script.client().publisher().start();
        PUBLISHER.with(|cell| drop(cell.set(publisher.clone())));
        drop(publisher.publish(Nested {}).await.expect("capacity"));
        publisher.flush(SECOND).await.expect("all sent");
        assert_eq!(publisher.stats().delivered, 2);
    });
}
