//! `Deserialize` of `Batch`, from JSON and from postcard.
#![no_main]

use std::cell::LazyCell;
use std::collections::HashMap;

use allocation_counter::measure;
use bytes::Bytes;
use inngest_core::{Batch, Client};
use inngest_fuzz::{has_duplicate_keys, mutate_json};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

const WORDS: &[&str] = &[
    "",
    "1",
    "1,AAAAAAAAAAAAAA==",
    "+1,AAAAAAAAAAAAAA==",
    "281474976710655,//////////////==",
    "data",
    "events",
    "format",
    "fuzz/event",
    "id",
    "in_doubt",
    "json",
    "name",
    "place",
    "seed",
    "seeds",
    "ts",
    "v",
    "{\"name\":\"fuzz/event\",\"data\":{}}",
    " {\"data\":null,\"name\":\"fuzz/\\u00e9\",\"id\":\"a\"} ",
];

/// serde reserves memory for at most 1 MiB of elements before it has read them. A stored event takes 5 bytes or more,
/// and in memory as much as a few of its parts.
const MAX_RESERVED: u64 = 3 << 20;
const MAX_BYTES_PER_BYTE: u64 = 160;

/// An event of a stored batch: its seed, its place, whether it is in doubt, and its JSON.
type Stored = (String, u64, bool, String);

fuzz_target!(|data: &[u8]| {
    check(data, |data| serde_json::from_slice(data).ok());
    check(data, |data| postcard::from_bytes(data).ok());
    if let Ok(value) = serde_json::from_slice::<Value>(data) {
        let format = value.get("format").or(value.get(0));
        let is_batch = serde_json::from_value::<Batch>(value.clone()).is_ok();
        assert!(!is_batch || format == Some(&json!(1)), "another format is read");
        if !has_duplicate_keys(data) {
            check_content(&value);
        }
    }
});

/// Checks that a batch which is read from `value` has its events, with their places and doubts.
fn check_content(value: &Value) {
    let (Some(events), Ok(batch)) =
        (value["events"].as_array(), serde_json::from_value::<Batch>(value.clone()))
    else {
        return;
    };
    let stored = stored(&batch);
    assert_eq!(stored.len(), events.len());
    // Each event of ours is an object or an array.
    let part = |event: &Value, name: &str, index: usize| {
        event.get(name).or(event.get(index)).cloned().unwrap_or_default()
    };
    let identity = |event: &Value| [part(event, "seed", 0), part(event, "place", 1)];
    for (event, (_, place, in_doubt, json)) in events.iter().zip(stored) {
        let same = events.iter().filter(|other| identity(other) == identity(event));
        let expected = same.map(|it| part(it, "in_doubt", 2)).any(|it| it == true);
        assert_eq!((json!(place), in_doubt), (part(event, "place", 1), expected));
        assert_eq!(part(event, "json", 3).as_str().map(str::trim_ascii), Some(&*json));
    }
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mutated = if seed % 4 > 0 { mutate_json(data, size, max_size, seed, WORDS) } else { None };
    mutated.unwrap_or_else(|| fuzzer_mutate(data, size, max_size))
});

fn check(data: &[u8], read: impl Fn(&[u8]) -> Option<Batch>) {
    let mut batch = None;
    let allocated = measure(|| batch = read(data));
    let max = MAX_RESERVED + data.len() as u64 * MAX_BYTES_PER_BYTE;
    assert!(allocated.bytes_max <= max, "{} bytes for {}", allocated.bytes_max, data.len());
    let Some(mut batch) = batch else { return };

    let stored = stored(&batch);
    let mut identities = HashMap::new();
    for ((seed, place, _, json), event) in stored.iter().zip(batch.events()) {
        serde_json::from_str::<IgnoredAny>(json).expect("the event is JSON");
        // `Value` refuses numbers beyond the range of a float, and text that is no Unicode.
        if let Ok(value) = serde_json::from_str::<Value>(json) {
            let name = value["name"].as_str().expect("the event has a name");
            assert!(event.name() == name || event.name() == "(other)", "{name}");
            assert!(value["data"].is_object() || value["data"].is_null(), "{json}");
        }
        assert_eq!(event.json(), json);
        let first = identities.entry((seed, place)).or_insert(json);
        assert_eq!(*first, json, "two events have the seed {seed} and the place {place}");
    }

    let again = |bytes: &[u8]| serde_json::from_slice::<Batch>(bytes).expect("a stored batch");
    let from_json = again(&serde_json::to_vec(&batch).expect("JSON"));
    let from_postcard: Batch =
        postcard::from_bytes(&postcard::to_allocvec(&batch).expect("bytes")).expect("a batch");
    for restored in [&from_json, &from_postcard] {
        assert_eq!(self::stored(restored), stored);
        assert_eq!((restored.len(), restored.bytes()), (batch.len(), batch.bytes()));
    }
    let size = serde_json::to_vec(&from_json).expect("JSON").len();
    let next_size = serde_json::to_vec(&again(&serde_json::to_vec(&from_json).expect("JSON")));
    assert_eq!(size, next_size.expect("JSON").len(), "a batch grows whenever it is stored");

    batch.append(from_postcard);
    send(&batch, 2 * stored.len());
}

/// Returns the events as they are stored.
fn stored(batch: &Batch) -> Vec<Stored> {
    let value = serde_json::to_value(batch).expect("JSON");
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let event = |event: &Value| {
        let seed = usize::try_from(event["seed"].as_u64().expect("an index")).expect("an index");
        let place = event["place"].as_u64().expect("a place");
        let in_doubt = event["in_doubt"].as_bool().expect("a bool");
        (text(&value["seeds"][seed]), place, in_doubt, text(&event["json"]))
    };
    value["events"].as_array().expect("an array").iter().map(event).collect()
}

/// Sends the batch to a server that accepts everything.
fn send(batch: &Batch, events: usize) {
    thread_local! {
        static SERVER: LazyCell<(Runtime, Client)> = LazyCell::new(|| {
            let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
            let client = Client::builder().no_env().event_key("a-secret-key").transport(accept).build();
            (runtime.expect("a runtime"), client.expect("a client"))
        });
    }
    let sent = SERVER.with(|server| server.0.block_on(server.1.send_batch(batch)));
    assert_eq!(sent.expect("every event is accepted").len(), events);
}

async fn accept(
    request: http::Request<Bytes>,
) -> Result<http::Response<Bytes>, inngest_core::testing::TransportFault> {
    let events = match serde_json::from_slice::<Vec<IgnoredAny>>(request.body()) {
        Ok(events) => events.len(),
        Err(_) => 1,
    };
    let ids: Vec<String> = (0..events).map(|index| format!("id-{index}")).collect();
    let body = json!({ "ids": ids, "status": 200 }).to_string();
    Ok(http::Response::new(body.into()))
}
