//! The in-process Event API: what it keeps, and what it runs.

use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use inngest_core::testing::{EventApi, RunState};
use inngest_core::{DedupId, Event, EventError, InngestEvent};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct CartFilled {
    cart: String,
}

impl InngestEvent for CartFilled {
    const NAME: &'static str = "shop/cart.filled";
    const VERSION: Option<&'static str> = Some("2026-11-01.1");
    const ID_TEMPLATE: Option<&'static str> = Some("cart-filled-{cart}");

    fn dedup_id(&self) -> Result<Option<DedupId>, EventError> {
        DedupId::new(format!("cart-filled-{}", self.cart)).map(Some)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ShopOpened;

impl InngestEvent for ShopOpened {
    const NAME: &'static str = "shop/opened";
    const VERSION: Option<&'static str> = None;
    const ID_TEMPLATE: Option<&'static str> = None;

    fn dedup_id(&self) -> Result<Option<DedupId>, EventError> {
        Ok(None)
    }
}

fn cart(name: &str) -> CartFilled {
    CartFilled { cart: name.to_owned() }
}

/// Posts a body with a seed, if it is not empty, and returns the answer.
async fn post_seeded(api: &EventApi, body: &Value, seed: &str) -> Value {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.post(format!("{}/e/test", api.url())).body(body.to_string());
    if !seed.is_empty() {
        request = request.header("x-inngest-event-id-seed", seed);
    }
    let text = request.send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap()
}

async fn post(api: &EventApi, body: &Value) -> Value {
    post_seeded(api, body, "").await
}

#[tokio::test]
async fn a_function_runs_once_for_each_dedup_id() {
    let api = EventApi::start().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let carts = Arc::clone(&seen);
    api.on("email", move |event: Event<CartFilled>| {
        carts.lock().unwrap().push(event.data.cart);
        async {}
    });
    api.on::<CartFilled>("stock", |_| async {});

    let client = api.client();
    for name in ["a", "b", "a"] {
        client.send(&cart(name)).await.unwrap();
    }
    api.idle().await;

    assert_eq!(*seen.lock().unwrap(), ["a", "b"]);
    assert_eq!(api.events().len(), 3, "a duplicate is stored");
    for function in ["email", "stock"] {
        let runs = api.runs_of(function);
        let ids: Vec<_> = runs.iter().map(|run| run.dedup_id.as_str()).collect();
        assert_eq!(ids, ["cart-filled-a", "cart-filled-b"]);
        assert!(runs.iter().all(|run| run.state == RunState::Done));
    }
    assert_eq!(api.runs().len(), 4);
    assert_eq!(api.runs()[0].event_id, api.events()[0].id);
}

#[tokio::test]
async fn neither_the_name_nor_the_payload_is_part_of_the_dedup_key() {
    let api = EventApi::start().await;
    api.on::<CartFilled>("audit", |_| async {});
    api.on::<ShopOpened>("audit", |_| async {});
    api.on::<ShopOpened>("greet", |_| async {});
    let answer = post(
        &api,
        &json!([
            {"name": "shop/cart.filled", "id": "one", "data": {"cart": "a"}},
            {"name": "shop/cart.filled", "id": "one", "data": {"cart": "b"}},
            {"name": "shop/opened", "id": "one"},
        ]),
    )
    .await;
    api.idle().await;
    assert_eq!(answer["status"], 200);
    assert_eq!((api.runs_of("audit").len(), api.runs_of("greet").len()), (1, 1));
}

#[tokio::test]
async fn a_dedup_id_is_forgotten_after_24_hours_from_its_first_event() {
    let api = EventApi::start().await;
    api.on::<CartFilled>("email", |_| async {});
    let client = api.client();
    let mut runs = Vec::new();
    for hours in [0, 23, 2, 23] {
        api.advance(Duration::from_secs(hours * 60 * 60));
        client.send(&cart("a")).await.unwrap();
        runs.push(api.runs().len());
    }
    assert_eq!(runs, [1, 1, 2, 2]);
}

#[tokio::test]
async fn without_an_id_of_its_own_an_event_is_deduplicated_by_its_inngest_id() {
    let api = EventApi::start().await;
    api.on::<ShopOpened>("greet", |event| async move {
        assert_eq!(event.given_id(), Some("01HF7YAT000000000000000001"));
    });
    let seed = "1700000000000,AAAAAAAAAAAAAA==";
    for _ in 0..2 {
        let answer = post_seeded(&api, &json!({"name": "shop/opened"}), seed).await;
        assert_eq!(answer["ids"], json!(["01HF7YAT000000000000000001"]));
    }
    api.idle().await;
    assert_eq!(api.events().len(), 2);
    assert_eq!(api.runs().len(), 1);
    assert_eq!(api.runs()[0].state, RunState::Done);
    assert_eq!(api.events_of::<ShopOpened>()[0].given_id(), None);
}

#[tokio::test]
async fn failed_runs_say_why() {
    let api = EventApi::start().await;
    api.on::<CartFilled>("refuse", |_| async { Err::<(), _>("out of stock") });
    api.on::<CartFilled>("panic", |event| async move { panic!("no cart {}", event.data.cart) });
    post(&api, &json!({"name": "shop/cart.filled", "data": {"cart": "a"}})).await;
    post(&api, &json!({"name": "shop/cart.filled", "data": {"basket": "a"}})).await;
    api.idle().await;

    let failed = |function: &str, run: usize| match &api.runs_of(function)[run].state {
        RunState::Failed(reason) => reason.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(failed("refuse", 0), "out of stock");
    assert_eq!(failed("panic", 0), "panicked: no cart a");
    let undecodable =
        "the data of `shop/cart.filled` does not decode as `CartFilled`: missing field `cart`";
    assert_eq!(failed("refuse", 1), undecodable);
    assert_eq!(failed("panic", 1), undecodable);
}

#[tokio::test]
async fn idle_waits_for_the_functions_that_are_running() {
    let api = EventApi::start().await;
    let (finish, finished) = tokio::sync::oneshot::channel::<()>();
    let finished = Mutex::new(Some(finished));
    api.on("slow", move |_: Event<ShopOpened>| finished.lock().unwrap().take().unwrap());
    api.idle().await;
    api.client().send(ShopOpened).await.unwrap();

    let idle = tokio::time::timeout(Duration::from_millis(20), api.idle()).await;
    assert!(idle.is_err());
    assert_eq!(api.runs()[0].state, RunState::Running);
    finish.send(()).unwrap();
    api.idle().await;
    assert_eq!(api.runs()[0].state, RunState::Done);
}

#[tokio::test]
async fn events_are_kept_in_order_with_all_they_came_with() {
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
async fn events_of_says_which_event_does_not_decode() {
    let api = EventApi::start().await;
    post(&api, &json!({"name": "shop/cart.filled", "data": {"cart": 5}})).await;
    let _ = api.events_of::<CartFilled>();
}

#[tokio::test]
async fn data_change_on_the_way_as_inngest_changes_them() {
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
async fn events_before_the_first_bad_one_are_accepted_and_run() {
    let api = EventApi::start().await;
    api.on::<CartFilled>("email", |_| async {});
    let good = |name: &str| json!({"name": "shop/cart.filled", "data": {"cart": name}});
    let answer = post(&api, &json!([good("a"), good("b"), {"name": ""}, good("d")])).await;
    assert_eq!(answer["ids"].as_array().unwrap().len(), 2);
    assert_eq!(answer["error"], "event name is empty");
    assert_eq!((api.events().len(), api.runs().len()), (2, 2));
}

#[tokio::test]
async fn seeds_give_the_ids_that_are_documented() {
    let api = EventApi::start().await;
    let base64 = base64::engine::general_purpose::STANDARD;
    for last in [0_u32, 41, u32::MAX - 2, u32::MAX] {
        let mut entropy = [0xA5; 10];
        entropy[6..].copy_from_slice(&last.to_be_bytes());
        let seed = format!("1767225600000,{}", base64.encode(entropy));
        let events = vec![json!({"name": "p/x"}); 4];
        let answer = post_seeded(&api, &json!(events), &seed).await;

        let expected: Vec<String> = (1..=4_u32)
            .map(|place| {
                let mut random = [0; 16];
                random[6..].copy_from_slice(&entropy);
                random[12..].copy_from_slice(&last.wrapping_add(place).to_be_bytes());
                ulid::Ulid::from_parts(1_767_225_600_000, u128::from_be_bytes(random)).to_string()
            })
            .collect();
        assert_eq!(answer["ids"], json!(expected));
    }
}

#[tokio::test]
async fn a_malformed_seed_is_ignored() {
    let api = EventApi::start().await;
    let mut ids = Vec::new();
    for seed in [
        "zzz",
        "0,AAAAAAAAAAAAAA==",
        "1700000000000,AAAAAAAAAAAA",
        "1700000000000,__________8",
        "1700000000000",
    ] {
        let answer = post_seeded(&api, &json!({"name": "p/x"}), seed).await;
        assert_eq!(answer["status"], 200);
        ids.push(answer["ids"][0].as_str().unwrap().to_owned());
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    for id in &ids {
        let id: ulid::Ulid = id.parse().unwrap();
        assert!(now.as_millis() - u128::from(id.timestamp_ms()) < 60_000, "{id} is not of now");
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5, "ids without a seed are random");
}

#[tokio::test]
async fn requests_are_kept_whole() {
    let api = EventApi::start().await;
    api.client().send(&cart("a")).await.unwrap();
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
async fn only_the_keys_given_are_accepted() {
    let api = EventApi::start().await;
    api.accept_only_keys(["a/b", "test"]);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut answers = Vec::new();
    for key in ["test", "a%2Fb", "a%2fb", "other"] {
        let request = client.post(format!("{}/e/{key}", api.url())).body(r#"{"name":"p/x"}"#);
        let response = request.send().await.unwrap();
        answers.push((response.status().as_u16(), response.text().await.unwrap()));
    }
    assert_eq!([answers[0].0, answers[1].0, answers[2].0, answers[3].0], [200, 200, 200, 401]);
    assert_eq!(
        serde_json::from_str::<Value>(&answers[3].1).unwrap(),
        json!({"status": 401, "message": "", "error": "Event key not found"})
    );
    assert_eq!(api.events().len(), 3);
}

#[tokio::test]
async fn a_path_that_is_none_of_the_apis_is_a_page() {
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
async fn it_ends_when_dropped_and_its_port_is_free_again() {
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
    let again = EventApi::bind(address).await.unwrap();
    assert_eq!(again.url(), format!("http://{address}"));
    client.send(ShopOpened).await.unwrap();
    assert_eq!(again.events().len(), 1);
    // The function's task is dropped when the runtime comes to it.
    while Arc::strong_count(&alive) > 1 {
        tokio::task::yield_now().await;
    }
}
