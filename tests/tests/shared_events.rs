//! Events behind `Arc` and `Rc` are sent like the events themselves.

use std::rc::Rc;
use std::sync::Arc;

use inngest_core::{Batch, InngestEvent, InngestEvents, batch};
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/opened", id = "opened-{shop}")]
struct Opened {
    shop: u32,
}

#[derive(InngestEvents)]
enum StorefrontEvent {
    Opened(Opened),
}

#[test]
fn shared_events_are_sent_without_a_copy() {
    let (arc, rc) = (Arc::new(Opened { shop: 1 }), Rc::new(Opened { shop: 1 }));
    let event = Arc::new(StorefrontEvent::Opened(Opened { shop: 1 }));
    let batch: Batch = batch![&arc, arc, &rc, rc, &event, event].unwrap();
    assert_eq!(batch.len(), 6);
    assert!(batch.events().all(|event| event.dedup_id().as_deref() == Some("opened-1")));
}
