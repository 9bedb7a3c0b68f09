use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{cart}")]
struct CartUpdated {
    #[serde(flatten)]
    cart: Cart,
}

#[derive(Serialize)]
struct Cart {
    id: String,
}

fn main() {}
