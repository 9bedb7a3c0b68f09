//! Publishing while a thread ends: the destructors of thread-locals run in any order.

use std::cell::RefCell;
use std::time::Duration;

use inngest_core::publisher::Publisher;
use inngest_tests::{ItemViewed, Script};

/// Publishes an event when it is dropped.
struct PublishesOnDrop(Publisher);

impl Drop for PublishesOnDrop {
    fn drop(&mut self) {
        drop(self.0.try_publish(ItemViewed::number(9)).expect("capacity"));
    }
}

thread_local! {
    static LAST_WORDS: RefCell<Option<PublishesOnDrop>> = const { RefCell::new(None) };
}

#[tokio::test]
async fn publishing_from_a_thread_locals_destructor_queues_the_event() {
    let script = Script::new([]);
    let publisher = script.client().publisher().start();
    for publishes_first in [false, true] {
        let publisher = publisher.clone();
        let thread = std::thread::spawn(move || {
            let publish = || drop(publisher.try_publish(ItemViewed::number(1)).expect("capacity"));
            if publishes_first {
                publish();
            }
            LAST_WORDS.set(Some(PublishesOnDrop(publisher.clone())));
            if !publishes_first {
                publish();
            }
        });
        thread.join().expect("no panic");
    }
    publisher.flush(Duration::from_secs(5)).await.expect("all sent");
    assert_eq!(publisher.stats().delivered, 4);
}
