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

fn name<E: InngestEvent>(_: &E) -> &'static str {
    E::NAME
}

fn main() {
    name(&StorefrontEvent::from(CartUpdated { cart_id: "c1".to_owned() }));
}
