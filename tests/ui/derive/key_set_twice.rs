use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-{cart_id}", id = "cart-updated-{cart_id}")]
struct CartUpdated {
    cart_id: String,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated")]
#[inngest(version = "1", name = "storefront/cart.updated")]
struct CartViewed {
    cart_id: String,
}

fn main() {}
