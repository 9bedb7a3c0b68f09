use inngest_core::{InngestEvent, InngestEvents};
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated")]
struct CartUpdated {
    cart_id: String,
}

#[derive(InngestEvents)]
enum StorefrontEvent {
    CartUpdated(CartUpdated),
}

fn receive<E: serde::de::DeserializeOwned>() {}

fn main() {
    receive::<StorefrontEvent>();
}
