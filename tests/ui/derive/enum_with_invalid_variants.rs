use inngest_core::{InngestEvent, InngestEvents};
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated")]
struct CartUpdated {
    cart_id: String,
}

// Each invalid variant is one error, and sending the enum adds no others.
#[derive(InngestEvents)]
enum StorefrontEvent {
    CartUpdated(CartUpdated),
    CouponUsed,
    r#Move(),
    CartMerged(CartUpdated, CartUpdated),
    CartDeleted { cart_id: String },
    #[inngest(name = "storefront/cart.opened")]
    CartOpened(Box<CartUpdated>),
}

fn send(_: impl inngest_core::IntoEvent) {}

fn main() {
    send(StorefrontEvent::CouponUsed);
    send(&StorefrontEvent::from(CartUpdated { cart_id: "c1".to_owned() }));
    send(inngest_core::Event::new(StorefrontEvent::CouponUsed));
    println!("{:?}", StorefrontEvent::EVENTS);
}
