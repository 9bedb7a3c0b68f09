//! Tests of the parts of a batch: their contents and their requests.

use super::{Batch, CallSite};

fn batch_of(events: usize) -> Batch {
    let mut batch = Batch::new();
    for _ in 0..events {
        batch.push_serialized("shop/opened", br#"{"name":"shop/opened"}"#, CallSite::caller());
    }
    batch.shrink();
    batch
}

fn assert_holds_only_its_own_events(batch: &Batch) {
    assert_eq!(batch.buffer.len(), batch.bytes() + batch.len() + 1);
}

#[test]
fn a_small_part_of_a_batch_does_not_keep_the_whole_buffer() {
    let part = batch_of(10).pick([3]);
    assert_holds_only_its_own_events(&part);
}

#[test]
fn a_large_part_drops_the_events_of_the_rest_when_it_grows() {
    let batch = batch_of(10);
    let mut part = batch.pick(2..10);
    assert!(part.buffer.len() > part.bytes() + part.len() + 1, "the buffer is shared");
    part.append(batch_of(1));
    assert_eq!(part.len(), 9);
    assert_holds_only_its_own_events(&part);
}

#[test]
fn the_body_of_the_whole_batch_is_not_copied() {
    let batch = batch_of(3);
    assert_eq!(batch.body(0..3).as_ptr(), batch.buffer.as_ptr());
}

#[test]
fn the_body_of_a_large_part_has_only_its_own_events() {
    let mut batch = Batch::new();
    for index in 0..6 {
        let padding = "x".repeat(if index % 2 == 0 { 1 } else { 100 });
        let json = format!(r#"{{"name":"shop/opened","data":"{index}{padding}"}}"#);
        batch.push_serialized("shop/opened", json.as_bytes(), CallSite::caller());
    }
    batch.shrink();
    let part = batch.pick([1, 3, 5]);
    let body = part.body(0..3);
    assert_eq!(String::from_utf8_lossy(&body).matches('{').count(), 3);
    assert_eq!(body.len(), part.bytes() + 4);
}
