use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-{a}0{b}-{c}%{d}")]
struct CartUpdated {
    a: String,
    b: String,
    c: String,
    d: String,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.viewed", id = "cart-{a}und{b}")]
struct CartViewed {
    a: u8,
    b: u8,
}

fn main() {}
