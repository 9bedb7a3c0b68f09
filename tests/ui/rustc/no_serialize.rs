use inngest_core::{InngestEvent, IntoEvent};
use serde::Serialize;

#[derive(InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{cart_id}")]
struct CartUpdated {
    cart_id: String,
}

fn save(_: &impl Serialize) {}

fn send(_: impl IntoEvent) {}

fn main() {
    send(CartUpdated { cart_id: "c1".to_owned() });
    save(&"c1");
}
