//! The events and requests that it stores, and how long it lives.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use inngest_core::Event;
use inngest_core::testing::EventApi;
use serde_json::{Value, json};

use super::{CartFilled, ShopOpened, cart, post};

#[tokio::test]
async fn events_are_stored_in_order_with_all_their_fields() {
    let api = EventApi::start().await;
    let time = std::time::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    let event = Event::new(cart("a"))
        .at(time)
        .user(json!({"external_id": "u1"}))
        .session("chat", "c1")
        .session("turn", 2);
    let client = api.client();
    let id = client.send(&event).await.unwrap();
    client.send(ShopOpened).await.unwrap();
    client.send(Event::new(cart("b")).without_id().version("next")).await.unwrap();

    let stored = api.events();
    let names: Vec<_> = stored.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["shop/cart.filled", "shop/opened", "shop/cart.filled"]);
    assert_eq!(stored[0].id, id);
    assert_eq!(stored[0].data, json!({"cart": "a"}));
    assert_eq!(stored[0].dedup_id.as_deref(), Some("cart-filled-a"));
    assert_eq!(stored[0].ts, 1_700_000_000_123);
    assert_eq!(stored[0].sessions["turn"], "2");
    assert!(stored[1].user.is_empty() && stored[1].ts > stored[0].ts);

    let carts = api.events_of::<CartFilled>();
    assert_eq!((&carts[0].data, &carts[1].data), (&cart("a"), &cart("b")));
    assert_eq!(carts[0].time(), Some(time));
    assert_eq!(carts[0].given_id(), Some("cart-filled-a"));
    assert_eq!(carts[0].user_as::<Value>().unwrap().unwrap()["external_id"], "u1");
    assert_eq!(carts[0].sessions().collect::<Vec<_>>(), [("chat", "c1"), ("turn", "2")]);
    assert_eq!((carts[1].given_id(), carts[1].given_version()), (None, Some("next")));

    let types: Vec<_> = api.event_types();
    let types: Vec<_> =
        types.iter().map(|it| (it.name.as_str(), it.version.as_deref(), it.count)).collect();
    assert_eq!(
        types,
        [
            ("shop/cart.filled", Some("2026-11-01.1"), 1),
            ("shop/cart.filled", Some("next"), 1),
            ("shop/opened", None, 1),
        ]
    );

    api.clear();
    assert!(api.events().is_empty() && api.requests().is_empty() && api.runs().is_empty());
}

#[tokio::test]
#[should_panic(
    expected = "event 1 of 1 named `shop/cart.filled` does not decode as `CartFilled`: \
                           invalid type: integer `5`, expected a string"
)]
async fn events_of_reports_which_event_does_not_decode() {
    let api = EventApi::start().await;
    post(&api, &json!({"name": "shop/cart.filled", "data": {"cart": 5}})).await;
    let _ = api.events_of::<CartFilled>();
}

#[tokio::test]
async fn data_is_changed_as_inngest_changes_it() {
    let api = EventApi::start().await;
    let data = json!({
        "_inngest": {"fn_id": "x"},
        "order": 616_581_622_363_398_142_u64,
        "price": 10.0,
        "rate": 0.1,
        "deep": [{"_inngest": 1}],
    });
    post(&api, &json!({"name": "p/x", "data": data, "more": true})).await;
    assert_eq!(
        api.events()[0].data,
        json!({
            "order": 616_581_622_363_398_100_u64,
            "price": 10,
            "rate": 0.1,
            "deep": [{"_inngest": 1}],
        })
    );
}

#[tokio::test]
async fn events_before_the_first_invalid_one_are_accepted_and_run() {
    let api = EventApi::start().await;
    api.on::<CartFilled>("email", |_| async {});
    let good = |name: &str| json!({"name": "shop/cart.filled", "data": {"cart": name}});
    let answer = post(&api, &json!([good("a"), good("b"), {"name": ""}, good("d")])).await;
    assert_eq!(answer["ids"].as_array().unwrap().len(), 2);
    assert_eq!(answer["error"], "event name is empty");
    assert_eq!((api.events().len(), api.runs().len()), (2, 2));
}

#[tokio::test]
async fn requests_are_stored_unchanged() {
    let api = EventApi::start().await;
    api.client().send(cart("a")).await.unwrap();
    post(&api, &json!({"name": ""})).await;

    let requests = api.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(
        (requests[0].method.as_str(), requests[0].path.as_str()),
        ("POST", "/e/NO_EVENT_KEY_SET")
    );
    assert_eq!(requests[0].header("Content-Type"), Some("application/json"));
    assert!(requests[0].headers().any(|(name, _)| name == "x-inngest-event-id-seed"));
    assert_eq!(requests[1].body, json!({"name": ""}).to_string());
    assert_eq!(requests[1].json().unwrap(), json!({"name": ""}));
}

#[tokio::test]
async fn paths_outside_the_api_return_an_html_page() {
    let api = EventApi::start().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for path in ["/", "/e", "/api/e/test", "/e/a/b"] {
        let response = client.post(format!("{}{path}", api.url())).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
        assert!(response.text().await.unwrap().starts_with("<!DOCTYPE html>"));
    }
}

#[tokio::test]
async fn dropping_it_aborts_functions_and_frees_its_port() {
    let api = EventApi::start().await;
    let address = api.address();
    let alive = Arc::new(());
    let held = Arc::clone(&alive);
    api.on("forever", move |_: Event<ShopOpened>| {
        let held = Arc::clone(&held);
        async move {
            std::future::pending::<()>().await;
            drop(held);
        }
    });
    let client = api.client();
    client.send(ShopOpened).await.unwrap();
    assert!(TcpStream::connect(address).is_ok());
    assert!(EventApi::bind(address).await.is_err());

    drop(api);
    assert!(TcpStream::connect(address).is_err());
    let second = EventApi::bind(address).await.unwrap();
    assert_eq!(second.url(), format!("http://{address}"));
    client.send(ShopOpened).await.unwrap();
    assert_eq!(second.events().len(), 1);
    // The aborted task is dropped when the runtime polls it.
    while Arc::strong_count(&alive) > 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn wait_for_event_returns_an_event_that_arrives_later() {
    let api = EventApi::start().await;
    let client = api.client();
    let sending = tokio::spawn(async move {
        tokio::task::yield_now().await;
        client.send_all([cart("a"), cart("b")]).await
    });
    let second = api.wait_for_event(1).await;
    assert_eq!(second.data, json!({"cart": "b"}));
    assert_eq!(second.id, sending.await.unwrap().unwrap()[1]);
    assert_eq!(api.wait_for_event(0).await, api.events()[0]);
    let third = tokio::time::timeout(Duration::from_millis(20), api.wait_for_event(2)).await;
    assert!(third.is_err());
}

#[tokio::test]
async fn a_stored_event_serializes_under_its_field_names() {
    let api = EventApi::start().await;
    let event = Event::new(cart("a")).at(std::time::UNIX_EPOCH + Duration::from_secs(1 << 30));
    let id = api.client().send(event.session("chat", 1)).await.unwrap();
    let expected = json!({
        "id": id,
        "name": "shop/cart.filled",
        "data": {"cart": "a"},
        "dedup_id": "cart-filled-a",
        "ts": 1_073_741_824_000_u64,
        "version": "2026-11-01.1",
        "user": {},
        "sessions": {"chat": "1"},
    });
    assert_eq!(serde_json::to_value(&api.events()[0]).unwrap(), expected);
}
