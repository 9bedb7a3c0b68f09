use inngest_core::{InngestEvent, IntoEvent};
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated")]
struct CartUpdated {
    cart_id: String,
}

fn send(_: impl IntoEvent) {}

fn main() {
    let cart = || CartUpdated { cart_id: "c1".to_owned() };
    send(Some(cart()));
    send(&Some(cart()));
    send(Ok::<_, std::fmt::Error>(cart()));
    for cart in [Ok::<_, std::fmt::Error>(cart())] {
        send(&cart);
    }
}
