use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{cart_id}-{value}")]
struct CartUpdated<T> {
    cart_id: String,
    value: T,
}

fn charge(_: &impl inngest_core::Deduplicated) {}

fn main() {
    charge(&CartUpdated { cart_id: "c1".to_owned(), value: 1 });
    charge(&CartUpdated { cart_id: "c1".to_owned(), value: 1.0_f64 });
}
