//! An event name that is reserved by Inngest.

use inngest::event::Event;

#[derive(Debug, serde::Deserialize, serde::Serialize)]
struct CartViewed {
    number: u64,
}

fn main() {
    drop(Event::new("inngest/cart.viewed", CartViewed { number: 1 }));
}
