//! What a publisher hands back, and how it ends, over a real socket.

use std::time::{Duration, Instant};

use inngest_core::publisher::{DeliveryError, PublishError};
use inngest_core::testing::{EventApi, Fault};
use inngest_core::{Batch, Client, RequestError};
use inngest_tests::{CheckoutCompleted, ItemViewed};

const MILLI: Duration = Duration::from_millis(1);

/// Publishes an event that the server accepts without a response, and returns once it has.
async fn accepted_without_response(api: &EventApi) -> inngest_core::publisher::Publisher {
    api.fail_next(Fault::hang().after_accepting());
    let publisher = api.client().publisher().start();
    drop(publisher.publish(ItemViewed::number(1)).await.expect("capacity"));
    api.wait_for_event(0).await;
    publisher
}

#[tokio::test]
async fn events_in_flight_at_the_end_are_in_doubt_when_they_are_handed_back() {
    let api = EventApi::start().await;
    let publisher = accepted_without_response(&api).await;
    let report = publisher.close(20 * MILLI).await;
    let stored = serde_json::to_string(&report.undelivered).expect("JSON");
    let restored: Batch = serde_json::from_str(&stored).expect("a batch");
    api.fault_when_event(|_| Some(Fault::refuse("not any more")));
    let error = api.client().send_batch(&restored).await.expect_err("refused");
    assert!(error.rejected().is_empty(), "the server has accepted it: {error}");
    assert!(error.causes().all(|cause| matches!(cause, RequestError::InDoubt { .. })), "{error}");
}

#[tokio::test]
async fn kept_events_of_a_refused_name_leave_capacity_for_others() {
    let api = EventApi::start().await;
    api.accept_only_events("a-key", ["storefront/item.viewed"]);
    let builder = Client::builder().no_env().dev(true).base_url(api.url()).event_key("a-key");
    let publisher = builder.build().expect("a client").publisher().max_queued_events(5).start();
    let receipts =
        (0..5).map(|cart| publisher.try_publish(CheckoutCompleted::of(&cart.to_string())));
    let receipts: Vec<_> = receipts.collect::<Result<_, PublishError>>().expect("capacity");
    publisher.flush(2_000 * MILLI).await.expect_err("a refused name");
    for number in 0..20 {
        let publish = publisher.publish(ItemViewed::number(number));
        let receipt = tokio::time::timeout(2_000 * MILLI, publish).await.expect("capacity");
        receipt.expect("capacity").delivered().await.expect("an id");
    }
    for receipt in receipts {
        let error = receipt.delivered().await.expect_err("a refused name");
        assert!(matches!(error, DeliveryError::Rejected(_)), "{error}");
    }
    // The capacity is as large as before.
    let full: Vec<_> =
        (0..9).map(|number| publisher.try_publish(ItemViewed::number(number))).collect();
    assert!(full.iter().filter(|result| result.is_ok()).count() <= 5 + 4, "{full:?}");
    let report = publisher.close(2_000 * MILLI).await;
    assert!(report.undelivered.is_empty());
}

#[tokio::test]
async fn slow_hooks_of_delivered_events_do_not_make_close_exceed_its_deadline() {
    let api = EventApi::start().await;
    let builder = Client::builder().no_env().dev(true).base_url(api.url());
    let client = builder.after_send(|_| std::thread::sleep(40 * MILLI)).build().expect("a client");
    let publisher = client.publisher().start();
    let results = publisher.publish_all(ItemViewed::many(50)).await;
    let receipts = results.into_receipts().expect("capacity");
    let start = Instant::now();
    let report = publisher.close(60 * MILLI).await;
    assert!(start.elapsed() < 1_000 * MILLI, "{:?}", start.elapsed());
    assert_eq!(report.delivered + report.undelivered.len() as u64, 50);
    for receipt in receipts {
        // Resolves in any case.
        drop(receipt.delivered().await);
    }
}
