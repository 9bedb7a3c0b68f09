//! What a failed expectation says, as snapshots to be read.

use inngest_core::testing::{Fault, Recorder};
use inngest_core::{Client, Event, InngestEvent, RetryPolicy};
use inngest_tests::{AccountLinked, CheckoutCompleted, ItemViewed};
use serde::{Deserialize, Serialize};

use crate::{failure, shop};

/// A client on which this and that was done.
async fn a_busy_day() -> (Client, Recorder) {
    let (client, sent) = Client::recorder();
    shop::browse(&client, 3).await.expect("accepted");
    shop::view(&client, 7).await.expect("accepted");
    shop::check_out(&client, "c1").await.expect("accepted");
    shop::check_out_one_item(&client, "c2", "lamp").await.expect("accepted");
    (client, sent)
}

#[tokio::test]
async fn none_found() {
    let (_, sent) = a_busy_day().await;
    insta::assert_snapshot!(failure(|| sent.one::<AccountLinked>()));
}

#[tokio::test]
async fn nothing_sent() {
    let (_, sent) = Client::recorder();
    insta::assert_snapshot!(failure(|| sent.one::<AccountLinked>()));
}

#[tokio::test]
async fn too_many_found() {
    let (_, sent) = a_busy_day().await;
    insta::assert_snapshot!(failure(|| sent.one::<CheckoutCompleted>()));
}

#[tokio::test]
async fn sent_twice() {
    let (client, sent) = Client::recorder();
    shop::check_out(&client, "c1").await.expect("accepted");
    shop::check_out(&client, "c1").await.expect("accepted");
    insta::assert_snapshot!(failure(|| sent.one::<CheckoutCompleted>()));
}

#[tokio::test]
async fn too_few_found() {
    let (_, sent) = a_busy_day().await;
    insta::assert_snapshot!(failure(|| sent.exactly(3).of::<CheckoutCompleted>()));
}

#[tokio::test]
async fn some_found_where_none_should_be() {
    let (_, sent) = a_busy_day().await;
    insta::assert_snapshot!(failure(|| sent.none::<ItemViewed>()));
}

#[tokio::test]
async fn none_matches() {
    let (_, sent) = a_busy_day().await;
    insta::assert_snapshot!(failure(|| {
        sent.one_matching(|view: &Event<ItemViewed>| view.data.number == 4)
    }));
}

#[tokio::test]
async fn several_match() {
    let (_, sent) = a_busy_day().await;
    insta::assert_snapshot!(failure(|| {
        sent.one_matching(|view: &Event<ItemViewed>| view.data.number > 1)
    }));
}

#[tokio::test]
async fn the_closest_is_shown() {
    let (_, sent) = a_busy_day().await;
    insta::assert_snapshot!(failure(|| sent.one_like(CheckoutCompleted::of("c2"))));
}

#[tokio::test]
async fn the_envelope_differs() {
    let (client, sent) = Client::recorder();
    shop::view_in_session(&client, 1).await.expect("accepted");
    let expected = Event::new(ItemViewed::number(1)).id("view-1").session("visit", "v2");
    insta::assert_snapshot!(failure(|| sent.one_like(&expected)));
}

#[tokio::test]
async fn long_values_are_cut_where_they_differ() {
    let (client, sent) = Client::recorder();
    let note =
        |end: &str| ItemViewed { number: 1, note: format!("{}{end}", "so it goes, ".repeat(20)) };
    client.send(note("on and on and on and on and on and on and on")).await.expect("accepted");
    insta::assert_snapshot!(without_lines(&failure(|| sent.one_like(note("round and round")))));
}

#[tokio::test]
async fn something_else() {
    let (_, sent) = a_busy_day().await;
    sent.all::<ItemViewed>();
    sent.one_like(CheckoutCompleted::of("c1"));
    insta::assert_snapshot!(failure(|| sent.nothing_else()));
}

#[tokio::test]
async fn outside_of_the_scope() {
    let (client, sent) = a_busy_day().await;
    let scope = sent.scope();
    shop::view(&client, 8).await.expect("accepted");
    insta::assert_snapshot!(failure(|| scope.one::<CheckoutCompleted>()));
}

#[tokio::test]
async fn tried_and_refused() {
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
async fn many_lines_and_names() {
    let (client, sent) = Client::recorder();
    let batch = shop::mixed().expect("a batch");
    client.send_batch(&batch).await.expect("accepted");
    client.send_batch(&shop::all_of(40).expect("a batch")).await.expect("accepted");
    shop::browse(&client, 2_000).await.expect("accepted");
    shop::view_in_session(&client, 1).await.expect("accepted");
    shop::view(&client, 7).await.expect("accepted");
    insta::assert_snapshot!(failure(|| sent.exactly(3).like(ItemViewed::number(1))));
}

/// The same event, by a program that knows it otherwise.
#[derive(Debug, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "storefront/item.viewed")]
struct OtherView {
    count: u32,
}

#[tokio::test]
async fn an_event_that_does_not_decode() {
    let (client, sent) = Client::recorder();
    shop::view(&client, 7).await.expect("accepted");
    insta::assert_snapshot!(failure(|| sent.one::<OtherView>()));
    let matching = failure(|| sent.one_matching(|view: &Event<OtherView>| view.data.count == 1));
    assert_eq!(matching, failure(|| sent.all::<OtherView>()));
}

#[tokio::test]
async fn an_expected_event_that_cannot_be_sent() {
    let (_, sent) = Client::recorder();
    insta::assert_snapshot!(failure(|| sent.one_like(CheckoutCompleted::of(""))));
}

/// For events that this file sends itself.
fn without_lines(text: &str) -> String {
    let mut words = text.split("texts.rs:");
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, rest| {
        format!("{text}texts.rs:[line]{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
    })
}
