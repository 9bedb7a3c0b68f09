//! A recorder that applies a catalog to all that is sent.

use std::panic::{AssertUnwindSafe, catch_unwind};

use inngest_core::catalog::Catalog;
use inngest_core::{Client, Event, InngestEvent};
use inngest_tests::payloads::{CartUpdatedV1, CartUpdatedV2, ShopOpened};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An event whose schema is wrong.
#[derive(Debug, Serialize, Deserialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/rated")]
struct Rated {
    #[schemars(with = "u8")]
    stars: i32,
}

/// Returns the text of a panic.
fn failure(expectation: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(expectation)).expect_err("an expectation fails");
    *panic.downcast::<String>().expect("a text")
}

fn catalog() -> Catalog {
    Catalog::new("storefront").event::<Rated>().event::<CartUpdatedV1>().event::<ShopOpened>()
}

#[tokio::test]
async fn events_that_match_the_catalog_pass() {
    let (client, sent) = Client::recorder();
    sent.check_with(catalog());
    client.send(&CartUpdatedV1 { cart_id: "c1".to_owned() }).await.unwrap();
    client.send(&Rated { stars: 3 }).await.unwrap();
    client.send(&ShopOpened).await.unwrap();
    sent.one::<CartUpdatedV1>();
    sent.one::<Rated>();
    sent.one::<ShopOpened>();
    sent.nothing_else();
}

#[tokio::test]
async fn every_expectation_fails_if_an_event_does_not_match() {
    let (client, sent) = Client::recorder();
    sent.check_with(catalog());
    client.send(&CartUpdatedV1 { cart_id: "c1".to_owned() }).await.unwrap();
    client.send(&Rated { stars: -1 }).await.unwrap();
    for failure in [
        failure(|| drop(sent.one::<CartUpdatedV1>())),
        failure(|| sent.none::<CartUpdatedV2>()),
        failure(|| drop(sent.all::<Rated>())),
        failure(|| sent.nothing_else()),
        failure(|| drop(sent.clone().exactly(1).of::<Rated>())),
    ] {
        assert!(
            failure.contains("the data of `storefront/rated` does not match its schema"),
            "{failure}"
        );
        assert!(
            failure.contains("`data.stars` is -1") && failure.contains("recorder.rs"),
            "{failure}"
        );
    }
    // It was sent before the scope.
    sent.scope().nothing_else();
}

#[tokio::test]
async fn an_expectation_that_fails_anyway_fails_with_its_own_text() {
    let (client, sent) = Client::recorder();
    sent.check_with(catalog());
    client.send(&Rated { stars: -1 }).await.unwrap();
    assert!(failure(|| drop(sent.one::<ShopOpened>())).starts_with("expected one"));
}

#[tokio::test]
async fn events_that_were_sent_before_are_checked_at_once() {
    let (client, sent) = Client::recorder();
    client.send(&Rated { stars: -1 }).await.unwrap();
    assert!(failure(|| sent.check_with(catalog())).contains("`data.stars` is -1"));
}

#[tokio::test]
async fn events_and_versions_that_are_not_in_the_catalog_do_not_match() {
    let (client, sent) = Client::recorder();
    sent.check_with(catalog());
    let other = CartUpdatedV2 { cart_id: "c".to_owned(), revision: 1, lines: vec![] };
    client.send(Event::new(&other)).await.unwrap();
    assert!(failure(|| sent.nothing_else()).contains("it contains this event with version `1`"));
}

#[test]
fn a_catalog_with_an_error_is_refused() {
    #[derive(Serialize, JsonSchema, InngestEvent)]
    #[inngest(name = "storefront/rated")]
    struct Other;
    let sent = inngest_core::testing::Recorder::new();
    let failure = failure(|| sent.check_with(catalog().event::<Other>()));
    assert!(failure.contains("two types"), "{failure}");
}
