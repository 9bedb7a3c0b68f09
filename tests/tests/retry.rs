//! Which failures are retried, when, and for how long, on a paused clock.

use std::time::Duration;

use inngest_core::testing::TransportFault;
use inngest_core::{Batch, RequestError, RetryPolicy, SendError};
use inngest_tests::{ItemViewed, Judge, Ruling, Script, Step};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

async fn send(steps: impl IntoIterator<Item = Step>) -> (Result<(), SendError>, Script) {
    let script = Script::new(steps);
    let sent = script.client().send(ItemViewed::number(1)).await;
    (sent.map(drop), script)
}

fn header(script: &Script, request: usize, name: &str) -> String {
    let request = &script.requests()[request];
    request.http.headers()[name].to_str().expect("ASCII").to_owned()
}

#[tokio::test(start_paused = true)]
async fn transient_failures_are_retried() {
    let transient = [
        Step::Fail(TransportFault::Connect),
        Step::Fail(TransportFault::Interrupted),
        Step::Hang,
        Step::status(408),
        Step::status(425),
        Step::status(429),
        Step::status(500),
        Step::status(502),
        Step::status(503),
        Step::status(504),
        Step::status(599),
    ];
    for step in transient {
        let (sent, script) = send([step.clone()]).await;
        sent.unwrap_or_else(|error| panic!("{step:?}: {error}"));
        let requests = script.requests();
        assert_eq!(requests.len(), 2, "{step:?}");
        assert_eq!(requests[0].http.body(), requests[1].http.body());
        assert_eq!(requests[0].http.headers(), requests[1].http.headers());
    }
}

