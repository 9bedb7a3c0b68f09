//! The texts of failed expectations, as snapshots.

use inngest_core::testing::{Fault, Recorder};
use inngest_core::{Client, Event, InngestEvent, RetryPolicy};
use inngest_tests::{AccountLinked, CheckoutCompleted, ItemViewed};
use serde::{Deserialize, Serialize};

use crate::{failure, shop};

/// A recorder of several events from several lines.
async fn several_events_sent() -> (Client, Recorder) {
    let (client, sent) = Client::recorder();
    shop::browse(&client, 3).await.expect("accepted");
    shop::view(&client, 7).await.expect("accepted");
    shop::check_out(&client, "c1").await.expect("accepted");
    shop::check_out_one_item(&client, "c2", "lamp").await.expect("accepted");
    (client, sent)
}

#[tokio::test]
async fn a_missing_event_lists_what_was_sent_instead() {
    let (_, sent) = several_events_sent().await;
    insta::assert_snapshot!(failure(|| sent.one::<AccountLinked>()));
}

#[tokio::test]
async fn an_empty_recorder_reports_that_nothing_was_sent() {
    let (_, sent) = Client::recorder();
    insta::assert_snapshot!(failure(|| sent.one::<AccountLinked>()));
}

#[tokio::test]
async fn too_many_events_show_how_the_first_two_differ() {
    let (_, sent) = several_events_sent().await;
    insta::assert_snapshot!(failure(|| sent.one::<CheckoutCompleted>()));
}

#[tokio::test]
async fn equal_events_are_reported_as_perhaps_sent_twice() {
    let (client, sent) = Client::recorder();
    shop::check_out(&client, "c1").await.expect("accepted");
    shop::check_out(&client, "c1").await.expect("accepted");
    insta::assert_snapshot!(failure(|| sent.one::<CheckoutCompleted>()));
}

#[tokio::test]
async fn too_few_events_list_what_was_sent() {
    let (_, sent) = several_events_sent().await;
    insta::assert_snapshot!(failure(|| sent.exactly(3).of::<CheckoutCompleted>()));
}

#[tokio::test]
async fn unexpected_events_are_shown_with_their_data() {
    let (_, sent) = several_events_sent().await;
    insta::assert_snapshot!(failure(|| sent.none::<ItemViewed>()));
}

#[tokio::test]
async fn events_that_do_not_match_are_shown_with_their_data() {
    let (_, sent) = several_events_sent().await;
    insta::assert_snapshot!(failure(|| {
        sent.one_matching(|view: &Event<ItemViewed>| view.data.number == 4)
    }));
}

#[tokio::test]
async fn several_matching_events_show_how_the_first_two_differ() {
    let (_, sent) = several_events_sent().await;
    insta::assert_snapshot!(failure(|| {
        sent.one_matching(|view: &Event<ItemViewed>| view.data.number > 1)
    }));
}

#[tokio::test]
async fn the_closest_event_is_compared() {
    let (_, sent) = several_events_sent().await;
    insta::assert_snapshot!(failure(|| sent.one_like(CheckoutCompleted::of("c2"))));
}

#[tokio::test]
async fn differences_in_the_envelope_are_shown() {
    let (client, sent) = Client::recorder();
    shop::view_in_session(&client, 1).await.expect("accepted");
    let expected = Event::new(ItemViewed::number(1)).id("view-1").session("visit", "v2");
    insta::assert_snapshot!(failure(|| sent.one_like(&expected)));
}

#[tokio::test]
async fn long_values_are_cut_around_their_first_difference() {
    let (client, sent) = Client::recorder();
    let note =
        |end: &str| ItemViewed { number: 1, note: format!("{}{end}", "so it goes, ".repeat(20)) };
    client.send(note("on and on and on and on and on and on and on")).await.expect("accepted");
    insta::assert_snapshot!(without_lines(&failure(|| sent.one_like(note("round and round")))));
}

#[tokio::test]
async fn unclaimed_events_are_shown_with_their_data() {
    let (_, sent) = several_events_sent().await;
    sent.all::<ItemViewed>();
    sent.one_like(CheckoutCompleted::of("c1"));
    insta::assert_snapshot!(failure(|| sent.nothing_else()));
}

#[tokio::test]
async fn events_sent_before_the_scope_are_listed() {
    let (client, sent) = several_events_sent().await;
    let scope = sent.scope();
    shop::view(&client, 8).await.expect("accepted");
    insta::assert_snapshot!(failure(|| scope.one::<CheckoutCompleted>()));
}

#[tokio::test]
async fn events_that_were_not_accepted_are_listed_with_the_reason() {
    let sent = Recorder::new();
    let client = sent.builder().retry(RetryPolicy::none()).build().expect("a client");
    shop::check_out(&client, " ").await.expect_err("a blank id");
    sent.fail_next(Fault::status(503));
    shop::check_out(&client, "c1").await.expect_err("a fault");
    sent.reject_nth(1);
    shop::browse(&client, 2).await.expect_err("a rejection");
    insta::assert_snapshot!(failure(|| sent.one::<CheckoutCompleted>()));
}

#[tokio::test]
async fn many_events_are_counted_by_name_and_line() {
    let (client, sent) = Client::recorder();
    let batch = shop::mixed().expect("a batch");
    client.send_batch(&batch).await.expect("accepted");
    client.send_batch(&shop::all_of(40).expect("a batch")).await.expect("accepted");
    shop::browse(&client, 2_000).await.expect("accepted");
    shop::view_in_session(&client, 1).await.expect("accepted");
    shop::view(&client, 7).await.expect("accepted");
    insta::assert_snapshot!(failure(|| sent.exactly(3).like(ItemViewed::number(1))));
}

/// Another program's type for the event that `ItemViewed` is.
#[derive(Debug, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "storefront/item.viewed")]
struct OtherView {
    count: u32,
}

#[tokio::test]
async fn an_event_that_does_not_decode_is_shown_with_its_data() {
    let (client, sent) = Client::recorder();
    shop::view(&client, 7).await.expect("accepted");
    insta::assert_snapshot!(failure(|| sent.one::<OtherView>()));
    let matching = failure(|| sent.one_matching(|view: &Event<OtherView>| view.data.count == 1));
    assert_eq!(matching, failure(|| sent.all::<OtherView>()));
}

#[tokio::test]
async fn an_expected_event_that_cannot_be_sent_is_reported() {
    let (_, sent) = Client::recorder();
    insta::assert_snapshot!(failure(|| sent.one_like(CheckoutCompleted::of(""))));
}

/// Removes line numbers from the text, for events that this file sends itself.
fn without_lines(text: &str) -> String {
    let mut words = text.split("texts.rs:");
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, rest| {
        format!("{text}texts.rs:[line]{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
    })
}
