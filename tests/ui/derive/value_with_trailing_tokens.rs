use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated".into())]
struct CartUpdated {
    cart_id: String,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.viewed" id = "cart-viewed-{cart_id}" version = "1")]
struct CartViewed {
    cart_id: String,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.deleted"suffix)]
struct CartDeleted {
    cart_id: String,
}

fn main() {}
