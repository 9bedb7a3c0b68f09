//! What the fuzz targets share.

mod duplicates;
mod mutate;
pub mod template;

pub use duplicates::has_duplicate_keys;
pub use mutate::mutate_json;

use serde_json::Value;

/// Returns the events of a request's body: an array, or an object if there is one.
///
/// # Panics
///
/// Panics if the body is neither.
pub fn events_of(body: &[u8]) -> Vec<Value> {
    match serde_json::from_slice(body).expect("the request's body is JSON") {
        Value::Array(events) => events,
        event @ Value::Object(_) => vec![event],
        other => panic!("the request's body is {other}"),
    }
}
