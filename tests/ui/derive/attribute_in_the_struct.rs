use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated")]
struct CartUpdated {
    #[inngest(name = "storefront/cart.updated")]
    cart_id: String,
}

fn main() {}
