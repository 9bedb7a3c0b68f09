use inngest_core::{InngestEvent, IntoEvent};
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated")]
struct CartUpdated {
    cart_id: String,
}

// An enum without `#[derive(InngestEvents)]`.
enum StorefrontEvent {
    CartUpdated(CartUpdated),
}

fn send(_: impl IntoEvent) {}

fn main() {
    send(StorefrontEvent::CartUpdated(CartUpdated { cart_id: "c1".to_owned() }));
}
