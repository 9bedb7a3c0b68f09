//! How it misbehaves: as a test asks it to, and only then.

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

/// A batch of three.
fn post(api: &EventApi) -> reqwest::RequestBuilder {
    let events = json!([{"name": "p/a"}, {"name": "p/b"}, {"name": "p/c"}]);
    client().post(format!("{}/e/test", api.url())).body(events.to_string())
}

async fn answer(api: &EventApi) -> (u16, Value) {
    let response = post(api).send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

#[tokio::test]
async fn a_status_refuses_the_events() {
    let api = EventApi::start().await;
    api.fail_next_n(2, Fault::status(503));
    api.fail_next(
        Fault::status(429).retry_after("Fri, 07 Nov 2036 08:49:37 GMT").body("slow down"),
    );
    let unavailable = json!({"status": 503, "message": "", "error": "Service Unavailable"});
    assert_eq!(answer(&api).await, (503, unavailable.clone()));
    assert_eq!(answer(&api).await, (503, unavailable));

    let response = post(&api).send().await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "Fri, 07 Nov 2036 08:49:37 GMT");
    assert_eq!(response.text().await.unwrap(), "slow down");

    assert!(api.events().is_empty());
    assert_eq!(answer(&api).await.0, 200);
    assert_eq!((api.events().len(), api.requests().len()), (3, 4));
}

#[tokio::test]
async fn a_status_may_come_although_the_events_were_accepted() {
    let api = EventApi::start().await;
    api.fail_next(Fault::status(504).after_accepting());
    assert_eq!(answer(&api).await.0, 504);
    assert_eq!(api.events().len(), 3);
}

#[tokio::test]
async fn a_redirect_has_a_location_and_html_has_its_type() {
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
async fn a_connection_is_dropped_before_reading_and_before_the_answer() {
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
async fn a_connection_is_dropped_in_the_middle_of_the_answer() {
    let api = EventApi::start().await;
    api.fail_next(Fault::drop_within_answer());
    let mut response = post(&api).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let announced = response.content_length().unwrap();
    let beginning = response.chunk().await.unwrap().unwrap();
    assert!(beginning.starts_with(b"{\"ids\":[\"") && (beginning.len() as u64) < announced);
    assert!(response.chunk().await.is_err());
    assert_eq!(api.events().len(), 3);
}

#[tokio::test]
async fn the_server_fails_at_an_event_once() {
    let api = EventApi::start().await;
    api.fail_next(Fault::fail_at(2));
    api.fail_next(Fault::fail_at(0));
    let (status, body) = answer(&api).await;
    assert_eq!((status, body["ids"].as_array().unwrap().len()), (400, 2));
    assert_eq!(body["status"], 400);
    assert!(body["error"].is_string());
    assert_eq!(answer(&api).await.1["ids"], json!([""]));
    assert_eq!(api.events().len(), 2);
    assert_eq!(answer(&api).await.0, 200);
}

#[tokio::test]
async fn ids_are_missing_or_empty() {
    let api = EventApi::start().await;
    api.fail_next(Fault::missing_ids(1));
    api.fail_next(Fault::missing_ids(9));
    api.fail_next(Fault::empty_ids());
    assert_eq!(answer(&api).await.1["ids"].as_array().unwrap().len(), 2);
    assert_eq!(answer(&api).await.1["ids"], json!([]));
    assert_eq!(answer(&api).await.1["ids"], json!(["", "", ""]));
    assert_eq!(api.events().len(), 9);
}

#[tokio::test]
async fn an_answer_may_be_of_any_size() {
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
async fn an_answer_is_late_or_never_comes() {
    let api = EventApi::start().await;
    api.fail_next(Fault::delay(Duration::from_millis(30)));
    let start = Instant::now();
    assert_eq!(answer(&api).await.0, 200);
    assert!(start.elapsed() >= Duration::from_millis(30));

    api.fail_next(Fault::hang().after_accepting());
    let error = post(&api).timeout(Duration::from_millis(50)).send().await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(api.events().len(), 6);
}

#[tokio::test]
async fn a_rule_decides_by_the_request_where_nothing_is_queued() {
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
    assert_eq!(answer(&api).await.0, 200);
}

#[tokio::test]
async fn a_rule_decides_by_the_event() {
    let api = EventApi::start().await;
    api.fault_when_event(|event| (event.name == "p/b").then(|| Fault::refuse("no b today")));
    let (status, body) = answer(&api).await;
    assert_eq!((status, body["ids"].as_array().unwrap().len()), (400, 1));
    assert_eq!(body["error"], "no b today");
    let names: Vec<_> = api.events().into_iter().map(|event| event.name).collect();
    assert_eq!(names, ["p/a"]);

    // Counted from the event that was asked about.
    api.fault_when_event(|event| (event.name == "p/b").then(|| Fault::fail_at(1)));
    assert_eq!(answer(&api).await.1["ids"].as_array().unwrap().len(), 2);
    api.fault_when_event(|event| (event.name == "p/b").then(|| Fault::fail_at(2)));
    assert_eq!(answer(&api).await.0, 200);

    api.clear();
    api.fault_when_event(|event| (event.name == "p/c").then(|| Fault::status(503)));
    assert_eq!(answer(&api).await.0, 503);
    assert!(api.events().is_empty());
    api.fault_when(|_| Some(Fault::status(502)));
    api.fail_next(Fault::status(501));
    assert_eq!([answer(&api).await.0, answer(&api).await.0], [501, 502]);
    api.clear_faults();
    assert_eq!(answer(&api).await.0, 200);
}

#[tokio::test]
async fn a_rule_by_event_sees_the_event_as_it_is_stored_then() {
    let api = EventApi::start().await;
    let (asked, seen) = std::sync::mpsc::channel();
    api.fault_when_event(move |event| {
        asked.send(event.clone()).unwrap();
        None
    });
    assert_eq!(answer(&api).await.0, 200);
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), api.events());
}
