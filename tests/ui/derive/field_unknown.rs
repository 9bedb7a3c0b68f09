use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{cart_idd}")]
struct CartUpdated {
    cart_id: String,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.viewed", id = "cart-viewed-{user}")]
struct CartViewed {
    cart_id: String,
    at: u64,
    a: u8,
    b: u8,
    c: u8,
    d: u8,
    e: u8,
    f: u8,
    g: u8,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.moved", id = "cart-moved-{x}")]
struct CartMoved {
    y: u8,
}

fn main() {}
