use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = concat!("storefront/", "cart.updated"))]
struct CartUpdated {
    cart_id: String,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = names[0], version = VERSION)]
struct CartViewed {
    cart_id: String,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = b"storefront/cart.deleted", id = format!("cart-{}", 1))]
struct CartDeleted {
    cart_id: String,
}

fn main() {}
