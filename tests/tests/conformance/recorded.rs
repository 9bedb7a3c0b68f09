//! The server responds to the requests of wire/event-api.json as it did when they were recorded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Suite;

const RECORDED: &str = include_str!("../../wire/event-api.json");

pub(super) async fn check(suite: &mut Suite) {
    let recorded: Value = serde_json::from_str(RECORDED).unwrap();
    let cases = recorded["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 49);
    for case in cases {
        let answer = send(suite, &case["request"]).await;
        let mut expected = case["response"].as_object().unwrap().clone();
        // A recorded response without `error` is not an error.
        expected.entry("error").or_insert(Value::Null);
        expected.insert("server_kind".to_owned(), "dev".into());
        let wrong: Vec<String> = expected
            .iter()
            .filter(|&(key, value)| answer[key] != *value)
            .map(|(key, value)| format!("{key} is {}, not {value}", answer[key]))
            .collect();
        let problem = (!wrong.is_empty()).then(|| wrong.join(", "));
        suite.case(case["name"].as_str().unwrap(), problem);
    }
}

/// Sends one request, and returns the response in the form of the recording.
async fn send(suite: &Suite, request: &Value) -> Value {
    let method = request["method"].as_str().unwrap().parse().unwrap();
    let path = request["path"].as_str().unwrap();
    let mut sending = suite.http.request(method, format!("{}{path}", suite.url));
    for (name, value) in request["headers"].as_object().unwrap() {
        sending = sending.header(name, value.as_str().unwrap());
    }
    let response = sending.body(body(&request["body"])).send().await.unwrap();
    let status = response.status().as_u16();
    let kind = response.headers().get("x-inngest-server-kind").map(|kind| kind.to_str().unwrap());
    let kind = kind.map(str::to_owned);

    let text = response.text().await.unwrap();
    let Ok(answer) = serde_json::from_str::<Value>(&text) else {
        return json!({ "status": status, "server_kind": kind, "json": false });
    };
    let ids = answer["ids"].as_array();
    let empty = |(index, id): (usize, &Value)| (id == "").then_some(index);
    json!({
        "status": status,
        "server_kind": kind,
        "ids": ids,
        "id_count": ids.map(Vec::len),
        "ids_empty": ids.map(|ids| ids.iter().enumerate().filter_map(empty).collect::<Vec<_>>()),
        "error": answer["error"],
        "body_status": answer["status"],
    })
}

/// Returns the body that the recording describes.
fn body(description: &Value) -> Vec<u8> {
    let number = |key: &str| description[key].as_u64().map(|it| usize::try_from(it).unwrap());
    if let Some(text) = description["text"].as_str() {
        text.into()
    } else if let Some(base64) = description["base64"].as_str() {
        STANDARD.decode(base64).unwrap()
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

/// Returns an event of exactly `bytes` bytes.
pub(super) fn padded(bytes: usize) -> String {
    let event = |pad: &str| format!(r#"{{"name":"p/x","data":{{"pad":"{pad}"}}}}"#);
    event(&"x".repeat(bytes - event("").len()))
}

fn batch(event: &str, times: usize) -> Vec<u8> {
    format!("[{}]", vec![event; times].join(",")).into()
}
