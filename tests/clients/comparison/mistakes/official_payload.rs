//! A field of another type than the payload has.

use inngest::event::Event;

#[derive(Debug, serde::Deserialize, serde::Serialize)]
struct CartViewed {
    number: u64,
}

fn main() {
    drop(Event::new("storefront/cart.viewed", CartViewed { number: "1" }));
}
