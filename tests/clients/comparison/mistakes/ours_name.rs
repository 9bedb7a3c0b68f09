//! An event name that is reserved by Inngest.

use inngest_core::InngestEvent;

#[derive(serde::Serialize, InngestEvent)]
#[inngest(name = "inngest/cart.viewed")]
struct CartViewed {
    number: u64,
}

fn main() {
    drop(CartViewed { number: 1 });
}
