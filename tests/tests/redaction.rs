//! Promise 8 in detail: the key in every form in which a server can quote it.
#![allow(clippy::result_large_err, reason = "an error hands the events back")]

use std::error::Error;

use inngest_core::{Client, EventId, RequestError, RetryPolicy, SendError};
use inngest_tests::{ItemViewed, Script, Step};
use proptest::prelude::*;
use tokio::runtime;

/// Sends one event with `key` to a server that responds with `status` and `body`.
fn send(key: &str, status: u16, body: &str) -> Result<EventId, SendError> {
    let script = Script::new(vec![Step::respond(status, body); 9]);
    let builder = script.builder().event_key(key).retry(RetryPolicy::none());
    let client = builder.build().expect("a client");
    let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(client.send(ItemViewed::number(1)))
}

/// The server's message in the error of a refused request.
fn message(key: &str, body: &str) -> String {
    match send(key, 418, body).expect_err("a refusal").cause() {
        Some(RequestError::Refused { message, .. }) => message.clone(),
        other => panic!("{other:?}"),
    }
}

fn id(key: &str, id: &str) -> String {
    let body = serde_json::json!({ "ids": [id], "status": 200 });
    send(key, 200, &body.to_string()).expect("an id").into()
}

/// Everything that an error and its sources print.
fn printed(error: &(dyn Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |&error| error.source());
    let texts: Vec<String> = chain.map(|it| format!("{it}\n{it:?}\n{it:#?}")).collect();
    texts.join("\n")
}

/// Decodes and lower-cases a text, independently of the client.
fn normalized(text: &str) -> String {
    let mut decoded = Vec::new();
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        let escaped = match after {
            [high, low, ..]
                if *byte == b'%' && [high, low].iter().all(|it| it.is_ascii_hexdigit()) =>
            {
                u8::from_str_radix(&String::from_utf8_lossy(&after[..2]), 16).ok()
            }
            _ => None,
        };
        decoded.push(escaped.unwrap_or(*byte));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&decoded).to_ascii_lowercase()
}

/// One character in the form number `form`: as it is, in another case, or percent-encoded.
fn in_form(c: char, form: u8) -> String {
    let lower = c.to_ascii_lowercase();
    match form % 6 {
        0 => c.to_string(),
        1 => lower.to_string(),
        2 => c.to_ascii_uppercase().to_string(),
        3 => format!("%{:02X}", u32::from(c)),
        4 => format!("%{:02x}", u32::from(c)),
        _ => format!("%{:02x}", u32::from(lower)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn no_form_of_the_key_is_printed_wherever_the_server_quotes_it(
        key in "[A-Za-z0-9._~$&'()+,;=:@!-]{5,40}",
        forms in prop::collection::vec(any::<u8>(), 40),
        before in "[a-z /%0-9A-F\"{}ü]{0,40}",
        after in "[a-z /%0-9A-F\"{}ü]{0,40}",
        status in prop::sample::select(vec![400_u16, 401, 403, 404, 413, 418, 429, 503]),
        as_json in any::<bool>(),
    ) {
        let quoted: String = key.chars().zip(&forms).map(|(c, form)| in_form(c, *form)).collect();
        let text = format!("{before}{quoted}{after}{quoted}");
        let body = if as_json {
            serde_json::json!({ "ids": [""], "status": status, "error": text }).to_string()
        } else {
            text
        };
        let error = send(&key, status, &body).expect_err("an error");
        let printed = normalized(&printed(&error));
        prop_assert!(!printed.contains(&key.to_ascii_lowercase()), "{printed}");
    }
}

#[test]
fn every_form_of_the_key_is_replaced() {
    for quoted in [
        "s3cr3t:K3y!",
        "S3CR3T:K3Y!",
        "s3cr3t:k3y!",
        "s3cr3t%3AK3y%21",
        "s3cr3t%3ak3y!",
        "%73%33%63%72%33%74%3A%4B%33%79%21",
        "s3cr3t:%4b3y!",
    ] {
        let text = format!("Cannot POST /e/{quoted}: gone, 100%");
        assert_eq!(message("s3cr3t:K3y!", &text), "Cannot POST /e/***: gone, 100%", "{quoted}");
    }
}

#[test]
fn messages_are_cut_after_the_key_was_replaced() {
    let text = |before: usize| format!("{}s3cr3t-k3y and more", "x".repeat(before));
    assert_eq!(message("s3cr3t-k3y", &text(495)), format!("{}*** a", "x".repeat(495)));
    assert_eq!(message("s3cr3t-k3y", &text(498)), format!("{}**", "x".repeat(498)));
}

#[test]
fn a_cut_body_does_not_end_with_a_beginning_of_the_key() {
    // Long enough that the end of a cut body is still within a message of 500 characters.
    let key = "0123456789abcdefghijklm".repeat(87);
    for offset in 0..30 {
        let body = format!("{}{}", ".".repeat(offset * 97), key.repeat(60));
        let message = message(&key, &body);
        let end = message.trim_start_matches('.');
        assert!(end.chars().all(|c| c == '*'), "{offset}: {message}");
    }
}

#[test]
fn a_key_in_an_event_id_is_replaced() {
    for (given, expected) in [
        ("s3cr3t-k3y", "***"),
        ("/e/s3cr3t-k3y/1", "/e/***/1"),
        ("/e/S3CR3T%2dK3y/1", "/e/***/1"),
        ("evt-s3cr3t", "evt-s3cr3t"),
    ] {
        assert_eq!(id("s3cr3t-k3y", given), expected);
    }
    // A key in the form of a ULID.
    let key = "01HF7YAT00ABCDEFGHJKMNPQRS";
    assert_eq!(id(key, key), "***");
    assert_eq!(id(&key.to_lowercase(), key), "***");
}

#[test]
fn a_ulid_in_which_a_short_key_occurs_is_not_changed() {
    let ulid = "01HF7YAT00TESTFGHJKMNPQRST";
    for key in ["01", "test", "TEST", "01HF7YAT00", "01HF7YAT00TESTF"] {
        assert_eq!(id(key, ulid), ulid, "{key}");
        assert_eq!(id(key, &ulid.to_lowercase()), ulid.to_lowercase(), "{key}");
    }
    // It is when it cannot be chance, and in any other id.
    assert_eq!(id("01HF7YAT00TESTFG", ulid), "***HJKMNPQRST");
    assert_eq!(id("test", "latest-event"), "la***-event");
}

#[test]
fn a_builder_prints_no_secret_of_its_base_url() {
    for url in [
        "https://inn.gs/e/s3cr3t-k3y",
        "https://inn.gs/E/s3cr3t-k3y?a=b",
        "https://inn.gs/%65/s3cr3t-k3y",
        "https://inn.gs?key=s3cr3t-k3y",
        "https://inn.gs/#s3cr3t-k3y",
        "https://s3cr3t-k3y@inn.gs",
        "https://user:s3cr3t-k3y@inn.gs",
        "inn.gs/e/s3cr3t-k3y",
        "s3cr3t-k3y",
    ] {
        let builder = Client::builder().no_env().dev(true).base_url(url);
        let error = builder.clone().build().err();
        let printed = format!("{builder:?} {builder:#?} {error:?} {error:#?}");
        assert!(!printed.contains("s3cr3t"), "{url}: {printed}");
    }
    let builder = Client::builder().base_url("http://localhost:8288");
    assert!(format!("{builder:?}").contains("\"http://localhost:8288\""), "{builder:?}");
}
