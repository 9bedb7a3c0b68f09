//! A batch can be looked at, stored, read back and sent: without duplicates, and with the doubt about its events.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use inngest_core::testing::{EventApi, Fault};
use inngest_core::{Batch, BatchEvent, Event, EventId, RequestError, RetryPolicy, batch};
use inngest_tests::{CheckoutCompleted, ItemViewed, Judge, Ruling};
use serde_json::{Value, json};

fn views(count: u32) -> Batch {
    Batch::try_from_iter(ItemViewed::many(count)).expect("a batch")
}

fn through_json(batch: &Batch) -> Batch {
    let json = serde_json::to_string(batch).expect("JSON");
    serde_json::from_str(&json).expect("a stored batch")
}

fn through_postcard(batch: &Batch) -> Batch {
    let bytes = postcard::to_allocvec(batch).expect("bytes");
    postcard::from_bytes(&bytes).expect("a stored batch")
}

/// Returns the name, the dedup id and the JSON of each event.
fn contents(batch: &Batch) -> Vec<(String, Option<String>, String)> {
    let events = batch.events().map(|event| {
        let dedup_id = event.dedup_id().map(Cow::into_owned);
        (event.name().to_owned(), dedup_id, event.json().to_owned())
    });
    events.collect()
}

#[test]
fn the_events_of_a_batch_have_a_name_a_dedup_id_and_json() {
    let checkout = CheckoutCompleted::of("c1");
    let quoted = Event::new(ItemViewed::number(7)).id("an \"id\"");
    let batch = batch![&checkout, quoted, ItemViewed::number(8)].expect("a batch");
    let events: Vec<_> = batch.events().collect();
    assert_eq!(batch.events().len(), 3);
    let names: Vec<&str> = events.iter().map(BatchEvent::name).collect();
    let viewed = "storefront/item.viewed";
    assert_eq!(names, ["storefront/cart.checkout.completed", viewed, viewed]);
    assert_eq!(events[0].dedup_id().as_deref(), Some("cart-checkout-completed-c1"));
    assert_eq!(events[1].dedup_id().as_deref(), Some("an \"id\""));
    assert_eq!(events[2].dedup_id(), None);
    let json: Value = serde_json::from_str(events[2].json()).expect("JSON");
    assert_eq!(json, json!({ "name": viewed, "data": { "number": 8, "note": "" } }));
    // Payloads may contain personal data.
    assert_eq!(format!("{:?}", events[1]), "BatchEvent { name: \"storefront/item.viewed\", .. }");
}

