//! A recorder with faults, and how a client handles them.

use std::time::Duration;

use inngest_core::testing::{Fault, Recorder};
use inngest_core::{BatchError, Client, RequestError, RetryPolicy};
use inngest_tests::{CheckoutCompleted, ItemViewed};
use tokio::time::Instant;

use crate::shop;

/// A recorder and a client that does not retry.
fn without_retries() -> (Client, Recorder) {
    let sent = Recorder::new();
    let client = sent.builder().retry(RetryPolicy::none()).build().expect("a client");
    (client, sent)
}

async fn cause(client: &Client) -> RequestError {
    let error = client.send(ItemViewed::number(1)).await.expect_err("a fault");
    error.cause().expect("an unsent event").clone()
}

#[tokio::test(start_paused = true)]
async fn a_retried_event_is_one_event() {
    let (client, sent) = Client::recorder();
    for fault in [
        Fault::status(503),
        Fault::status(500).after_accepting(),
        Fault::drop_before_reading(),
        Fault::drop_before_answer(),
        Fault::drop_within_answer(),
        Fault::hang(),
        Fault::hang().after_accepting(),
    ] {
        let scope = sent.scope();
        sent.fail_next_n(2, fault);
        shop::view(&client, 1).await.expect("accepted after retries");
        scope.one::<ItemViewed>();
        scope.nothing_else();
    }
}

#[tokio::test(start_paused = true)]
async fn each_fault_causes_its_request_error() {
    let (client, sent) = without_retries();

    sent.fail_next(Fault::status(429).retry_after("2"));
    let RequestError::Unavailable { status: 429, retry_after, .. } = cause(&client).await else {
        panic!("a 429");
    };
    assert_eq!(retry_after, Some(Duration::from_secs(2)));

    sent.fail_next(Fault::status(401));
    assert!(cause(&client).await.is_key_refused());
    sent.fail_next(Fault::drop_before_reading());
    assert!(matches!(cause(&client).await, RequestError::Connect { .. }));
    sent.fail_next(Fault::html());
    assert!(matches!(cause(&client).await, RequestError::InvalidResponse { .. }));
    sent.fail_next(Fault::answer_of_bytes(u64::MAX));
    assert!(matches!(cause(&client).await, RequestError::InvalidResponse { .. }));
    sent.none::<ItemViewed>();

    for fault in [Fault::drop_before_answer(), Fault::drop_within_answer()] {
        sent.fail_next(fault);
        assert!(matches!(cause(&client).await, RequestError::Interrupted { .. }));
    }
    for fault in [Fault::missing_ids(1), Fault::empty_ids()] {
        sent.fail_next(fault);
        assert!(matches!(cause(&client).await, RequestError::InvalidResponse { .. }));
    }
    // These events were accepted, although the client could not know it.
    sent.exactly(4).of::<ItemViewed>();
}

#[tokio::test(start_paused = true)]
async fn a_request_that_hangs_times_out() {
    let (client, sent) = without_retries();
    let start = Instant::now();
    sent.fail_next(Fault::hang());
    assert!(cause(&client).await.is_timeout());
    assert_eq!(start.elapsed(), Duration::from_millis(10_001));

    sent.fail_next(Fault::delay(Duration::from_secs(3)));
    shop::view(&client, 2).await.expect("accepted");
    assert_eq!(start.elapsed(), Duration::from_millis(13_001));
    assert_eq!(sent.one::<ItemViewed>().data.number, 2);
}

#[tokio::test]
async fn only_the_nth_event_is_rejected() {
    for (nth, expected) in [(0, [1, 2, 3]), (2, [0, 1, 3]), (3, [0, 1, 2])] {
        let (client, sent) = Client::recorder();
        shop::view(&client, 9).await.expect("accepted");
        let scope = sent.scope();
        sent.reject_nth(nth);
        let error: BatchError = shop::browse(&client, 4).await.expect_err("a rejection");
        assert_eq!(error.rejected().len(), 1);
        assert_eq!(error.rejected()[0].0, nth);
        assert!(error.unsent().is_empty());
        let views = scope.exactly(3).of::<ItemViewed>();
        assert!(views.iter().map(|view| view.data.number).eq(expected));

        // The rejected event stays rejected until `clear_faults`.
        let rejected = error.into_rejected();
        client.send_batch(&rejected).await.expect_err("a rejection");
        sent.clear_faults();
        client.send_batch(&rejected).await.expect("accepted");
        scope.exactly(4).of::<ItemViewed>();
    }
}

#[tokio::test]
async fn a_rule_rejects_events_by_their_data() {
    let (client, sent) = Client::recorder();
    sent.fault_when_event(|event| {
        (event.data["number"] == 1).then(|| Fault::refuse("views of 1 are not counted"))
    });
    let error = shop::browse(&client, 3).await.expect_err("a rejection");
    assert!(error.rejected()[0].1.to_string().contains("views of 1 are not counted"), "{error}");
    sent.exactly(2).of::<ItemViewed>();

    sent.clear_faults();
    sent.fault_when(|request| request.path.starts_with("/e/").then(|| Fault::status(404)));
    shop::view(&client, 1).await.expect_err("a refused key");
}

#[tokio::test]
async fn events_around_one_that_fails_once_are_all_accepted() {
    let (client, sent) = Client::recorder();
    sent.fail_next(Fault::fail_at(2));
    shop::browse(&client, 5).await.expect("accepted by the second attempt");
    let numbers = sent.all::<ItemViewed>().into_iter().map(|view| view.data.number);
    assert!(numbers.eq(0..5));
}

#[tokio::test]
async fn a_resent_event_belongs_to_the_scope_in_which_it_is_accepted() {
    let (client, sent) = without_retries();
    sent.fail_next(Fault::status(503));
    let error = client.send(CheckoutCompleted::of("c1")).await.expect_err("a fault");
    let scope = sent.scope();
    sent.none::<CheckoutCompleted>();
    client.send_batch(&error.into_unsent()).await.expect("accepted");
    scope.one::<CheckoutCompleted>();
}
