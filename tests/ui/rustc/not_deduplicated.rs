use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated")]
struct CartUpdated {
    cart_id: String,
}

fn charge(_: &impl inngest_core::Deduplicated) {}

fn main() {
    charge(&CartUpdated { cart_id: "c1".to_owned() });
}
