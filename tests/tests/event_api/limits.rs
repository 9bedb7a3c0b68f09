//! What a client may use of the server: the size of a body, and the time to send a request.

use std::time::{Duration, Instant};

use inngest_core::testing::EventApi;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::post;

const TIMEOUT: Duration = Duration::from_millis(50);

/// Returns one event whose JSON has `bytes` bytes.
fn event_of_bytes(bytes: usize) -> Value {
    let event = |note: &str| json!({ "name": "p/a", "data": { "note": note } });
    event(&"x".repeat(bytes - event("").to_string().len()))
}

/// Sends `text` on a new connection, and returns what the server sends until it closes the connection.
async fn exchange(api: &EventApi, text: &str) -> String {
    let mut stream = TcpStream::connect(api.address()).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    let read = stream.read_to_end(&mut received);
    tokio::time::timeout(Duration::from_secs(5), read).await.expect("a closed connection").ok();
    String::from_utf8(received).unwrap()
}

#[tokio::test]
async fn a_body_larger_than_the_limit_gets_a_413_and_is_not_kept() {
    let api = EventApi::start().await;
    api.max_body_bytes(1_000);
    assert_eq!(post(&api, &event_of_bytes(1_000)).await["status"], 200);
    let too_large = json!({ "status": 413, "message": "", "error": "Payload Too Large" });
    assert_eq!(post(&api, &event_of_bytes(1_001)).await, too_large);
    assert_eq!(post(&api, &event_of_bytes(5_000_000)).await, too_large);
    assert_eq!(api.events().len(), 1);
    let sizes: Vec<usize> = api.requests().iter().map(|request| request.body.len()).collect();
    assert_eq!(sizes, [1_000, 0, 0]);
}

#[tokio::test]
async fn by_default_a_body_has_at_most_32_mib() {
    let api = EventApi::start().await;
    let max = 32 << 20;
    // The Event API parses it, and answers with its own limit for one event.
    assert_eq!(post(&api, &event_of_bytes(max)).await["status"], 400);
    assert_eq!(post(&api, &event_of_bytes(max + 1)).await["status"], 413);
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_headers_is_disconnected() {
    let api = EventApi::start().await;
    api.read_timeout(TIMEOUT);
    for beginning in ["", "POST /e/test HTTP/1.1\r\nhost: a\r\n"] {
        let start = Instant::now();
        exchange(&api, beginning).await;
        assert!(start.elapsed() >= TIMEOUT, "{:?}", start.elapsed());
    }
    assert!(api.requests().is_empty());
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_body_gets_a_408_and_is_disconnected() {
    let api = EventApi::start().await;
    api.read_timeout(TIMEOUT);
    let start = Instant::now();
    let event = r#"[{"name":"p/a"},"#;
    let head = "POST /e/test HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n";
    let response = exchange(&api, &format!("{head}{event}")).await;
    assert!(start.elapsed() >= TIMEOUT, "{:?}", start.elapsed());
    assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
    assert!(api.events().is_empty());
    assert_eq!(api.requests().len(), 1);
}

#[tokio::test]
async fn a_client_that_is_fast_enough_keeps_its_connection() {
    let api = EventApi::start().await;
    api.read_timeout(Duration::from_secs(5));
    let mut stream = TcpStream::connect(api.address()).await.unwrap();
    let event = r#"{"name":"p/a"}"#;
    for _ in 0..3 {
        let head = "POST /e/test HTTP/1.1\r\nhost: a\r\ncontent-length: 14\r\n\r\n";
        stream.write_all(format!("{head}{event}").as_bytes()).await.unwrap();
        let mut response = [0; 15];
        stream.read_exact(&mut response).await.unwrap();
        assert_eq!(&response, b"HTTP/1.1 200 OK");
        let mut rest = [0; 1_000];
        assert!(stream.read(&mut rest).await.unwrap() > 0);
    }
    assert_eq!(api.events().len(), 3);
}
