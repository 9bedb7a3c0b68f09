use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{area.m²}-{pair.99999999999}-{pair.01}")]
struct CartUpdated {
    area: Area,
    pair: (u8, u8),
}

#[derive(Serialize)]
struct Area {
    m: u32,
}

fn main() {}
