use inngest_core::{InngestEvent, InngestEvents};
use serde::Serialize;

mod names {
    pub const SPACED: &str = "storefront/cart updated";
    pub const LONG: &str = concat!("storefront/", include_str!("../../data/names.txt"));
    pub const NUMBER: u8 = 1;
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = names::SPACED, id = "cart-updated-{cart_id}")]
struct CartUpdated<T> {
    cart_id: T,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = crate::names::LONG)]
struct CartViewed;

#[derive(Serialize, InngestEvent)]
#[inngest(name = names::NUMBER, id = "cart-opened-{cart_id}")]
struct CartOpened {
    cart_id: u8,
}

// The error about `CART_CLOSED` is about the constant; the id is still checked.
const CART_CLOSED: &str = "inngest/cart.closed";

#[derive(Serialize, InngestEvent)]
#[inngest(name = CART_CLOSED, id = "{cart_id}")]
struct CartClosed {
    cart_id: u8,
}

#[derive(InngestEvents)]
enum StorefrontEvent {
    CartViewed(CartViewed),
    CartClosed(CartClosed),
}

fn main() {}
