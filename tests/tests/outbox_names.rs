//! A relay reads the names of events from a database, and keeps a bounded number of them in memory.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use inngest_core::outbox::Outbox;
use inngest_core::testing::outbox_store::ScriptedStore;
use inngest_tests::{Judge, Ruling};

#[tokio::test(start_paused = true)]
async fn events_with_more_than_4096_names_are_delivered_and_the_further_names_are_one_in_hooks() {
    let judge = Judge::new(|_| Ruling::Accept);
    let names: Arc<Mutex<BTreeSet<&'static str>>> = Arc::default();
    let hook = Arc::clone(&names);
    let builder = judge.builder().after_send(move |report| {
        hook.lock().expect("no panic").insert(report.name);
    });
    let client = builder.build().expect("a client");
    let (outbox, store) = (Outbox::for_client(&client), ScriptedStore::new());
    for number in 0..5_000 {
        let name = format!("storefront/kind.{number}");
        let body = format!(r#"{{"name":"{name}","data":{{"number":{number}}}}}"#);
        store.insert(&name, body.as_bytes(), None);
    }
    // A name of more than 255 bytes is no event's.
    let long = "x".repeat(256);
    let body = format!(r#"{{"name":"{long}","data":{{}}}}"#);
    store.insert(&long, body.as_bytes(), None);
    let report = outbox.relay(&client, store.clone()).drain().await.expect("a report");
    assert_eq!((report.delivered, report.dead), (5_000, 1));
    let names = names.lock().expect("no panic").clone();
    assert!(names.contains("(other)") && names.len() <= 4_098, "{}", names.len());
    assert_eq!(store.dead()[0].name, long, "the table has the whole name");

    // The names that are one in memory are not one for the server.
    let refusing = judge.ruling(|request| {
        let is_refused = request.numbers.contains(&9_990);
        if is_refused { Ruling::Respond(403, "{}") } else { Ruling::Accept }
    });
    let client = refusing.client();
    for number in 9_980..10_000 {
        let body = format!(r#"{{"name":"storefront/late.{number}","data":{{"number":{number}}}}}"#);
        store.insert("late", body.as_bytes(), None);
    }
    let dead = store.dead().len();
    for _ in 0..20 {
        let relay = outbox.relay(&client, store.clone()).batch_events(3);
        relay.drain().await.expect("a report");
    }
    let accepted = (9_980..10_000).filter(|number| judge.accepted().contains(number)).count();
    assert_eq!(accepted, 19, "no event is rejected for the name of another");
    assert!(store.dead().len() <= dead + 1);
    judge.assert_identities();
}
