use inngest_core::{InngestEvent, InngestEvents};
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated")]
struct CartUpdated {
    cart_id: String,
}

#[derive(InngestEvents)]
#[inngest(name = "storefront/cart.updated")]
enum StorefrontEvent {
    CartUpdated(CartUpdated),
}

fn main() {}
