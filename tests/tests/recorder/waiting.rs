//! Expectations that wait for code that sends in the background.

use std::time::Duration;

use inngest_core::testing::{Fault, Recorder};
use inngest_core::{Client, Event, RetryPolicy};
use inngest_tests::{CheckoutCompleted, ItemViewed};
use tokio::time::Instant;

use crate::{PANIC_LOCATION, panic_text, shop, watch_panics};

const SECOND: Duration = Duration::from_secs(1);

/// Returns the text of an expectation that fails in a separate task.
async fn failure<T: Send + 'static>(
    expectation: impl Future<Output = T> + Send + 'static,
) -> String {
    watch_panics();
    let Err(error) = tokio::spawn(expectation).await else { panic!("a failed expectation") };
    // The location is the line that awaits.
    let (file, _) = PANIC_LOCATION.take().expect("a location");
    assert!(file.contains("tests/recorder"), "the panic is at {file}");
    panic_text(&*error.into_panic())
}

#[tokio::test(start_paused = true)]
async fn an_expectation_ends_when_its_events_have_arrived() {
    let (client, sent) = Client::recorder();
    let start = Instant::now();
    shop::view_later(&client, 5 * SECOND, 1);
    assert_eq!(sent.within(60 * SECOND).one::<ItemViewed>().await.data.number, 1);
    assert_eq!(start.elapsed(), 5 * SECOND);

    shop::view_later(&client, SECOND, 2);
    let second = |view: &Event<ItemViewed>| view.data.number == 2;
    sent.within(60 * SECOND).one_matching(second).await;
    shop::view_later(&client, SECOND, 3);
    sent.within(60 * SECOND).one_like(ItemViewed::number(3)).await;
    shop::view_later(&client, SECOND, 4);
    assert_eq!(sent.within(60 * SECOND).exactly(4).of::<ItemViewed>().await.len(), 4);
    shop::view_later(&client, SECOND, 2);
    sent.within(60 * SECOND).exactly(2).matching(second).await;
    shop::view_later(&client, SECOND, 3);
    sent.within(60 * SECOND).exactly(2).like(ItemViewed::number(3)).await;
    assert_eq!(start.elapsed(), 10 * SECOND);
    sent.within(60 * SECOND).exactly(6).of::<ItemViewed>().await;
    assert_eq!(start.elapsed(), 10 * SECOND);
    sent.nothing_else();
}

#[tokio::test(start_paused = true)]
async fn all_and_none_wait_until_the_time_is_over() {
    let (client, sent) = Client::recorder();
    let start = Instant::now();
    for number in 0..5 {
        shop::view_later(&client, number * SECOND, number);
    }
    sent.within(2 * SECOND).none::<CheckoutCompleted>().await;
    assert_eq!(start.elapsed(), 2 * SECOND);
    assert_eq!(sent.within(10 * SECOND).all::<ItemViewed>().await.len(), 5);
    assert_eq!(start.elapsed(), 12 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_does_not_arrive_in_time_is_a_failure() {
    let (client, sent) = Client::recorder();
    let start = Instant::now();
    shop::view_later(&client, 5 * SECOND, 1);
    let text = failure({
        let sent = sent.clone();
        async move { sent.within(3 * SECOND).one::<ItemViewed>().await }
    });
    insta::assert_snapshot!("one_within", text.await);
    assert_eq!(start.elapsed(), 3 * SECOND);

    // One event too many fails at once.
    let text = failure(async move { sent.within(60 * SECOND).none::<ItemViewed>().await });
    insta::assert_snapshot!("none_within", text.await);
    assert_eq!(start.elapsed(), 5 * SECOND);
}

#[tokio::test]
async fn waiting_works_on_a_real_clock_and_across_threads() {
    let (client, sent) = Client::recorder();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let sending = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            shop::browse(&client, 3).await
        };
        runtime.expect("a runtime").block_on(sending).expect("accepted");
    });
    assert_eq!(sent.within(30 * SECOND).exactly(3).of::<ItemViewed>().await.len(), 3);
    sent.within(Duration::from_millis(5)).none::<CheckoutCompleted>().await;
    sent.within(Duration::ZERO).exactly(3).of::<ItemViewed>().await;
}

#[tokio::test(start_paused = true)]
async fn a_retried_event_arrives_when_it_is_accepted() {
    let sent = Recorder::new();
    let policy = RetryPolicy::default();
    let client = sent.builder().retry(policy).build().expect("a client");
    sent.fail_next(Fault::status(503).retry_after("7"));
    let start = Instant::now();
    shop::view_later(&client, SECOND, 1);
    sent.within(60 * SECOND).one::<ItemViewed>().await;
    assert!(start.elapsed() >= 8 * SECOND, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn events_of_a_publisher_can_be_waited_for() {
    let (client, sent) = Client::recorder();
    let publisher = client.publisher().start();
    for view in ItemViewed::many(3) {
        drop(publisher.publish(view).await.expect("queued"));
    }
    let views = sent.within(60 * SECOND).exactly(3).of::<ItemViewed>().await;
    assert_eq!(views.iter().map(|view| view.data.number).collect::<Vec<_>>(), [0, 1, 2]);
    let text = crate::failure(|| sent.none::<ItemViewed>());
    assert!(text.contains("tests/tests/recorder/waiting.rs"), "{text}");
}
