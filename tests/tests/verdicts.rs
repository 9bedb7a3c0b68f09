//! A 400 is not yet a verdict: an event is rejected only if the server refuses it several times, alone, and only if it
//! was never accepted. Nothing that the server may have accepted is ever reported as rejected.

use std::time::Duration;

use inngest_core::testing::{EventApi, Fault, TransportFault};
use inngest_core::{
    Batch, BatchError, Client, EventId, Rejection, RequestError, RetryPolicy, SendError,
};
use inngest_tests::{ItemViewed, Judge, JudgedRequest, Ruling, Script, Step};
use tokio::time::Instant;

const MILLISECOND: Duration = Duration::from_millis(1);

fn views(count: u32) -> Batch {
    Batch::try_from_iter(ItemViewed::many(count)).expect("a batch")
}

/// Returns a client of `api` with a short backoff and timeout.
fn impatient(api: &EventApi) -> Client {
    let policy = RetryPolicy::default().initial_backoff(MILLISECOND).max_attempts(3);
    let builder = Client::builder().no_env().dev(true).base_url(api.url()).retry(policy);
    builder.timeout(Duration::from_millis(50)).build().expect("a client")
}

fn rejected(error: &BatchError) -> Vec<usize> {
    error.rejected().iter().map(|(index, _)| *index).collect()
}

/// Asserts that every event of `error` is unsent and in doubt.
fn assert_in_doubt(error: &BatchError, events: usize) {
    assert_eq!(error.unsent(), (0..events).collect::<Vec<_>>(), "{error:?}");
    assert!(error.causes().all(|cause| matches!(cause, RequestError::InDoubt { .. })), "{error:?}");
    assert!(!error.is_retryable());
}

/// Sends `batch` to the server of `judge`, which now stops at the first event of each request.
async fn send_to_refusing(judge: &Judge, batch: &Batch) -> BatchError {
    let refusing = judge.ruling(|_| Ruling::StopAt(0)).client();
    refusing.send_batch(batch).await.expect_err("400")
}

