use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(nmae = "storefront/cart.updated")]
struct CartUpdated {
    cart_id: String,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", dedup = "cart-{cart_id}")]
struct CartViewed {
    cart_id: String,
}

#[derive(Serialize, InngestEvent)]
#[inngest(na)]
struct CartShared {
    cart_id: String,
}

fn main() {}
