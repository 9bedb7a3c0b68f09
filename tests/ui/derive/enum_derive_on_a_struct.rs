use inngest_core::InngestEvents;
use serde::{Deserialize, Serialize};

#[derive(InngestEvents)]
struct CartUpdated {
    cart_id: String,
}

#[derive(Serialize, Deserialize, InngestEvents)]
#[inngest(name = "storefront/cart.viewed", id = "cart-viewed-{cart_id}")]
struct CartViewed {
    cart_id: String,
}

#[derive(InngestEvents)]
union Either {
    a: u8,
}

fn send(_: impl inngest_core::IntoEvent) {}

fn main() {
    send(CartUpdated { cart_id: "c1".to_owned() });
    send(&CartViewed { cart_id: "c1".to_owned() });
}
