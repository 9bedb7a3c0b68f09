use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", version = " ")]
struct CartUpdated {
    cart_id: String,
}

fn main() {}
