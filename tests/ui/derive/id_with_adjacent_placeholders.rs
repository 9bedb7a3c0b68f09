use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{tenant}{cart}")]
struct CartUpdated {
    tenant: String,
    cart: String,
}

fn main() {}
