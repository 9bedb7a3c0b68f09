//! The allocations of a push, of a dedup id and of a send. This is one test, so that no other thread
//! allocates.

use allocation_counter::measure;
use inngest_core::{Batch, InngestEvent};
use inngest_tests::{CheckoutCompleted, Script};

#[test]
fn a_push_allocates_nothing_once_the_buffer_has_grown() {
    let checkout = CheckoutCompleted::of("ed12c8bde");
    let mut batch = Batch::with_capacity(2_000, 1 << 20);
    let allocations = measure(|| {
        for _ in 0..1_000 {
            batch.push(&checkout).expect("an event");
        }
    });
    assert_eq!(batch.len(), 1_000);
    assert_eq!(allocations.count_total, 0, "{allocations:?}");

    // Without a capacity, only the growth of the buffers allocates, not each event.
    let mut batch = Batch::new();
    let allocations = measure(|| {
        for _ in 0..1_000 {
            batch.push(&checkout).expect("an event");
        }
    });
    assert!(allocations.count_total < 50, "{allocations:?}");

    let mut id = String::with_capacity(100);
    let allocations = measure(|| {
        checkout.write_dedup_id(&mut id).expect("an id");
    });
    assert_eq!(id, "cart-checkout-completed-ed12c8bde");
    assert_eq!(allocations.count_total, 0, "{allocations:?}");

    // A client without hooks and without a `tracing` subscriber allocates only for the batch and the future.
    let client = Script::new([]).client();
    let one = measure(|| Batch::with_capacity(1, 256).push(&checkout).expect("an event"));
    let sent = measure(|| drop(client.send(&checkout)));
    assert_eq!(sent.count_total, one.count_total + 1, "{sent:?}");
    let sent = measure(|| drop(client.send_all([&checkout; 1_000])));
    assert!(sent.count_total < 50, "{sent:?}");
    // A hook that changes nothing does not allocate either.
    let builder = Script::new([]).builder().before_send(|_, _| {});
    let client = builder.build().expect("a client");
    let sent = measure(|| drop(client.send_all([&checkout; 1_000])));
    assert!(sent.count_total < 50, "{sent:?}");
}
