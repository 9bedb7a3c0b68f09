//! A field of another type than the payload has.

use inngest_core::InngestEvent;

#[derive(serde::Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.viewed")]
struct CartViewed {
    number: u64,
}

fn main() {
    drop(CartViewed { number: "1" });
}
