use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[serde(rename_all = "camelCase")]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{cartId}-{shop}")]
struct CartUpdated {
    cart_id: String,
    #[serde(rename(serialize = "shop"))]
    store: String,
}

fn main() {}
