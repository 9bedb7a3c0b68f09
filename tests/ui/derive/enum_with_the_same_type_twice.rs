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
    CartChanged(CartUpdated),
}

fn main() {
    let event = StorefrontEvent::from(CartUpdated { cart_id: "c1".to_owned() });
    println!("{}", matches!(event, StorefrontEvent::CartChanged(_)));
}
