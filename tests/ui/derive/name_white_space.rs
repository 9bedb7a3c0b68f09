use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart updated")]
struct CartUpdated {
    cart_id: String,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.viewed\n")]
struct CartViewed {
    cart_id: String,
}

fn main() {}