#[test]
fn a_batch_keeps_its_events_in_json_and_in_formats_that_are_not_self_describing() {
    let mut batch = batch![&CheckoutCompleted::of("c1"), ItemViewed::number(7)].expect("a batch");
    batch.append(views(3));
    batch
        .push(ItemViewed { number: 8, note: "\"\u{1F6D2}\n\u{2028}".to_owned() })
        .expect("an event");
    for restored in [
        through_json(&batch),
        through_postcard(&batch),
        through_json(&through_postcard(&batch)),
        serde_json::from_reader(&serde_json::to_vec(&batch).expect("JSON")[..]).expect("a batch"),
        serde_json::from_value(serde_json::to_value(&batch).expect("JSON")).expect("a batch"),
    ] {
        assert_eq!(contents(&restored), contents(&batch));
        assert_eq!((restored.len(), restored.bytes()), (batch.len(), batch.bytes()));
    }
    assert!(through_json(&Batch::new()).is_empty());
    assert!(through_postcard(&Batch::new()).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_restored_batch_and_its_original_keep_their_ids_and_can_both_grow() {
    let judge = Judge::new(|_| Ruling::Accept);
    let client = judge.client();
    let mut original = views(5);
    original.append(Batch::try_from_iter((10..15).map(ItemViewed::number)).expect("a batch"));
    let mut restored = through_json(&original);
    let mut again = through_postcard(&restored);
    for (batch, number) in [(&mut original, 20), (&mut restored, 21), (&mut again, 22)] {
        batch.push(ItemViewed::number(number)).expect("an event");
    }
    let first = client.send_batch(&original).await.expect("ids");
    for batch in [&restored, &again, &through_json(&again)] {
        let ids = client.send_batch(batch).await.expect("ids");
        assert_eq!(ids[..10], first[..10]);
    }
    judge.assert_identities();
    let numbers: BTreeSet<u64> = (0..5).chain(10..15).chain(20..23).collect();
    assert_eq!(judge.accepted(), numbers);
}

#[test]
fn a_batch_that_is_stored_again_and_again_takes_no_more_space() {
    let (mut batch, mut empty) = (views(3), Batch::new());
    batch.append(views(2));
    let size = |batch: &Batch| serde_json::to_string(batch).expect("JSON").len();
    let (expected, of_empty) = (size(&batch), size(&empty));
    for _ in 0..3 {
        batch = through_postcard(&through_json(&batch));
        empty = through_postcard(&through_json(&empty));
        assert_eq!((size(&batch), size(&empty)), (expected, of_empty));
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_contains_an_event_twice_can_be_stored() {
    let judge = Judge::new(|_| Ruling::Respond(503, ""));
    let mut batch = views(3);
    let client = judge.client().with_retry(RetryPolicy::none());
    let error = client.send_batch(&batch).await.expect_err("a server that is down");
    batch.append(error.into_unsent());
    let restored = through_json(&batch);
    assert_eq!(restored.len(), 6);
    judge.ruling(|_| Ruling::Accept).client().send_batch(&restored).await.expect("ids");
    judge.assert_identities();
}

#[tokio::test(start_paused = true)]
async fn doubt_about_an_event_survives_storage() {
    type Store = fn(&Batch) -> Batch;
    for store in
        [through_json as Store, through_postcard, |batch| through_json(&through_json(batch))]
    {
        // The answer to the request with 0 and 1 is lost. 2 was not sent.
        let judge = Judge::new(|request| match request.numbers[0] {
            0 => Ruling::Lose(2),
            _ => Ruling::Fail(inngest_core::testing::TransportFault::Connect),
        });
        let builder = judge.builder().max_request_events(2).retry(RetryPolicy::none());
        let client = builder.build().expect("a client");
        let error = client.send_all(ItemViewed::many(3)).await.expect_err("two failures");
        let restored = store(&error.into_unsent());

        let refusing = judge.ruling(|_| Ruling::StopAt(0)).client();
        let error = refusing.send_batch(&restored).await.expect_err("400");
        assert_eq!(error.unsent(), [0, 1]);
        assert!(error.causes().all(|cause| matches!(cause, RequestError::InDoubt { .. })));
        let rejected: Vec<usize> = error.rejected().iter().map(|(index, _)| *index).collect();
        assert_eq!(rejected, [2]);
    }
}

/// Returns the error of reading a stored batch of two events after `damage`.
fn error_after(damage: impl Fn(&mut Value)) -> String {
    let mut stored = serde_json::to_value(views(2)).expect("JSON");
    damage(&mut stored);
    let read = serde_json::from_str::<Batch>(&stored.to_string());
    read.expect_err("a damaged batch").to_string()
}

#[test]
fn a_stored_batch_of_another_format_version_is_an_error() {
    let text =
        "a stored batch of format 2 cannot be read; this version of inngest-core reads format 1";
    // Other fields may be different in another version.
    for stored in [r#"{"format":2,"bodies":["x"]}"#, r#"{"format":2,"seeds":7,"events":{}}"#] {
        let error = serde_json::from_str::<Batch>(stored).expect_err("another format").to_string();
        assert!(error.starts_with(text), "{error}");
    }
    let error = error_after(|stored| stored["format"] = json!(2));
    assert!(error.starts_with(text), "{error}");
    let mut bytes = postcard::to_allocvec(&views(2)).expect("bytes");
    assert_eq!(bytes[0], 1);
    bytes[0] = 2;
    postcard::from_bytes::<Batch>(&bytes).expect_err("another format");
}

#[test]
fn a_damaged_batch_is_an_error_that_says_what_is_damaged() {
    let event =
        |json: &'static str| move |stored: &mut Value| stored["events"][1]["json"] = json!(json);
    let damaged = |problem: &str| format!("the stored batch is damaged: {problem}");
    let cases: [(String, String); 14] = [
        (error_after(|it| it["seeds"][0] = json!("1,AAAA")), damaged("seed 0 is malformed")),
        (error_after(|it| it["seeds"][0] = json!("")), damaged("seed 0 is malformed")),
        (
            error_after(|it| it["seeds"] = json!([])),
            damaged("event 0 refers to a seed that is missing"),
        ),
        (
            error_after(|it| it["events"][1]["seed"] = json!(1)),
            damaged("event 1 refers to a seed that is missing"),
        ),
        (
            error_after(|it| it["events"][1]["place"] = json!(0)),
            damaged("event 1 has the same seed and place as another event"),
        ),
        (
            error_after(|it| {
                let seed = it["seeds"][0].clone();
                it["seeds"] = json!([seed, seed]);
                it["events"][1]["seed"] = json!(1);
                it["events"][1]["place"] = json!(0);
            }),
            damaged("event 1 has the same seed and place as another event"),
        ),
        (
            error_after(event(r#"{"name":"a/b","data":{"#)),
            damaged("event 1 is not an event: EOF while parsing"),
        ),
        (
            error_after(event(r#"{"name":"a/b","data":{}},{"name":"a/c","data":{}}"#)),
            damaged("event 1 is not an event: trailing characters"),
        ),
        (
            error_after(event(r#"{"name":"a b","data":{}}"#)),
            damaged("event 1 has an invalid name: event names have no white space"),
        ),
        (
            error_after(event(r#"{"name":"inngest/a","data":{}}"#)),
            damaged("event 1 has an invalid name: names starting with `inngest/` are reserved"),
        ),
        (
            error_after(event(r#"{"data":{}}"#)),
            damaged("event 1 is not an event: missing field `name`"),
        ),
        (
            error_after(event(r#"{"name":"a/b","data":[]}"#)),
            damaged("event 1 is not an event: invalid type: sequence, expected an object"),
        ),
        (error_after(|it| drop(it["events"][1]["place"].take())), "invalid type: null".to_owned()),
        (
            error_after(|it| drop(it.as_object_mut().expect("an object").remove("seeds"))),
            "missing field `seeds`".to_owned(),
        ),
    ];
    for (error, expected) in cases {
        assert!(error.starts_with(&expected), "{error}\nis not\n{expected}");
    }
    let error = serde_json::from_str::<Batch>("[]").expect_err("no object").to_string();
    assert!(error.contains("a stored batch"), "{error}");
}

#[test]
fn two_events_with_one_id_are_an_error_also_if_their_seeds_are_written_differently() {
    let error = error_after(|stored| {
        let seed = stored["seeds"][0].as_str().expect("a seed").to_owned();
        stored["seeds"] = json!([seed, format!("+{seed}"), format!("0{seed}")]);
        stored["events"][1]["seed"] = json!(2);
        stored["events"][1]["place"] = json!(0);
    });
    let problem = "event 1 has the same seed and place as another event";
    assert_eq!(error, format!("the stored batch is damaged: {problem}"));
}

#[test]
fn a_truncated_batch_is_an_error_at_every_length() {
    let json = serde_json::to_string(&views(2)).expect("JSON");
    for length in 0..json.len() {
        serde_json::from_str::<Batch>(&json[..length]).expect_err("a truncated batch");
    }
    let bytes = postcard::to_allocvec(&views(2)).expect("bytes");
    for length in 0..bytes.len() {
        postcard::from_bytes::<Batch>(&bytes[..length]).expect_err("a truncated batch");
    }
}

/// Runs the program that sends what it stored, and returns what it prints.
fn run_resender(api: &EventApi, stored: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_resender"));
    command.env("INNGEST_DEV", api.url()).env("STORED_BATCH", stored);
    let output = command.output().expect("the program runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("Unicode")
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_were_stored_at_shutdown_are_sent_after_the_restart_without_duplicates() {
    let stored = Path::new(env!("CARGO_TARGET_TMPDIR")).join("events-stored-at-shutdown.json");
    // A file of an earlier run.
    std::fs::remove_file(&stored).ok();
    let api = EventApi::start().await;
    api.on::<ItemViewed>("count", |_| async {});
    // 10 to 29 are accepted, but the answers are lost. 60 to 69 are not accepted.
    api.fault_when_event(|event| match event.data["number"].as_u64() {
        Some(10 | 20) => Some(Fault::drop_before_answer()),
        Some(60) => Some(Fault::status(503)),
        _ => None,
    });
    assert_eq!(run_resender(&api, &stored), "70 accepted, 30 stored\n");
    api.clear_faults();
    assert_eq!(run_resender(&api, &stored), "30 accepted\n");
    std::fs::remove_file(&stored).expect("the file");

    api.idle().await;
    let mut ids: BTreeMap<u64, BTreeSet<EventId>> = BTreeMap::new();
    for event in api.events() {
        let number = event.data["number"].as_u64().expect("a number");
        ids.entry(number).or_default().insert(event.id);
    }
    assert!(ids.keys().copied().eq(0..100), "{ids:?}");
    assert!(ids.values().all(|ids| ids.len() == 1), "{ids:?}");
    assert_eq!(api.runs_of("count").len(), 100);
}
