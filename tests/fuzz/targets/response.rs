//! The response parser and what a call makes of it, through a client with a scripted transport.
//!
//! An input is a script of responses. Its first line has the number of events, the key and the retry policy; each
//! response begins with a line of its status and its headers. The last response answers every further request.
#![no_main]

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use inngest_core::testing::TransportFault;
use inngest_core::{Batch, BatchError, Client, RawEvent, Rejection, RetryPolicy};
use inngest_fuzz::{events_of, has_duplicate_keys, mutate_json};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

const WORDS: &[&str] = &[
    "",
    " ",
    "01HF7YAT000000000000000001",
    "01HF7YAT000000000000000002",
    "K3y:42",
    "a",
    "a-Secret~Key:4711",
    "b",
    "c",
    "error",
    "ids",
    "message",
    "status",
    "%4b3y%3A42",
    "\u{a0}",
];
const KEYS: [&str; 2] = ["a-Secret~Key:4711", "K3y:42"];
const SEPARATOR: &[u8] = b"\n---\n";
const NAMES: [&str; 3] = ["fuzz/a", "fuzz/b", "fuzz/b"];

/// A response of a script.
#[derive(Clone, Default)]
struct Scripted {
    status: u16,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

/// What the server of a call has done.
#[derive(Default)]
struct Server {
    responses: Vec<Scripted>,
    requests: usize,
    /// The ids of each event that a response accepts, by an independent reading.
    accepted: BTreeMap<usize, BTreeSet<String>>,
    /// The events that a response accepts if its reader is strict, which the client's is.
    surely_accepted: BTreeSet<usize>,
    /// Whether a body is not readable as a [`Value`]. The client's reader does not validate the fields that it ignores.
    has_unreadable: bool,
}

fuzz_target!(|data: &[u8]| {
    let Some((script, responses)) = parse_script(data) else { return };
    let server = Arc::new(Mutex::new(Server { responses, ..Server::default() }));
    let events = (0..script.events)
        .map(|index| RawEvent::new(NAMES[index % NAMES.len()], json!({ "number": index })));
    let batch = Batch::try_from_iter(events).expect("the events are valid");
    let sent = RUNTIME
        .with(|runtime| runtime.block_on(script.client(Arc::clone(&server)).send_batch(&batch)));
    let server = server.lock().unwrap_or_else(PoisonError::into_inner);
    let mut unaccounted: BTreeSet<usize> = (0..script.events).collect();
    let mut check_accepted = |index: usize, id: &str| {
        assert!(unaccounted.remove(&index), "event {index} has two outcomes");
        let ids = server.accepted.get(&index).cloned().unwrap_or_default();
        let is_in_a_response = ids.contains(id) || !ids.is_empty() && id.contains("***");
        assert!(is_in_a_response || server.has_unreadable, "{id} is not in {ids:?}");
        assert!(!id.trim().is_empty(), "a blank id");
    };
    match &sent {
        Ok(ids) => {
            ids.iter().enumerate().for_each(|(index, id)| check_accepted(index, id.as_str()))
        }
        Err(error) => {
            for (index, id) in error.accepted() {
                check_accepted(*index, id.as_str());
            }
            let failed =
                error.rejected().iter().map(|(index, _)| *index).chain(error.unsent().to_vec());
            for index in failed {
                assert!(unaccounted.remove(&index), "event {index} has two outcomes");
                assert!(!server.surely_accepted.contains(&index), "event {index} was accepted");
            }
            assert_eq!(error.causes().len(), error.unsent().len());
            check_texts(error, KEYS[script.key]);
        }
    }
    assert!(unaccounted.is_empty(), "events without an outcome: {unaccounted:?}");
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    // The body of one of the responses.
    let starts: Vec<usize> =
        (1..size).filter(|start| data[start - 1] == b'\n' && data[*start] == b'{').collect();
    let body = (!starts.is_empty()).then(|| starts[seed as usize / 7 % starts.len()]);
    let mutated = body.filter(|_| seed % 4 > 0).and_then(|start| {
        let end = find(&data[start..size], SEPARATOR).map_or(size, |offset| start + offset);
        let rest = data[end..size].to_vec();
        let (len, max) = (end - start, max_size.saturating_sub(start + rest.len()));
        let len = mutate_json(&mut data[start..], len, max, seed, WORDS)?;
        data[start + len..start + len + rest.len()].copy_from_slice(&rest);
        Some(start + len + rest.len())
    });
    mutated.unwrap_or_else(|| fuzzer_mutate(data, size, max_size))
});

thread_local! {
    static RUNTIME: LazyCell<Runtime> = LazyCell::new(|| {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime")
    });
    static CLIENTS: LazyCell<Vec<Client>> = LazyCell::new(|| {
        let client = |key: &&str| {
            let transport = |request| respond(request);
            let builder = Client::builder().no_env().event_key(*key).transport(transport);
            builder.build().expect("a client")
        };
        KEYS.iter().map(client).collect()
    });
    static SERVER: Mutex<Option<Arc<Mutex<Server>>>> = const { Mutex::new(None) };
}

struct Script {
    events: usize,
    /// The index in [`KEYS`].
    key: usize,
    retries: bool,
}

impl Script {
    fn client(&self, server: Arc<Mutex<Server>>) -> Client {
        SERVER.with(|current| *current.lock().expect("not poisoned") = Some(server));
        let client = CLIENTS.with(|clients| clients[self.key].clone());
        if self.retries { client } else { client.with_retry(RetryPolicy::none()) }
    }
}

fn parse_script(data: &[u8]) -> Option<(Script, Vec<Scripted>)> {
    let (head, mut rest) = split_at(data, b"\n")?;
    let digit = |index: usize| usize::from(head.get(index).copied().unwrap_or_default());
    let script = Script { events: 1 + digit(0) % 5, key: digit(1) % 2, retries: digit(2) % 2 == 1 };
    let mut responses = Vec::new();
    while let Some((response, others)) = split_at(rest, SEPARATOR) {
        responses.push(parse_response(response));
        rest = others;
    }
    responses.push(parse_response(rest));
    Some((script, responses))
}

/// Parses `503 retry-after=5 date=..`, a line, and the body after it.
fn parse_response(text: &[u8]) -> Scripted {
    let (head, body) = split_at(text, b"\n").unwrap_or((text, b""));
    let mut fields = head.split(|byte| *byte == b';');
    let digits = fields.next().unwrap_or_default().iter().take(3);
    let status = digits.fold(0, |status, digit| 10 * status + u16::from(digit % 10));
    let header = |field: &[u8]| {
        let (name, value) = split_at(field, b"=")?;
        Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?))
    };
    let headers = fields.filter_map(header).collect();
    Scripted { status: status.max(100), headers, body: Bytes::copy_from_slice(body) }
}

