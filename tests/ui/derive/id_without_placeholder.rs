use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "checkout")]
struct CartUpdated {
    cart_id: String,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.viewed", id = "cart-viewed-{{cart_id}}")]
struct CartViewed {
    cart_id: String,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.deleted", id = "")]
struct CartDeleted {
    cart_id: String,
}

fn main() {}
