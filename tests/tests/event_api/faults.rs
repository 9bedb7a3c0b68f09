//! Faults: which requests they affect, and what the sender receives.

use std::time::{Duration, Instant};

use inngest_core::testing::{EventApi, Fault};
use serde_json::{Value, json};

fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}

/// A request with three events.
fn post(api: &EventApi) -> reqwest::RequestBuilder {
    let events = json!([{"name": "p/a"}, {"name": "p/b"}, {"name": "p/c"}]);
    client().post(format!("{}/e/test", api.url())).body(events.to_string())
}

async fn send(api: &EventApi) -> (u16, Value) {
    let response = post(api).send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

#[tokio::test]
async fn events_are_not_accepted_with_an_error_status() {
    let api = EventApi::start().await;
    api.fail_next_n(2, Fault::status(503));
    api.fail_next(
        Fault::status(429).retry_after("Fri, 07 Nov 2036 08:49:37 GMT").body("slow down"),
    );
    let unavailable = json!({"status": 503, "message": "", "error": "Service Unavailable"});
    assert_eq!(send(&api).await, (503, unavailable.clone()));
    assert_eq!(send(&api).await, (503, unavailable));

    let response = post(&api).send().await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "Fri, 07 Nov 2036 08:49:37 GMT");
    assert_eq!(response.text().await.unwrap(), "slow down");

    assert!(api.events().is_empty());
    assert_eq!(send(&api).await.0, 200);
    assert_eq!((api.events().len(), api.requests().len()), (3, 4));
}

#[tokio::test]
async fn after_accepting_accepts_events_despite_an_error_status() {
    let api = EventApi::start().await;
    api.fail_next(Fault::status(504).after_accepting());
    assert_eq!(send(&api).await.0, 504);
    assert_eq!(api.events().len(), 3);
}

#[tokio::test]
async fn a_redirect_has_a_location_and_html_has_its_content_type() {
    let api = EventApi::start().await;
    api.fail_next(Fault::redirect("http://127.0.0.1:1/e/test"));
    api.fail_next(Fault::html());
    let response = post(&api).send().await.unwrap();
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()["location"], "http://127.0.0.1:1/e/test");
    let response = post(&api).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    assert!(api.events().is_empty());
}

#[tokio::test]
async fn the_connection_closes_before_reading_or_before_the_response() {
    let api = EventApi::start().await;
    api.fail_next(Fault::drop_before_reading());
    assert!(post(&api).send().await.is_err());
    assert!(api.events().is_empty());
    assert_eq!(api.requests()[0].body, "");

    api.fail_next(Fault::drop_before_answer());
    assert!(post(&api).send().await.is_err());
    assert_eq!(api.events().len(), 3);
}

#[tokio::test]
async fn the_connection_closes_in_the_middle_of_the_response() {
    let api = EventApi::start().await;
    api.fail_next(Fault::drop_within_answer());
    let mut response = post(&api).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let content_length = response.content_length().unwrap();
    let beginning = response.chunk().await.unwrap().unwrap();
    assert!(beginning.starts_with(b"{\"ids\":[\"") && (beginning.len() as u64) < content_length);
    assert!(response.chunk().await.is_err());
    assert_eq!(api.events().len(), 3);
}

#[tokio::test]
async fn fail_at_accepts_the_events_before_the_failing_one() {
    let api = EventApi::start().await;
    api.fail_next(Fault::fail_at(2));
    api.fail_next(Fault::fail_at(0));
    let (status, body) = send(&api).await;
    assert_eq!((status, body["ids"].as_array().unwrap().len()), (400, 2));
    assert_eq!(body["status"], 400);
    assert!(body["error"].is_string());
    assert_eq!(send(&api).await.1["ids"], json!([""]));
    assert_eq!(api.events().len(), 2);
    assert_eq!(send(&api).await.0, 200);
}

