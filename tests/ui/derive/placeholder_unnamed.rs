use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{}-{0}")]
struct CartUpdated {
    cart_id: String,
}

fn main() {}
