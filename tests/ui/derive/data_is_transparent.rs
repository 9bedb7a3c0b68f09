use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[serde(transparent)]
#[inngest(name = "storefront/cart.updated")]
struct CartUpdated {
    cart_id: String,
}

fn main() {}
