//! A batch with a bad event or broken JSON is accepted up to there, at every index.

use serde_json::{Value, json};

use super::recorded::padded;
use super::seeds::Seed;
use super::{Suite, batch, event};

const EVENTS: usize = 6;

pub(super) async fn check(suite: &mut Suite) {
    bad_events(suite).await;
    broken_json(suite).await;
    cut_bodies(suite).await;
}

/// Checks each kind of bad event at every index: the events before it are accepted, and the error is the
/// same as for the bad event alone.
async fn bad_events(suite: &mut Suite) {
    let too_large: Value = serde_json::from_str(&padded((3 << 20) + 1)).unwrap();
    for (what, bad) in [
        ("no name", json!({ "data": {} })),
        ("an empty name", json!({ "name": "" })),
        ("a reserved name", json!({ "name": "inngest/x" })),
        ("data that are no object", json!({ "name": "p/x", "data": [] })),
        ("an id that is a number", json!({ "name": "p/x", "id": 5 })),
        ("a time before 1980", json!({ "name": "p/x", "ts": 1 })),
        ("an empty session", json!({ "name": "p/x", "meta": { "sessions": { "chat": "" } } })),
        ("too many bytes", too_large),
    ] {
        let alone = suite.post(bad.to_string(), "").await;
        suite.equal(
            &format!("{what}, alone"),
            &(alone.status, &*alone.ids),
            &(400, &[String::new()]),
        );
        for index in 0..EVENTS {
            let mut events: Vec<Value> = (0..EVENTS).map(event).collect();
            events[index] = bad.clone();
            let seed = Seed::unique();
            let answer = suite.post(batch(events), &seed.header()).await;
            let ids = if index == 0 { vec![String::new()] } else { seed.ids(index) };
            suite.equal(
                &format!("{what}, at {index}"),
                &(answer.status, answer.ids, answer.error),
                &(400, ids, alone.error.clone()),
            );
        }
    }
}

/// Checks that invalid JSON is an error. The ids are a lower bound: one or two of them can be missing.
async fn broken_json(suite: &mut Suite) {
    for (what, broken) in [("a word", "nope"), ("an open string", "{\"name\":\"p/x}")] {
        for index in 0..EVENTS {
            let mut events: Vec<String> =
                (0..EVENTS).map(|number| event(number).to_string()).collect();
            broken.clone_into(&mut events[index]);
            let seed = Seed::unique();
            let answer = suite.post(format!("[{}]", events.join(",")), &seed.header()).await;
            let problem = problem_with_ids(answer.accepted(), index, seed)
                .or_else(|| (answer.status != 400).then(|| format!("{answer:?}")));
            suite.case(&format!("{what} at {index}"), problem);
        }
    }
}

/// Checks bodies that end too early, after every byte.
async fn cut_bodies(suite: &mut Suite) {
    let body = batch((0..3).map(event));
    let event_bytes = event(0).to_string().len() + 1;
    for bytes in 1..body.len() {
        let seed = Seed::unique();
        let answer = suite.post(body[..bytes].to_owned(), &seed.header()).await;
        let problem =
            problem_with_ids(answer.accepted(), bytes / event_bytes, seed).or_else(|| {
                let status = answer.status;
                (![200, 400].contains(&status)).then(|| format!("status {status}"))
            });
        suite.case(&format!("a body of {bytes} of its bytes"), problem);
    }
}

/// Returns the problem with `ids`, if any, for a request of which the first `whole` events were complete.
pub(super) fn problem_with_ids(ids: &[String], whole: usize, seed: Seed) -> Option<String> {
    let too_few = ids.len() + 2 < whole;
    let wrong = ids != &seed.ids(whole)[..ids.len().min(whole)];
    (too_few || wrong).then(|| format!("{ids:?} are not the ids of the first {whole} events"))
}