#[tokio::test]
async fn a_400_without_ids_is_one_refused_request_and_leaves_its_events_unsent() {
    for body in [r#"{"error":"Bad Request"}"#, r#"{"message":"no"}"#, "<html>400</html>", ""] {
        let api = EventApi::start().await;
        api.fail_next(Fault::status(400).body(body));
        let error = impatient(&api).send_all(ItemViewed::many(200)).await.expect_err("400");
        assert_eq!(api.requests().len(), 1, "{body}");
        assert_eq!(error.unsent().len(), 200);
        let mut causes = error.causes();
        assert!(causes.all(|cause| matches!(cause, RequestError::Refused { status: 400, .. })));
        drop(causes);
        assert!(!error.is_retryable());
        api.client().send_batch(&error.into_unsent()).await.expect("ids");
        assert_eq!(api.events().len(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_at_which_the_server_stops_is_set_aside_and_tried_alone_three_more_times() {
    for attempts in [1, 2, 8] {
        let judge = Judge::with_bad_events(|number| number == 2);
        let policy = RetryPolicy::default().max_attempts(attempts);
        let error = judge.client().with_retry(policy).send_batch(&views(5)).await.expect_err("400");
        assert_eq!(
            judge.numbers(),
            [vec![0, 1, 2, 3, 4], vec![3, 4], vec![2], vec![2], vec![2]],
            "{attempts} attempts"
        );
        let [(2, Rejection::Server { status: 400, message, .. })] = error.rejected() else {
            panic!("{error:?}");
        };
        assert_eq!(message, "a bad event");
        assert!(error.unsent().is_empty());
        judge.assert_identities();

        let requests = judge.requests();
        let wait =
            |index: usize| requests[index].elapsed.saturating_sub(requests[index - 1].elapsed);
        for (index, bound) in [(2, 100), (3, 200), (4, 400)] {
            let bound = bound * MILLISECOND;
            assert!(wait(index) >= bound / 2 && wait(index) <= bound + MILLISECOND, "{requests:?}");
        }
        // Something was accepted, so the rest goes on at once.
        assert_eq!(wait(1), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn a_single_event_is_rejected_after_four_refusals_whatever_the_policy_is() {
    for policy in [RetryPolicy::default(), RetryPolicy::none()] {
        let judge = Judge::new(|_| Ruling::StopAt(0));
        let sent = judge.client().with_retry(policy).send(ItemViewed::number(0)).await;
        assert!(matches!(sent, Err(SendError::Rejected { .. })), "{sent:?}");
        assert_eq!(judge.requests().len(), 4);

        let judge = Judge::new(|request| match request.index {
            0..=2 => Ruling::StopAt(0),
            _ => Ruling::Accept,
        });
        judge.client().with_retry(policy).send(ItemViewed::number(0)).await.expect("the fourth");
    }
}

#[tokio::test(start_paused = true)]
async fn a_set_aside_event_is_not_rejected_before_its_attempts_are_over() {
    let judge = Judge::new(|_| Ruling::StopAt(0));
    let policy = RetryPolicy::default().total_timeout(Duration::from_millis(120));
    let start = Instant::now();
    let error =
        judge.client().with_retry(policy).send(ItemViewed::number(0)).await.expect_err("no time");
    assert!(start.elapsed() <= 120 * MILLISECOND);
    assert!(matches!(error.cause(), Some(RequestError::DeadlineExceeded)), "{error:?}");
    assert!(error.is_retryable());
}

#[tokio::test(start_paused = true)]
async fn set_aside_events_are_retried_side_by_side() {
    let judge = Judge::with_bad_events(|_| true);
    let start = Instant::now();
    let error = judge.client().send_batch(&views(50)).await.expect_err("400");
    assert_eq!(error.rejected().len(), 50);
    // Three waits for the rest of the batch, and three for each event: of at most 100, 200 and 400 ms.
    assert!(start.elapsed() <= 2 * Duration::from_millis(710), "{:?}", start.elapsed());
    assert_eq!(judge.requests().len(), 4 * 50);
}

#[tokio::test(start_paused = true)]
async fn retries_of_set_aside_events_respect_max_in_flight() {
    let mut steps = vec![Step::status(400); 20];
    steps.resize(40, Step::AcceptAfter(10 * MILLISECOND));
    let script = Script::new(steps);
    let client = script.builder().max_in_flight(3).build().expect("a client");
    client.send_batch(&views(20)).await.expect("ids");
    let requests = script.requests();
    assert_eq!(requests.len(), 40);
    assert_eq!(requests.iter().map(|request| request.in_flight).max(), Some(3));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_its_own_failure_with_400_for_300_ms_costs_no_event() {
    let rule = |request: &JudgedRequest| {
        let fails = request.elapsed < Duration::from_millis(300);
        if fails { Ruling::StopAt(0) } else { Ruling::Accept }
    };
    for max_request_events in [1, 10, 100] {
        for _ in 0..50 {
            let judge = Judge::new(rule);
            let builder = judge.builder().max_request_events(max_request_events);
            let client = builder.retry(RetryPolicy::none()).build().expect("a client");
            let ids = client.send_all(ItemViewed::many(100)).await.expect("ids");
            assert_eq!(ids.len(), 100);
            judge.assert_identities();
            // The rest of a request waits too, so that few of its events are set aside.
            let requests = judge.requests().len();
            assert!(max_request_events < 100 || requests <= 8, "{requests} requests");
        }
    }
    for _ in 0..50 {
        Judge::new(rule).client().send(ItemViewed::number(0)).await.expect("an id");
    }
}

#[tokio::test(start_paused = true)]
async fn many_bad_events_in_a_row_do_not_use_up_the_time_of_the_others() {
    let bad = 20..130;
    let judge = Judge::with_bad_events(move |number| bad.contains(&number));
    let start = Instant::now();
    let error = judge.client().send_batch(&views(150)).await.expect_err("110 bad events");
    assert_eq!(rejected(&error), (20..130).collect::<Vec<_>>());
    assert_eq!(error.accepted().len(), 40);
    assert!(error.unsent().is_empty());
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    judge.assert_identities();
}

#[tokio::test]
async fn an_event_whose_answer_was_lost_is_in_doubt_and_never_rejected() {
    for lost in [
        Fault::drop_before_answer(),
        Fault::drop_within_answer(),
        Fault::hang().after_accepting(),
        Fault::status(502).after_accepting(),
        Fault::status(408).after_accepting(),
        Fault::html().after_accepting(),
        Fault::missing_ids(1),
        Fault::status(400).body("{}").after_accepting(),
    ] {
        let api = EventApi::start().await;
        api.on::<ItemViewed>("count", |_| async {});
        let client = impatient(&api);
        api.fail_next(lost.clone());
        api.fault_when(|_| Some(Fault::fail_at(0)));
        // Some of these are retried by the call, and others by the caller.
        let mut error = client.send(ItemViewed::number(0)).await.expect_err("400");
        if !matches!(error.cause(), Some(RequestError::InDoubt { .. })) {
            let error_of_batch = client.send_batch(&error.into_unsent()).await.expect_err("400");
            assert_in_doubt(&error_of_batch, 1);
            let cause = error_of_batch.causes().next().cloned().expect("a cause");
            error = SendError::Unsent { cause, unsent: error_of_batch.into_unsent() };
        }
        let Some(RequestError::InDoubt { status: 400, message }) = error.cause() else {
            panic!("{lost:?}: {error:?}");
        };
        assert_eq!(message, "the event could not be stored");
        assert!(!error.is_retryable());
        assert_eq!(
            error.to_string(),
            "sending `storefront/item.viewed` failed: the server rejects the event (400): the event \
             could not be stored; an earlier attempt may have been accepted"
        );
        api.clear_faults();
        client.send_batch(&error.into_unsent()).await.expect("an id");
        let ids: Vec<EventId> = api.events().into_iter().map(|event| event.id).collect();
        assert!(ids.len() == 2 && ids[0] == ids[1], "{lost:?}: {ids:?}");
        api.idle().await;
        assert_eq!(api.runs_of("count").len(), 1);
    }
}

#[tokio::test]
async fn an_event_of_a_canceled_call_is_in_doubt() {
    let api = EventApi::start().await;
    let batch = views(20);
    let builder = Client::builder().no_env().dev(true).base_url(api.url());
    let client = builder.max_request_events(10).max_in_flight(1).build().expect("a client");
    // The first request was answered, and the second is in flight. The caller learns neither.
    api.fault_when_event(|event| {
        (event.data["number"] == 10).then(|| Fault::hang().after_accepting())
    });
    {
        let call = client.send_batch(&batch);
        let accepted = api.wait_for_event(19);
        tokio::select! {
            result = call => panic!("{result:?}"),
            _ = accepted => {}
        }
    }
    api.fault_when(|_| Some(Fault::fail_at(0)));
    let error = impatient(&api).send_batch(&batch).await.expect_err("400");
    assert_in_doubt(&error, 20);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_was_accepted_is_not_rejected_when_it_is_sent_again() {
    let judge = Judge::with_bad_events(|number| number == 5);
    let batch = views(8);
    let error = judge.client().send_batch(&batch).await.expect_err("one bad event");
    assert_eq!(rejected(&error), [5]);
    let error = send_to_refusing(&judge, &batch).await;
    assert_eq!(rejected(&error), [5]);
    assert_eq!(error.unsent(), [0, 1, 2, 3, 4, 6, 7]);
    assert!(error.causes().all(|cause| matches!(cause, RequestError::InDoubt { .. })));
}

#[tokio::test(start_paused = true)]
async fn doubt_survives_resending_and_appending() {
    let judge = Judge::new(|_| Ruling::Lose(3));
    let impatient = judge.client().with_retry(RetryPolicy::none());
    let mut unsent = Batch::new();
    for _ in 0..2 {
        let error = impatient.send_all(ItemViewed::many(3)).await.expect_err("a lost answer");
        assert!(error.is_retryable());
        unsent.append(error.into_unsent());
    }
    let unavailable = judge.ruling(|_| Ruling::Respond(429, "")).client();
    let unavailable = unavailable.with_retry(RetryPolicy::none());
    let unsent = unavailable.send_batch(&unsent).await.expect_err("429").into_unsent();
    let error = send_to_refusing(&judge, &unsent).await;
    assert_in_doubt(&error, 6);
    assert_in_doubt(&send_to_refusing(&judge, &error.into_unsent()).await, 6);
}

#[tokio::test(start_paused = true)]
async fn doubt_about_one_event_does_not_extend_to_the_others_of_its_batch() {
    // The answer to 0 and 1 is lost once, 2 and 3 are bad.
    let judge = Judge::new(|request| match (request.index, &request.numbers[..]) {
        (0, _) => Ruling::Lose(2),
        (_, [2 | 3, ..]) => Ruling::StopAt(0),
        _ => Ruling::Accept,
    });
    let builder = judge.builder().max_request_events(2).max_in_flight(1);
    let client = builder.build().expect("a client");
    let error = client.send_batch(&views(6)).await.expect_err("two bad events");
    assert_eq!(rejected(&error), [2, 3]);
    assert_eq!(error.accepted().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_accepted_nothing_for_certain_leaves_no_doubt() {
    let body = r#"{"error":"no"}"#;
    let mut certain = vec![Ruling::Fail(TransportFault::Connect), Ruling::StopAt(0)];
    certain.extend([401, 403, 404, 413, 429].map(|status| Ruling::Respond(status, body)));
    for ruling in certain {
        let first = ruling.clone();
        let judge = Judge::new(move |_| first.clone());
        // Two events, since a 413 to one rejects it. The policy ends the call before a 400 becomes a verdict.
        let policy = RetryPolicy::none().total_timeout(10 * MILLISECOND);
        let client = judge.client().with_retry(policy);
        let error = client.send_batch(&views(2)).await.expect_err("a failure");
        assert_eq!(error.unsent(), [0, 1], "{ruling:?}");
        let error = send_to_refusing(&judge, &error.into_unsent()).await;
        assert_eq!(rejected(&error), [0, 1], "{ruling:?}");
    }
}

#[tokio::test]
async fn a_413_to_one_event_rejects_it_at_once() {
    let api = EventApi::start().await;
    let builder = Client::builder().no_env().dev(true).base_url(api.url());
    let client = builder.max_request_events(1).build().expect("a client");
    api.fault_when_event(|event| {
        (event.data["number"] == 1).then(|| Fault::status(413).body(r#"{"error":"too big"}"#))
    });
    let error = client.send_all(ItemViewed::many(3)).await.expect_err("413");
    let [(1, Rejection::Server { status: 413, message, .. })] = error.rejected() else {
        panic!("{error:?}");
    };
    assert_eq!(message, "too big");
    assert_eq!((error.accepted().len(), api.requests().len()), (2, 3));

    let sent = client.send(ItemViewed::number(1)).await;
    assert!(matches!(sent, Err(SendError::Rejected { .. })), "{sent:?}");
    assert_eq!(api.requests().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_413_does_not_reject_an_event_in_doubt() {
    let judge = Judge::new(|request| match request.index {
        0 => Ruling::Lose(1),
        _ => Ruling::Respond(413, ""),
    });
    let error = judge.client().send(ItemViewed::number(0)).await.expect_err("413");
    assert!(matches!(error.cause(), Some(RequestError::InDoubt { status: 413, .. })), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn one_request_at_a_time_keeps_the_order_as_long_as_nothing_fails() {
    let judge = Judge::new(|_| Ruling::Accept);
    let builder = judge.builder().max_request_events(7).max_in_flight(1);
    builder.build().expect("a client").send_batch(&views(100)).await.expect("ids");
    assert!(judge.numbers().into_iter().flatten().eq(0..100));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_a_batch_contains_twice_is_not_rejected_if_it_was_accepted() {
    let steps = [Step::Fail(TransportFault::Connect), Step::status(413), Step::Accept];
    let script = Script::new(steps);
    let builder = script.builder().max_in_flight(1).retry(RetryPolicy::none());
    let client = builder.build().expect("a client");
    let mut batch = views(1);
    let error = client.send_batch(&batch).await.expect_err("no connection");
    batch.append(error.into_unsent());
    let error = client.send_batch(&batch).await.expect_err("a 413, then accepted");
    assert_eq!((error.accepted().len(), rejected(&error)), (1, vec![]));
    assert!(error.causes().all(|cause| matches!(cause, RequestError::InDoubt { .. })), "{error:?}");
}
