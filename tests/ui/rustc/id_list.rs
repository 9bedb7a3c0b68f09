use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{cart_id}-{value}")]
struct CartUpdated {
    cart_id: String,
    value: Vec<u8>,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{cart_id}-{value}")]
struct CartViewed {
    cart_id: String,
    value: [u8; 4],
}

fn main() {}
