//! The in-process Event API answers as the Dev Server did when wire/event-api.json was recorded.

use base64::Engine as _;
use inngest_core::testing::EventApi;
use serde_json::{Value, json};

const RECORDED: &str = include_str!("../wire/event-api.json");

#[tokio::test]
async fn every_recorded_case_is_answered_as_the_dev_server_did() {
    let recorded: Value = serde_json::from_str(RECORDED).unwrap();
    let cases = recorded["cases"].as_array().unwrap();
    let api = EventApi::start().await;
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap();

    let mut wrong = Vec::new();
    for case in cases {
        let answer = send(&client, api.url(), &case["request"]).await;
        let expected = &case["response"];
        for (key, value) in expected.as_object().unwrap() {
            if answer[key] != *value {
                wrong.push(format!("{}: {key} is {}, not {value}", case["name"], answer[key]));
            }
        }
        if !expected.as_object().unwrap().contains_key("error") && !answer["error"].is_null() {
            wrong.push(format!("{}: error is {}", case["name"], answer["error"]));
        }
    }

    println!("{} of {} cases as recorded", cases.len() - wrong.len(), cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(cases.len(), 49);
}

/// Sends one request, and says of the answer what the recording says of its own.
async fn send(client: &reqwest::Client, url: &str, request: &Value) -> Value {
    let method = request["method"].as_str().unwrap().parse().unwrap();
    let path = request["path"].as_str().unwrap();
    let mut sending = client.request(method, format!("{url}{path}"));
    for (name, value) in request["headers"].as_object().unwrap() {
        sending = sending.header(name, value.as_str().unwrap());
    }
    let response = sending.body(body(&request["body"])).send().await.unwrap();
    let status = response.status().as_u16();
    let kind = response.headers().get("x-inngest-server-kind").cloned();
    assert_eq!(kind.unwrap(), "dev");

    let text = response.text().await.unwrap();
    let Ok(answer) = serde_json::from_str::<Value>(&text) else {
        return json!({ "status": status, "json": false });
    };
    let ids = answer["ids"].as_array().unwrap();
    let empty = |(index, id): (usize, &Value)| (id == "").then_some(index);
    json!({
        "status": status,
        "ids": ids,
        "id_count": ids.len(),
        "ids_empty": ids.iter().enumerate().filter_map(empty).collect::<Vec<_>>(),
        "error": answer["error"],
        "body_status": answer["status"],
    })
}

/// A body as the recording describes it.
fn body(description: &Value) -> Vec<u8> {
    let number = |key: &str| description[key].as_u64().map(|it| usize::try_from(it).unwrap());
    if let Some(text) = description["text"].as_str() {
        text.into()
    } else if let Some(base64) = description["base64"].as_str() {
        base64::engine::general_purpose::STANDARD.decode(base64).unwrap()
    } else if let Some(bytes) = number("padded_event_bytes") {
        padded(bytes).into()
    } else if let Some(bytes) = number("repeat_padded") {
        batch(&padded(bytes), number("times").unwrap())
    } else if let Some(times) = number("times") {
        batch(&description["repeat"].to_string(), times)
    } else if let Some(json) = description.get("json") {
        json.to_string().into()
    } else {
        assert!(description.is_null(), "{description}");
        Vec::new()
    }
}

/// An event of exactly so many bytes.
fn padded(bytes: usize) -> String {
    let event = |pad: &str| format!(r#"{{"name":"p/x","data":{{"pad":"{pad}"}}}}"#);
    event(&"x".repeat(bytes - event("").len()))
}

fn batch(event: &str, times: usize) -> Vec<u8> {
    format!("[{}]", vec![event; times].join(",")).into()
}
