use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated")]
struct CartUpdated {
    _inngest: String,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.viewed")]
struct CartViewed {
    #[serde(rename = "_inngest")]
    meta: String,
}

#[derive(Serialize, InngestEvent)]
#[serde(tag = "_inngest")]
#[inngest(name = "storefront/cart.shared")]
struct CartShared {
    cart_id: String,
}

fn main() {}
