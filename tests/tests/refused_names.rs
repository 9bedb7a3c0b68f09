//! A 403 can be about one event's name: an event key has a list of the names that it may send, and a request with
//! another name is refused as a whole.

use std::collections::BTreeMap;
use std::time::Duration;

use inngest_core::testing::{EventApi, Fault};
use inngest_core::{
    Batch, Client, ClientBuilder, EventId, InngestEvent, Rejection, RequestError, RetryPolicy,
    SendError,
};
use inngest_tests::{AccountLinked, CheckoutCompleted, ItemViewed};

const LINKED: &str = AccountLinked::NAME;

/// Starts a server, and returns it with a builder of clients whose key may send these names only.
async fn server(names: &[&str]) -> (EventApi, ClientBuilder) {
    let api = EventApi::start().await;
    api.accept_only_events("limited", names.iter().copied());
    let builder = Client::builder().no_env().dev(true).base_url(api.url()).event_key("limited");
    let policy = RetryPolicy::default().initial_backoff(Duration::from_millis(1));
    (api, builder.retry(policy))
}

/// Returns a batch with one event for each letter: a view (v), a checkout (c) or a linked account (a).
fn batch(letters: &str) -> Batch {
    let mut batch = Batch::new();
    for (number, letter) in (0..).zip(letters.chars()) {
        let pushed = match letter {
            'v' => batch.push(ItemViewed::number(number)),
            'c' => batch.push(CheckoutCompleted::of(&number.to_string())),
            'a' => batch.push(AccountLinked { account: number.into() }),
            _ => unreachable!("v, c or a"),
        };
        pushed.expect("an event");
    }
    batch
}

/// Returns the number of events in each request.
fn request_sizes(api: &EventApi) -> Vec<usize> {
    let requests = api.requests().into_iter();
    requests.map(|it| it.json().expect("JSON").as_array().map_or(1, Vec::len)).collect()
}

#[tokio::test]
async fn a_refused_name_rejects_its_own_events_only() {
    let (api, builder) = server(&[ItemViewed::NAME, CheckoutCompleted::NAME]).await;
    let batch = batch("vvvvccaavvacvv");
    let error = builder.build().expect("a client").send_batch(&batch).await.expect_err("a 403");
    assert!(error.unsent().is_empty() && !error.is_retryable());
    let refused: Vec<usize> = error.rejected().iter().map(|(index, _)| *index).collect();
    assert_eq!(refused, [6, 7, 10]);
    for (_, reason) in error.rejected() {
        let Rejection::Server { event: LINKED, status: 403, message } = reason else {
            panic!("{reason:?}");
        };
        assert_eq!(message, &format!("The event key does not allow events named {LINKED}"));
    }
    // The request, a probe for each name (0, 4, 6), and the runs 1..4, 5, 8..10, 11..14.
    assert_eq!(request_sizes(&api), [14, 1, 1, 1, 3, 1, 2, 3]);

    // Every event was sent in its place: with an unlimited key, the same ids are returned.
    let accepted: BTreeMap<usize, EventId> = error.accepted().iter().cloned().collect();
    assert_eq!(accepted.len(), 11);
    let ids = api.client().send_batch(&batch).await.expect("ids");
    for (index, id) in accepted {
        assert_eq!(ids[index], id, "event {index}");
    }
}

#[tokio::test]
async fn each_name_is_probed_at_most_once_by_concurrent_requests() {
    let (api, builder) = server(&[ItemViewed::NAME, CheckoutCompleted::NAME]).await;
    let letters = "vca".repeat(20);
    let builder = builder.max_request_events(5).max_in_flight(4);
    let client = builder.build().expect("a client");
    let error = client.send_batch(&batch(&letters)).await.expect_err("a 403");
    assert_eq!((error.accepted().len(), error.rejected().len()), (40, 20));
    // The requests that were in flight at the first 403, and one probe of the refused name.
    let requests = api.requests().into_iter();
    let refused = requests.filter(|it| String::from_utf8_lossy(&it.body).contains(LINKED)).count();
    assert!(refused <= 4 + 1, "{refused}");
    // Besides these, a probe of each other name, and the runs: at most two in each of the 12 requests.
    assert!(api.requests().len() <= refused + 2 + 2 * 12, "{:?}", request_sizes(&api));
    assert_eq!(api.events().len(), 40);
}

#[tokio::test]
async fn if_every_name_is_refused_the_key_is_refused_and_all_events_are_unsent() {
    for (letters, requests) in [("vcavca", 1 + 3), ("vvvvvv", 1), ("v", 1)] {
        let (api, builder) = server(&["storefront/other"]).await;
        let client = builder.build().expect("a client");
        let error = client.send_batch(&batch(letters)).await.expect_err("a 403");
        assert_eq!(error.unsent().len(), letters.len());
        assert!(error.causes().all(RequestError::is_key_refused), "{error:?}");
        assert!(error.rejected().is_empty() && !error.is_retryable());
        assert_eq!(api.requests().len(), requests, "{letters}");
        // Nothing was accepted, so the events are not in doubt.
        let ids = api.client().send_batch(&error.into_unsent()).await.expect("ids");
        assert_eq!(ids.len(), letters.len());
    }
}

