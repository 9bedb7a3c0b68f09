//! What calls and publishers log: failed calls, outages, a refused key, and events that are not retried.

use std::time::Duration;

use inngest_core::publisher::DeliveryError;
use inngest_tests::{ItemViewed, Log, Script, Step};

#[tokio::test(start_paused = true)]
async fn a_failed_call_is_logged_once_as_a_warning() {
    let (log, _capture) = Log::capture();
    let script = Script::new([Step::status(503), Step::status(401)]);
    let error = script.client().send_all(ItemViewed::many(3)).await.expect_err("a refused key");
    assert_eq!(error.unsent().len(), 3);

    let warnings = log.lines("WARN");
    let [warning] = &*warnings else { panic!("{warnings:#?}") };
    assert!(
        warning.contains("sending to Inngest failed") && warning.contains("(401)"),
        "{warning}"
    );
    assert!(warning.contains("events=3") && warning.contains("attempts=2"), "{warning}");
    let [retry] = &*log.lines("sending to Inngest failed, retrying") else { panic!("one retry") };
    assert!(retry.contains("DEBUG") && retry.contains("(503)"), "{retry}");
    assert!(log.lines("ERROR").is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_logged_once_at_its_start_and_once_at_its_end() {
    let (log, _capture) = Log::capture();
    let script = Script::new(vec![Step::status(503); 6]);
    let publisher = script.client().publisher().start();
    drop(publisher.publish_all(ItemViewed::many(3)).await.into_receipts().expect("capacity"));
    publisher.flush(Duration::from_secs(60)).await.expect("all sent");

    let warnings = log.lines("WARN");
    let [warning] = &*warnings else { panic!("{warnings:#?}") };
    assert!(warning.contains("sending to Inngest fails; events are kept and retried"), "{warning}");
    assert!(warning.contains("next_attempt_in=") && warning.contains("(503)"), "{warning}");
    assert_eq!(log.lines("sending to Inngest still fails").len(), 1, "then the batch is halved");
    let infos = log.lines("INFO");
    let [recovered] = &*infos else { panic!("{infos:#?}") };
    assert!(recovered.contains("sending to Inngest recovered after="), "{recovered}");
}

#[tokio::test(start_paused = true)]
async fn receipts_that_are_left_after_a_refused_key_name_the_refusal() {
    let script = Script::new([Step::status(401)]);
    let publisher = script.client().publisher().start();
    let receipt = publisher.publish(ItemViewed::number(1)).await.expect("capacity");
    let report = publisher.close(Duration::from_secs(1)).await;
    assert_eq!(report.undelivered.len(), 1);
    let error = receipt.delivered().await.expect_err("not delivered");
    assert!(matches!(&error, DeliveryError::KeyRefused(cause) if cause.is_key_refused()));
    assert!(error.to_string().contains("the event key is refused (401)"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_is_logged_once_as_an_error() {
    for status in [401, 403, 404] {
        let (log, _capture) = Log::capture();
        let script = Script::new(vec![Step::status(status); 4]);
        let publisher = script.client().publisher().max_batch_events(1).max_in_flight(4).start();
        drop(publisher.publish_all(ItemViewed::many(4)).await.into_receipts().expect("capacity"));
        let error = publisher.flush(Duration::from_secs(60)).await.expect_err("a refused key");
        assert!(error.key_refused && error.events == 4, "{error:?}");

        let errors = log.lines("ERROR");
        let [line] = &*errors else { panic!("{status}: {errors:#?}") };
        assert!(
            line.contains("Inngest refuses the event key; the publisher keeps the events"),
            "{line}"
        );
        assert!(line.contains(&format!("({status})")), "{line}");
        assert!(log.lines("WARN").is_empty());

        publisher.resume();
        publisher.flush(Duration::from_secs(60)).await.expect("all sent");
        assert_eq!(log.lines("ERROR").len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_refused_again_is_logged_again() {
    let (log, _capture) = Log::capture();
    let script = Script::new([Step::status(401), Step::status(401)]);
    let publisher = script.client().publisher().start();
    drop(publisher.publish(ItemViewed::number(1)).await.expect("capacity"));
    publisher.flush(Duration::from_secs(60)).await.expect_err("a refused key");
    publisher.resume();
    publisher.flush(Duration::from_secs(60)).await.expect_err("a refused key");
    assert_eq!(log.lines("ERROR").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn events_that_are_not_retried_are_logged_as_an_error() {
    let (log, _capture) = Log::capture();
    let script = Script::new([Step::respond(200, "<html>")]);
    let publisher = script.client().publisher().start();
    drop(publisher.publish_all(ItemViewed::many(3)).await.into_receipts().expect("capacity"));
    publisher.flush(Duration::from_secs(60)).await.expect("an outcome for all");

    let errors = log.lines("ERROR");
    let [error] = &*errors else { panic!("{errors:#?}") };
    assert!(error.contains("sending to Inngest failed; the events are not retried"), "{error}");
    assert!(error.contains("events=3") && error.contains("(200)"), "{error}");
}
