use inngest_core::{Batch, InngestEvent, IntoEvent};
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated")]
struct CartUpdated {
    cart_id: String,
}

fn send(_: impl IntoEvent) {}

fn main() {
    let carts = || vec![CartUpdated { cart_id: "c1".to_owned() }];
    send(carts());
    send(&carts());
    send(carts().as_slice());
    send([CartUpdated { cart_id: "c1".to_owned() }]);
    send(Batch::new());
    send(&Batch::new());
}
