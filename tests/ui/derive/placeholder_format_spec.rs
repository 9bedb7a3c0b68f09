use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{cart_id}-{total:.2}")]
struct CartUpdated {
    cart_id: String,
    total: u64,
}

fn main() {}
