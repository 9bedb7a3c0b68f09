use inngest_core::{InngestEvent, InngestEvents};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated")]
struct CartUpdated {
    cart_id: String,
}

#[derive(Deserialize, InngestEvents)]
enum StorefrontEvent {
    CartUpdated(CartUpdated),
}

fn main() {}