fn split_at<'a>(text: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let offset = find(text, separator)?;
    Some((&text[..offset], &text[offset + separator.len()..]))
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

async fn respond(request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportFault> {
    let events = events_of(request.body());
    let number = |event: &Value| event["data"]["number"].as_u64().and_then(|it| it.try_into().ok());
    let numbers: Vec<usize> = events.iter().filter_map(number).collect();
    assert_eq!(numbers.len(), events.len());
    let current = SERVER.with(|current| current.lock().expect("not poisoned").clone());
    let server = current.expect("a call is running");
    let mut server = server.lock().unwrap_or_else(PoisonError::into_inner);
    let index = server.requests.min(server.responses.len() - 1);
    server.requests += 1;
    assert!(server.requests < 1_000, "the call sends requests forever");
    let scripted = server.responses[index].clone();
    if scripted.status == 100 {
        return Err(TransportFault::Connect);
    }
    if scripted.status == 101 {
        return Err(TransportFault::Interrupted);
    }
    for number in &numbers {
        assert!(
            !server.surely_accepted.contains(number),
            "event {number} is sent after it was accepted"
        );
    }
    server.has_unreadable |= serde_json::from_slice::<Value>(&scripted.body).is_err()
        && serde_json::from_slice::<serde::de::IgnoredAny>(&scripted.body).is_ok();
    let ids = accepted_ids(&scripted, events.len());
    let is_sure = !has_duplicate_keys(&scripted.body) && has_only_texts(&scripted.body);
    for (number, id) in numbers.into_iter().zip(ids) {
        if is_sure {
            server.surely_accepted.insert(number);
        }
        server.accepted.entry(number).or_default().insert(id);
    }
    let mut response = http::Response::new(scripted.body);
    *response.status_mut() = StatusCode::from_u16(scripted.status).expect("three digits");
    response.headers_mut().extend(scripted.headers);
    Ok(response)
}

/// Returns the ids of the events that a response accepts, counted from the first.
fn accepted_ids(response: &Scripted, events: usize) -> Vec<String> {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let Some(ids) = body["ids"].as_array() else { return Vec::new() };
    let Some(mut ids): Option<Vec<&str>> = ids.iter().map(Value::as_str).collect() else {
        return Vec::new();
    };
    match response.status {
        200..=299 if body["status"].as_u64() != Some(200) || ids.len() != events => {
            return Vec::new();
        }
        200..=299 => {}
        400 => {
            let accepted = ids.iter().take_while(|id| !id.trim().is_empty()).count();
            let rest_is_blank = ids[accepted..].iter().all(|id| id.trim().is_empty());
            if ids.len() > events || accepted == events || !rest_is_blank {
                return Vec::new();
            }
            ids.truncate(accepted);
        }
        _ => return Vec::new(),
    }
    let distinct: BTreeSet<&&str> = ids.iter().collect();
    if distinct.len() < ids.len() || ids.iter().any(|id| id.trim().is_empty()) {
        return Vec::new();
    }
    ids.into_iter().map(str::to_owned).collect()
}

/// Returns whether the fields that the client reads beside the ids have the types that Inngest writes.
fn has_only_texts(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let is_text = |key: &str| body[key].is_string() || body[key].is_null();
    let status = body["status"].as_u64().is_some_and(|status| status <= u64::from(u16::MAX));
    is_text("error") && is_text("message") && (status || body["status"].is_null())
}

/// Checks that no text of the error contains the key, also if it is percent-encoded or in another case.
fn check_texts(error: &BatchError, key: &str) {
    let mut texts = vec![error.to_string(), format!("{error:?}"), format!("{error:#?}")];
    for cause in error.causes() {
        texts.extend([cause.to_string(), format!("{cause:?}")]);
        let mut source = std::error::Error::source(cause);
        while let Some(error) = source {
            texts.extend([error.to_string(), format!("{error:?}")]);
            source = error.source();
        }
    }
    for (_, reason) in error.rejected() {
        texts.extend([reason.to_string(), format!("{reason:?}")]);
        if let Rejection::Server { message, .. } = reason {
            texts.push(message.clone());
        }
    }
    for text in texts {
        let decoded = percent_decoded(text.as_bytes()).to_ascii_lowercase();
        let found = find(&decoded, key.to_ascii_lowercase().as_bytes());
        assert!(found.is_none(), "the key is in {text}");
    }
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let hex = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (mut decoded, mut rest) = (Vec::new(), text);
    while let [byte, after @ ..] = rest {
        (decoded, rest) = match (byte, after) {
            (b'%', [high, low, after @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                decoded.push(16 * hex(*high).unwrap_or_default() + hex(*low).unwrap_or_default());
                (decoded, after)
            }
            _ => {
                decoded.push(*byte);
                (decoded, after)
            }
        };
    }
    decoded
}
