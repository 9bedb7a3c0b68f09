//! The names of raw events, of which a process keeps a limited number. The test is alone in its process.

use inngest_core::{Batch, EventError, RawEvent};
use serde_json::{Value, json};

#[test]
fn any_number_of_names_is_sent_as_it_is() {
    let mut batch = Batch::new();
    for index in 0..5_000 {
        batch.push(RawEvent::new(format!("storefront/raw.{index}"), json!({}))).unwrap();
    }
    let names: Vec<String> = batch
        .events()
        .map(|event| {
            serde_json::from_str::<Value>(event.json()).unwrap()["name"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(names[4_999], "storefront/raw.4999");

    // Errors and hooks use one name for all further ones; the reason is still exact.
    let error = batch.push(RawEvent::new("storefront/raw 5000", json!({}))).unwrap_err();
    assert!(
        matches!(error, EventError::Name { name: "(other)", problem } if problem.ends_with("byte 14"))
    );
}
