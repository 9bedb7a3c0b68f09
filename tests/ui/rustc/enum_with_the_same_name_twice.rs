use inngest_core::{InngestEvent, InngestEvents};
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{id}")]
struct CartUpdated {
    id: String,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.opened", id = "cart-opened-{id}")]
struct CartOpened {
    id: String,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{id}", version = "2")]
struct CartUpdatedV2 {
    id: u64,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{id}-{at}", version = "3")]
struct CartUpdatedV3 {
    id: u64,
    at: u64,
}

#[derive(InngestEvents)]
enum Versions {
    CartUpdated(CartUpdated),
    CartUpdatedV2(CartUpdatedV2),
    // Two templates for one event would report one fact under two ids.
    CartUpdatedV3(CartUpdatedV3),
    Boxed(Box<CartUpdatedV2>),
}

#[derive(InngestEvents)]
enum StorefrontEvent {
    CartUpdated(CartUpdated),
    CartOpened(CartOpened),
    CartUpdatedV2(CartUpdatedV2),
    Boxed(Box<CartUpdated>),
}

fn main() {}
