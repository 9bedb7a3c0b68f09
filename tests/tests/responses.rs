//! Promise 7, and which 400 counts as a partial acceptance: what the client concludes from a response.

use std::time::Duration;

use inngest_core::testing::{EventApi, Fault};
use inngest_core::{BatchError, Client, RequestError};
use inngest_tests::{ItemViewed, Script, Step};

/// The ids of the events that a scripted server accepts, of two, with the response `body`.
async fn sent_two(status: u16, body: &str) -> (Result<Vec<String>, BatchError>, Script) {
    let script = Script::new([Step::respond(status, body)]);
    let sent = script.client().send_all(ItemViewed::many(2)).await;
    (sent.map(|ids| ids.into_iter().map(String::from).collect()), script)
}

#[tokio::test]
async fn an_invalid_response_is_an_error_that_says_what_is_wrong() {
    let body = |text: &str| Fault::status(200).body(text);
    for (what, fault, says) in [
        ("HTML", Fault::html(), "it is an HTML page: does the base URL lead to Inngest?"),
        ("nothing", body(""), "it is empty"),
        ("other JSON", body(r#"{"ok":true}"#), "its body has no `status`, not 200"),
        ("an array", body("[]"), "it is not Inngest's JSON"),
        (
            "another status",
            body(r#"{"ids":["a"],"status":201}"#),
            "its body has `status` 201, not 200",
        ),
        ("no ids", body(r#"{"status":200}"#), "it has 0 ids, for 1 events"),
        ("an empty id", body(r#"{"ids":[""],"status":200}"#), "it has 1 ids, 1 of them blank"),
        ("two ids", body(r#"{"ids":["a","b"],"status":200}"#), "it has 2 ids, for 1 events"),
        ("null ids", body(r#"{"ids":null,"status":200}"#), "it has 0 ids"),
        ("not JSON", body("ok"), "it is not Inngest's JSON"),
        ("100 MB", Fault::answer_of_bytes(100 << 20), "it is longer than a valid response"),
        ("a redirect", Fault::redirect("/e/"), "it redirects to another URL"),
        ("204", Fault::status(204).body(""), "it is empty"),
        (
            "400 for all",
            Fault::status(400).body(r#"{"ids":["a"],"status":400,"error":"no"}"#),
            "it has an id for every event, but also the error: no",
        ),
    ] {
        let api = EventApi::start().await;
        api.fail_next(fault);
        let error = api.client().send(ItemViewed::number(0)).await.expect_err(what);
        let Some(RequestError::InvalidResponse { problem, .. }) = error.cause() else {
            panic!("{what}: {error:?}");
        };
        assert!(problem.contains(says), "{what}: {problem}");
        assert!(!error.is_retryable());
        assert_eq!(api.requests().len(), 1, "{what} is not asked for twice");
    }
}

#[tokio::test(start_paused = true)]
async fn ids_that_are_blank_repeated_or_not_one_per_event_are_not_believed() {
    for (ids, problem) in [
        (r#""a","""#, "it has 2 ids, 1 of them blank"),
        (r#"" ","b""#, "it has 2 ids, 1 of them blank"),
        (r#""\t\r\n","\u00a0""#, "it has 2 ids, 2 of them blank"),
        (r#""                          ","b""#, "it has 2 ids, 1 of them blank"),
        (r#""a","a""#, "it has 2 ids, some of them equal"),
        (r#""01HF7YAT000000000000000001","01HF7YAT000000000000000001""#, "some of them equal"),
        (r#""a""#, "it has 1 ids, for 2 events"),
        (r#""a","b","c""#, "it has 3 ids, for 2 events"),
        (r#""a","b","""#, "it has 3 ids, for 2 events"),
    ] {
        let (sent, script) = sent_two(200, &format!(r#"{{"ids":[{ids}],"status":200}}"#)).await;
        let error = sent.expect_err(ids);
        assert_eq!(error.unsent(), [0, 1], "{ids}");
        let cause = error.causes().next().expect("a cause");
        assert!(matches!(cause, RequestError::InvalidResponse { status: 200, .. }), "{cause:?}");
        assert!(cause.to_string().contains(problem), "{ids}: {cause}");
        assert_eq!(script.requests().len(), 1, "{ids}: not retried");
    }
}

#[tokio::test(start_paused = true)]
async fn an_array_is_no_response_of_inngest_whatever_is_in_it() {
    // serde reads a struct also from an array of its fields.
    for (status, body) in [
        (200, r#"[["a","b"],200]"#),
        (200, r#" [["a","b"],200,null,null]"#),
        (400, r#"[["a"],400,"bad"]"#),
    ] {
        let (sent, script) = sent_two(status, body).await;
        let error = sent.expect_err(body);
        assert_eq!((error.unsent(), error.accepted().len()), (&[0, 1][..], 0), "{body}");
        assert_eq!(script.requests().len(), 1, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn different_ids_are_believed_in_any_order() {
    for ids in [["a", "b"], ["b", "a"], ["b", "B"]] {
        let body = serde_json::json!({ "ids": ids, "status": 200 });
        let (sent, _) = sent_two(200, &body.to_string()).await;
        assert_eq!(sent.expect("ids"), ids);
    }
}

#[tokio::test(start_paused = true)]
async fn the_ids_of_a_400_are_checked_as_far_as_they_count() {
    let partial = |ids: &str| format!(r#"{{"ids":[{ids}],"status":400,"error":"bad"}}"#);
    for (ids, problem) in [
        (r#""a","b""#, "it has an id for every event, but also the error: bad"),
        (r#""a","b","""#, "it has 3 ids, for 2 events: bad"),
        (r#""","","""#, "it has 3 ids, for 2 events: bad"),
        (r#""","b""#, "it has an id after a blank one, and the error: bad"),
    ] {
        let (sent, _) = sent_two(400, &partial(ids)).await;
        let error = sent.expect_err(ids);
        assert_eq!((error.unsent(), error.rejected().len()), (&[0, 1][..], 0), "{ids}");
        let cause = error.causes().next().expect("a cause");
        assert!(matches!(cause, RequestError::InvalidResponse { status: 400, .. }), "{cause:?}");
        assert!(cause.to_string().contains(problem), "{ids}: {cause}");
    }

    let script = Script::new([Step::respond(400, &partial(r#""a","a","""#))]);
    let error = script.client().send_all(ItemViewed::many(3)).await.expect_err("repeated ids");
    assert_eq!((error.unsent(), error.accepted().len()), (&[0, 1, 2][..], 0));
    let text = error.to_string();
    assert!(text.contains("it has 2 ids, some of them equal, and the error: bad"), "{text}");

    // A blank id ends the list.
    for ids in [r#""first","""#, r#""first","  ""#, r#""first""#] {
        let (sent, script) = sent_two(400, &partial(ids)).await;
        assert_eq!(sent.expect(ids)[0], "first");
        assert_eq!(script.requests()[1].numbers, [1], "{ids}");
    }
}

#[tokio::test]
async fn a_400_without_ids_is_one_refused_request_and_rejects_no_event() {
    for body in [
        r#"{"error":"Bad Request"}"#,
        r#"{"status":400,"error":"Bad Request","ids":null}"#,
        r#"{"status":400,"error":"Bad Request","ids":"none"}"#,
        "Bad Request",
    ] {
        let api = EventApi::start().await;
        let fault = Fault::status(400).body(body);
        api.fault_when(move |_| Some(fault.clone()));
        let error = api.client().send_all(ItemViewed::many(200)).await.expect_err("a refusal");
        assert!(error.rejected().is_empty() && error.unsent().len() == 200, "{body}: {error}");
        for cause in error.causes() {
            let RequestError::Refused { status: 400, message } = cause else {
                panic!("{body}: {cause:?}");
            };
            assert!(message.contains("Bad Request"), "{message}");
        }
        assert_eq!(api.requests().len(), 1, "{body}");
        api.clear_faults();
        api.client().send_batch(&error.into_unsent()).await.expect("ids");
        assert_eq!(api.events().len(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_of_any_length_or_with_a_fraction_is_waited_for() {
    for (value, at_least) in [("2", 2), ("1.01", 2), ("0.5", 1), ("3.0", 3)] {
        let script = Script::new([Step::retry_after(503, value)]);
        script.client().send(ItemViewed::number(1)).await.expect(value);
        let waited = script.requests()[1].elapsed;
        assert!(waited >= Duration::from_secs(at_least), "{value}: {waited:?}");
    }
    for value in ["18446744073709551616", "99999999999999999999999999999.9", "4294967296"] {
        let script = Script::new([Step::retry_after(503, value)]);
        let error = script.client().send(ItemViewed::number(1)).await.expect_err(value);
        let Some(RequestError::RetryAfterTooLong { wait, .. }) = error.cause() else {
            panic!("{value}: {error:?}");
        };
        assert!(*wait > Duration::from_secs(1 << 31), "{value}: {wait:?}");
        assert_eq!(script.requests().len(), 1, "{value}");
    }
}

#[tokio::test]
async fn the_response_to_the_largest_request_is_read_whole() {
    let api = EventApi::start().await;
    let client = Client::builder().no_env().dev(true).base_url(api.url());
    let client = client.max_request_bytes(1 << 20).build().expect("a client");
    let ids = client.send_all(ItemViewed::many(5_000)).await.expect("5,000 ids");
    assert_eq!(ids.len(), 5_000);
    assert_eq!(api.requests().len(), 1);
}

#[tokio::test]
async fn a_response_can_have_kilobytes_more_than_the_ids() {
    let more = "x".repeat(60_000);
    let body = format!(r#"{{"ids":["a","b"],"status":200,"more":"{more}"}}"#);
    assert_eq!(sent_two(200, &body).await.0.expect("two ids"), ["a", "b"]);
}