#[tokio::test]
async fn a_refused_name_of_many_requests_is_refused_by_the_first_ones() {
    let (api, builder) = server(&[CheckoutCompleted::NAME]).await;
    let client = builder.max_request_events(10).max_in_flight(4).build().expect("a client");
    let error = client.send_all(ItemViewed::many(500)).await.expect_err("a 403");
    assert_eq!(error.unsent().len(), 500);
    assert!(error.causes().all(RequestError::is_key_refused));
    assert!(api.requests().len() <= 4, "{}", api.requests().len());
}

#[tokio::test]
async fn a_single_event_with_a_refused_name_is_unsent() {
    let (api, builder) = server(&[CheckoutCompleted::NAME]).await;
    let client = builder.build().expect("a client");
    let error = client.send(ItemViewed::number(0)).await.expect_err("a 403");
    let Some(RequestError::KeyRefused { status: 403, .. }) = error.cause() else {
        panic!("{error:?}");
    };
    assert!(matches!(error, SendError::Unsent { .. }));
    assert_eq!(api.requests().len(), 1);
    client.send(CheckoutCompleted::of("c1")).await.expect("an id");
}

#[tokio::test]
async fn a_403_for_a_name_that_was_accepted_concerns_the_key() {
    let (api, builder) = server(&[ItemViewed::NAME, CheckoutCompleted::NAME]).await;
    let client = builder.max_request_events(3).max_in_flight(1).build().expect("a client");
    // The key is revoked after the first request with views, in the middle of the call.
    api.fault_when_event(|event| {
        (event.data["number"].as_u64() >= Some(6)).then(|| Fault::status(403))
    });
    let error = client.send_batch(&batch("cccvvvvvv")).await.expect_err("a 403");
    assert!(error.rejected().is_empty(), "{error:?}");
    assert_eq!(error.unsent(), [6, 7, 8], "{error:?}");
    assert!(error.causes().all(RequestError::is_key_refused));
}

#[tokio::test]
async fn a_bad_event_and_a_refused_name_in_one_batch_are_both_rejected() {
    let (api, builder) = server(&[ItemViewed::NAME, CheckoutCompleted::NAME]).await;
    api.fault_when_event(|event| {
        (event.data["number"] == 0 || event.data["number"] == 5).then(|| Fault::refuse("bad"))
    });
    let client = builder.build().expect("a client");
    let error = client.send_batch(&batch("vvacvvv")).await.expect_err("two reasons");
    let rejected: Vec<(usize, u16)> = error
        .rejected()
        .iter()
        .map(|(index, reason)| match reason {
            Rejection::Server { status, .. } => (*index, *status),
            _ => panic!("{reason:?}"),
        })
        .collect();
    assert_eq!(rejected, [(0, 400), (2, 403), (5, 400)]);
    assert_eq!(error.accepted().len(), 4);
}

#[tokio::test]
async fn an_event_in_doubt_is_not_rejected_for_its_name() {
    let (api, builder) = server(&[CheckoutCompleted::NAME]).await;
    let client = builder.build().expect("a client");
    let batch = batch("vc");
    // Accepted with another key, but the answer was lost.
    api.fail_next(Fault::drop_before_answer());
    let unlimited = api.client().with_retry(RetryPolicy::none());
    unlimited.send_batch(&batch).await.expect_err("a lost answer");
    let error = client.send_batch(&batch).await.expect_err("a 403");
    assert_eq!((error.accepted().len(), error.unsent()), (1, &[0][..]));
    let cause = error.causes().next().expect("a cause");
    assert!(matches!(cause, RequestError::InDoubt { status: 403, .. }), "{cause:?}");
}

#[tokio::test(start_paused = true)]
async fn a_403_after_the_last_success_is_about_the_key() {
    use inngest_tests::{Script, Step};

    let mut batch = inngest_core::Batch::new();
    batch.push(inngest_tests::ItemViewed::number(1)).expect("an event");
    batch.push(inngest_tests::CheckoutCompleted::of("c1")).expect("an event");
    batch.push(inngest_tests::ItemViewed::number(2)).expect("an event");
    // The key is revoked after the first request.
    let script =
        Script::new([Step::Accept, Step::status(403), Step::status(403), Step::status(403)]);
    let builder = script.builder().max_request_events(1).max_in_flight(1);
    let error = builder.build().expect("a client").send_batch(&batch).await.expect_err("revoked");
    assert_eq!(
        (error.accepted().len(), error.rejected().len(), error.unsent()),
        (1, 0, &[1, 2][..])
    );
}