#[tokio::test(start_paused = true)]
async fn other_failures_are_not_retried() {
    for status in [401, 403, 404, 402, 405, 413, 418, 301, 303, 204] {
        let (sent, script) = send([Step::status(status)]).await;
        let error = sent.expect_err("a refusal");
        assert!(!error.is_retryable(), "{status}: {error}");
        assert_eq!(script.requests().len(), 1, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_400_is_retried_three_times_and_then_is_a_rejection() {
    let (sent, script) = send(vec![Step::status(400); 4]).await;
    assert!(matches!(sent, Err(SendError::Rejected { .. })), "{sent:?}");
    assert_eq!(script.requests().len(), 4);

    let (sent, script) = send(vec![Step::status(400); 3]).await;
    sent.expect("a 400 by a fault of the server");
    assert_eq!(script.requests().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_request_is_tried_eight_times_with_growing_backoff() {
    let (sent, script) = send(vec![Step::status(503); 12]).await;
    let error = sent.expect_err("a server that is down");
    assert!(error.is_retryable());
    assert!(matches!(error.cause(), Some(RequestError::Unavailable { status: 503, .. })));
    let times: Vec<Duration> = script.requests().iter().map(|request| request.elapsed).collect();
    assert_eq!(times.len(), 8);
    for (attempt, pair) in times.windows(2).enumerate() {
        let bound = Duration::from_millis(100) * 2_u32.pow(u32::try_from(attempt).expect("few"));
        let wait = pair[1].saturating_sub(pair[0]);
        // The resolution of the timer is a millisecond.
        let bounds = bound / 2..=bound + Duration::from_millis(1);
        assert!(bounds.contains(&wait), "wait {attempt} was {wait:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_five_seconds_passes_unnoticed() {
    for _ in 0..100 {
        for outage in [
            Ruling::Fail(TransportFault::Connect),
            Ruling::Fail(TransportFault::Interrupted),
            Ruling::Respond(502, "<html>"),
        ] {
            let judge = Judge::new(move |request| {
                if request.elapsed < 5 * SECOND { outage.clone() } else { Ruling::Accept }
            });
            judge.client().send(ItemViewed::number(0)).await.expect("an id");
            assert!(judge.requests().last().expect("a request").elapsed < 13 * SECOND);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn with_retry_changes_the_policy_of_the_returned_client_only() {
    let script = Script::new(vec![Step::status(503); 1 + 8 + 3]);
    let client = script.client();
    let impatient = client.with_retry(RetryPolicy::none());
    impatient.send(ItemViewed::number(1)).await.expect_err("one attempt");
    assert_eq!(script.requests().len(), 1);
    client.send(ItemViewed::number(1)).await.expect_err("eight attempts");
    assert_eq!(script.requests().len(), 1 + 8);
    let patient = impatient.with_retry(RetryPolicy::default().max_attempts(4));
    patient.send(ItemViewed::number(1)).await.expect("the fourth attempt");
    // The rest of the configuration is the same.
    let path = |index: usize| script.requests()[index].http.uri().path().to_owned();
    assert_eq!(path(0), path(1));
}

#[tokio::test(start_paused = true)]
async fn backoff_is_random() {
    let mut waits = Vec::new();
    for _ in 0..20 {
        let (_, script) = send([Step::status(503)]).await;
        waits.push(script.requests()[1].elapsed);
    }
    waits.sort();
    waits.dedup();
    assert!(waits.len() > 5, "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn the_retry_policy_can_be_changed() {
    let script = Script::new(vec![Step::status(503); 9]);
    let client = script.builder().retry(RetryPolicy::none()).build().expect("a client");
    client.send(ItemViewed::number(1)).await.expect_err("one attempt");
    assert_eq!(script.requests().len(), 1);

    let script = Script::new(vec![Step::status(503); 8]);
    let policy = RetryPolicy::default().max_attempts(9).initial_backoff(SECOND).max_backoff(SECOND);
    let client = script.builder().retry(policy).build().expect("a client");
    client.send(ItemViewed::number(1)).await.expect("the ninth attempt");
    assert_eq!(script.requests().len(), 9);
}

#[tokio::test(start_paused = true)]
async fn retry_after_in_seconds_or_as_a_date_is_the_minimum_wait() {
    let (sent, script) = send([Step::retry_after(429, "7")]).await;
    sent.expect("the second attempt");
    let wait = script.requests()[1].elapsed;
    assert!(wait >= 7 * SECOND && wait <= 7 * SECOND + Duration::from_millis(101), "{wait:?}");

    // It is shorter than half the bound of the last wait, which is 6.4 s.
    for _ in 0..20 {
        let (sent, script) = send(vec![Step::retry_after(429, "1"); 7]).await;
        sent.expect("the eighth attempt");
        let requests = script.requests();
        let wait = requests[7].elapsed.saturating_sub(requests[6].elapsed);
        assert!(wait >= Duration::from_millis(3_200), "{wait:?}");
    }

    let date = httpdate::fmt_http_date(std::time::SystemTime::now() + 20 * SECOND);
    let (sent, script) = send([Step::retry_after(503, &date)]).await;
    sent.expect("the second attempt");
    // A date has a resolution of one second.
    let wait = script.requests()[1].elapsed;
    assert!(wait >= 18 * SECOND && wait <= 21 * SECOND, "{wait:?}");
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_beyond_the_deadline_ends_the_call_at_once() {
    let start = Instant::now();
    let (sent, script) = send([Step::retry_after(429, "300")]).await;
    let error = sent.expect_err("no time for it");
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(script.requests().len(), 1);
    assert!(error.is_retryable());
    let Some(RequestError::RetryAfterTooLong { wait, left, cause }) = error.cause() else {
        panic!("{error:?}");
    };
    assert_eq!((*wait, *left), (300 * SECOND, 60 * SECOND));
    assert_eq!(error.cause().and_then(RequestError::retry_after), Some(300 * SECOND));
    assert!(matches!(**cause, RequestError::Unavailable { status: 429, .. }));
    assert_eq!(
        error.to_string(),
        "sending `storefront/item.viewed` failed: the server asks to wait 300 s, but the call has 60 \
         s left: the server is temporarily unavailable (429): no"
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_after_its_total_timeout() {
    let start = Instant::now();
    let script = Script::new(vec![Step::Hang; 99]);
    let policy = RetryPolicy::default().max_attempts(99);
    let client = script.builder().retry(policy).build().expect("a client");
    let error = client.send(ItemViewed::number(1)).await.expect_err("no response");
    assert!(error.cause().is_some_and(RequestError::is_timeout), "{error:?}");
    assert!(start.elapsed() <= 60 * SECOND + Duration::from_millis(1), "{:?}", start.elapsed());
    assert!(script.requests().len() >= 5);
}

#[tokio::test(start_paused = true)]
async fn a_request_times_out_after_ten_seconds_and_a_millisecond_per_event() {
    let script = Script::new([Step::Hang]);
    let client = script.builder().retry(RetryPolicy::none()).build().expect("a client");
    let start = Instant::now();
    let error = client.send_all(ItemViewed::many(500)).await.expect_err("no response");
    assert_eq!(start.elapsed(), Duration::from_millis(10_500));
    assert!(matches!(error.causes().next().expect("a cause"), RequestError::Timeout { .. }));
    assert_eq!(error.into_unsent().len(), 500);
}

#[tokio::test(start_paused = true)]
async fn at_most_max_in_flight_requests_are_in_flight() {
    for (max_in_flight, steps) in [(1, 10), (4, 10), (32, 10)] {
        let script = Script::new(vec![Step::AcceptAfter(SECOND); steps]);
        let builder = script.builder().max_request_events(10).max_in_flight(max_in_flight);
        let start = Instant::now();
        builder.build().expect("a client").send_all(ItemViewed::many(100)).await.expect("ids");
        let most = script.requests().iter().map(|request| request.in_flight).max();
        assert_eq!(most, Some(max_in_flight.min(steps)));
        let rounds = u32::try_from(steps.div_ceil(max_in_flight)).expect("few");
        assert_eq!(start.elapsed(), SECOND * rounds);
    }
}

#[tokio::test(start_paused = true)]
async fn four_requests_are_in_flight_by_default_and_one_keeps_the_order() {
    let script = Script::new(vec![Step::AcceptAfter(SECOND); 10]);
    let client = script.builder().max_request_events(10).build().expect("a client");
    client.send_all(ItemViewed::many(100)).await.expect("ids");
    assert_eq!(script.requests().iter().map(|request| request.in_flight).max(), Some(4));

    let script = Script::new([Step::status(503), Step::Accept, Step::status(503)]);
    let builder = script.builder().max_request_events(10).max_in_flight(1);
    builder.build().expect("a client").send_all(ItemViewed::many(30)).await.expect("ids");
    let firsts: Vec<u64> = script.requests().iter().map(|request| request.numbers[0]).collect();
    assert_eq!(firsts, [0, 0, 10, 10, 20]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_stops_the_remaining_requests() {
    for status in [401, 403, 404] {
        let script = Script::new([Step::Accept, Step::status(status)]);
        let builder = script.builder().max_request_events(10).max_in_flight(1);
        let client = builder.build().expect("a client");
        let error = client.send_all(ItemViewed::many(50)).await.expect_err("a refused key");
        assert_eq!(script.requests().len(), 2);
        assert_eq!(error.accepted().len(), 10);
        assert_eq!(error.unsent(), (10..50).collect::<Vec<_>>());
        assert!(error.causes().all(RequestError::is_key_refused));
        assert!(!error.is_retryable());
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_stops_requests_that_wait_for_a_retry() {
    let script = Script::new([Step::retry_after(503, "5"), Step::status(401)]);
    let builder = script.builder().max_request_events(10).max_in_flight(2);
    let client = builder.build().expect("a client");
    let error = client.send_all(ItemViewed::many(50)).await.expect_err("a refused key");
    assert_eq!(script.requests().len(), 2);
    assert_eq!(error.unsent().len(), 50);
}

#[tokio::test(start_paused = true)]
async fn any_other_failure_does_not_stop_the_other_requests() {
    let html = Step::respond(200, "<!doctype html><html></html>");
    for step in [Step::status(503), html, Step::status(413), Step::Hang] {
        let script = Script::new([step.clone()]);
        let builder = script.builder().max_request_events(10).retry(RetryPolicy::none());
        let client = builder.build().expect("a client");
        let error = client.send_all(ItemViewed::many(50)).await.expect_err("a failure");
        assert_eq!(error.accepted().len(), 40, "{step:?}");
        assert_eq!(error.unsent(), (0..10).collect::<Vec<_>>(), "{step:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn unsent_events_are_resent_under_the_same_ids() {
    let script = Script::new([Step::Accept, Step::status(413), Step::Accept, Step::Accept]);
    let builder = script.builder().max_request_events(10).max_in_flight(1);
    let client = builder.build().expect("a client");
    let error = client.send_all(ItemViewed::many(30)).await.expect_err("one request too large");
    let unsent: Batch = error.into_unsent();
    assert_eq!(unsent.len(), 10);
    client.send_batch(&unsent).await.expect("ids");
    assert_eq!(script.requests()[3].numbers, (10..20).collect::<Vec<_>>());
    let seed = "x-inngest-event-id-seed";
    assert_eq!(header(&script, 3, seed), header(&script, 1, seed));
    assert_ne!(header(&script, 3, seed), header(&script, 0, seed));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_leaves_no_request_in_flight() {
    let script = Script::new(vec![Step::Hang; 99]);
    let client = script.builder().max_request_events(10).build().expect("a client");
    let call = client.send_all(ItemViewed::many(100));
    tokio::time::timeout(SECOND, call).await.expect_err("canceled");
    assert_eq!(script.requests().len(), 4);
    tokio::time::sleep(100 * SECOND).await;
    client.send(ItemViewed::number(1)).await.map(drop).unwrap_or_default();
    assert_eq!(script.requests().get(4).map(|request| request.in_flight), Some(1));
}

#[tokio::test(start_paused = true)]
async fn an_empty_batch_sends_no_request() {
    let script = Script::new([]);
    assert_eq!(script.client().send_batch(&Batch::new()).await.expect("no ids"), []);
    assert_eq!(script.client().send_all(Vec::<ItemViewed>::new()).await.expect("no ids"), []);
    assert!(script.requests().is_empty());
}
