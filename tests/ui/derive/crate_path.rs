use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", crate = foo)]
struct CartUpdated {
    cart_id: String,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.viewed", crate = "::my_sdk::inngest_core")]
struct CartViewed {
    cart_id: String,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.deleted", crate = ::inngest_core::<u8>)]
struct CartDeleted {
    cart_id: String,
}

fn main() {}
