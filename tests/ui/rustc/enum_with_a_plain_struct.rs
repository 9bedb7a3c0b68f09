use inngest_core::{InngestEvent, InngestEvents};
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated")]
struct CartUpdated {
    cart_id: String,
}

#[derive(Serialize)]
struct Plain {
    id: u8,
}

// A variant that holds no event is one error: sending the enum adds no others.
#[derive(InngestEvents)]
enum StorefrontEvent {
    CartUpdated(CartUpdated),
    Plain(Plain),
}

fn send(_: impl inngest_core::IntoEvent) {}

fn main() {
    let event = || StorefrontEvent::Plain(Plain { id: 1 });
    send(event());
    send(&event());
    send(inngest_core::Event::new(event()));
}
