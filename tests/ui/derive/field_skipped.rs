use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{cart_id}-{at}")]
struct CartUpdated {
    #[serde(skip)]
    cart_id: String,
    #[serde(skip_serializing, default)]
    at: u64,
}

fn main() {}