#[tokio::test]
async fn ids_of_accepted_events_are_missing_or_empty() {
    let api = EventApi::start().await;
    api.fail_next(Fault::missing_ids(1));
    api.fail_next(Fault::missing_ids(9));
    api.fail_next(Fault::empty_ids());
    assert_eq!(send(&api).await.1["ids"].as_array().unwrap().len(), 2);
    assert_eq!(send(&api).await.1["ids"], json!([]));
    assert_eq!(send(&api).await.1["ids"], json!(["", "", ""]));
    assert_eq!(api.events().len(), 9);
}

#[tokio::test]
async fn a_response_can_have_any_size() {
    let api = EventApi::start().await;
    api.fail_next(Fault::answer_of_bytes(1_000_000));
    let response = post(&api).send().await.unwrap();
    assert_eq!(response.content_length(), None);
    assert_eq!(response.text().await.unwrap(), " ".repeat(1_000_000));

    api.fail_next(Fault::answer_of_bytes(u64::MAX));
    let mut response = post(&api).send().await.unwrap();
    assert!(!response.chunk().await.unwrap().unwrap().is_empty());
    assert!(api.events().is_empty());
}

#[tokio::test]
async fn a_response_is_delayed_or_never_sent() {
    let api = EventApi::start().await;
    api.fail_next(Fault::delay(Duration::from_millis(30)));
    let start = Instant::now();
    assert_eq!(send(&api).await.0, 200);
    assert!(start.elapsed() >= Duration::from_millis(30));

    api.fail_next(Fault::hang().after_accepting());
    let error = post(&api).timeout(Duration::from_millis(50)).send().await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(api.events().len(), 6);
}

#[tokio::test]
async fn a_rule_chooses_faults_by_request_when_none_is_queued() {
    let api = EventApi::start().await;
    let mut calls = 0;
    api.fault_when(move |request| {
        calls += 1;
        let events = request.json().unwrap();
        (calls < 3 && events[2]["name"] == "p/c").then(|| Fault::status(500 + calls))
    });
    api.fail_next(Fault::status(418));
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(post(&api).send().await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [418, 501, 502, 200]);

    api.fail_next(Fault::status(503));
    api.fault_when(|_| Some(Fault::drop_before_answer()));
    api.clear_faults();
    assert_eq!(send(&api).await.0, 200);
}

#[tokio::test]
async fn a_rule_chooses_faults_by_event() {
    let api = EventApi::start().await;
    api.fault_when_event(|event| (event.name == "p/b").then(|| Fault::refuse("no b today")));
    let (status, body) = send(&api).await;
    assert_eq!((status, body["ids"].as_array().unwrap().len()), (400, 1));
    assert_eq!(body["error"], "no b today");
    let names: Vec<_> = api.events().into_iter().map(|event| event.name).collect();
    assert_eq!(names, ["p/a"]);

    // The index counts from the event passed to the rule.
    api.fault_when_event(|event| (event.name == "p/b").then(|| Fault::fail_at(1)));
    assert_eq!(send(&api).await.1["ids"].as_array().unwrap().len(), 2);
    api.fault_when_event(|event| (event.name == "p/b").then(|| Fault::fail_at(2)));
    assert_eq!(send(&api).await.0, 200);

    api.clear();
    api.fault_when_event(|event| (event.name == "p/c").then(|| Fault::status(503)));
    assert_eq!(send(&api).await.0, 503);
    assert!(api.events().is_empty());
    api.fault_when(|_| Some(Fault::status(502)));
    api.fail_next(Fault::status(501));
    assert_eq!([send(&api).await.0, send(&api).await.0], [501, 502]);
    api.clear_faults();
    assert_eq!(send(&api).await.0, 200);
}

#[tokio::test]
async fn a_rule_by_event_receives_events_as_they_are_stored() {
    let api = EventApi::start().await;
    let (sender, passed) = std::sync::mpsc::channel();
    api.fault_when_event(move |event| {
        sender.send(event.clone()).unwrap();
        None
    });
    assert_eq!(send(&api).await.0, 200);
    assert_eq!(passed.try_iter().collect::<Vec<_>>(), api.events());
}
