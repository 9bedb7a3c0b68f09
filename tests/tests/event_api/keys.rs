//! Which keys are accepted, and for which events.

use inngest_core::testing::EventApi;
use inngest_core::{Client, RequestError};
use serde_json::{Value, json};

use super::{CartFilled, ShopOpened, cart};

#[tokio::test]
async fn only_the_configured_keys_are_accepted() {
    let api = EventApi::start().await;
    api.accept_only_keys(["a/b", "test"]);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut responses = Vec::new();
    for key in ["test", "a%2Fb", "a%2fb", "other"] {
        let request = client.post(format!("{}/e/{key}", api.url())).body(r#"{"name":"p/x"}"#);
        let response = request.send().await.unwrap();
        responses.push((response.status().as_u16(), response.text().await.unwrap()));
    }
    assert_eq!(
        [responses[0].0, responses[1].0, responses[2].0, responses[3].0],
        [200, 200, 200, 401]
    );
    assert_eq!(
        serde_json::from_str::<Value>(&responses[3].1).unwrap(),
        json!({"status": 401, "message": "", "error": "Event key not found"})
    );
    assert_eq!(api.events().len(), 3);
}

#[tokio::test]
async fn a_key_can_be_limited_to_event_names() {
    let api = EventApi::start().await;
    api.accept_only_events("carts", ["shop/cart.filled", "shop/cart.left"]);
    let builder = Client::builder().no_env().dev(true).base_url(api.url());
    let client = builder.event_key("carts").build().unwrap();
    client.send(cart("a")).await.unwrap();
    let error = client.send(ShopOpened).await.unwrap_err();
    let Some(RequestError::KeyRefused { status: 403, message, .. }) = error.cause() else {
        panic!("{error:?}");
    };
    assert_eq!(message, "The event key does not allow events named shop/opened");
    let events = json!([{"name": "shop/cart.filled"}, {"name": "shop/opened"}]);
    let url = format!("{}/e/carts", api.url());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = http.post(url).body(events.to_string()).send().await.unwrap();
    assert_eq!(response.status(), 403);
    assert_eq!(api.events_of::<CartFilled>().len(), 1, "nothing of the batch was accepted");
    // Other keys are not limited.
    api.client().send(ShopOpened).await.unwrap();

    // An unknown key is refused as unknown, even if it has an allow list.
    api.accept_only_keys(["other"]);
    let error = client.send(cart("c")).await.unwrap_err();
    assert!(matches!(error.cause(), Some(RequestError::KeyRefused { status: 401, .. })));
}
