use inngest_core::InngestEvent;
use serde::Serialize;

// One mistake is one error: uses of the event add no others.
#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{cart}")]
struct CartUpdated {
    cart_id: String,
}

fn event() -> CartUpdated {
    CartUpdated { cart_id: "c1".to_owned() }
}

fn send(_: impl inngest_core::IntoEvent) {}

fn charge(_: &impl inngest_core::Deduplicated) {}

fn main() {
    send(event());
    send(event());
    send(event());
    send(event());
    send(event());
    send(&event());
    send(&event());
    send(Box::new(event()));
    send(inngest_core::Event::new(event()));
    send(inngest_core::Event::new(&event()).id("x"));
    charge(&event());
    let _ = event().dedup_id();
    let _ = [CartUpdated::NAME, CartUpdated::ID_TEMPLATE.unwrap_or_default()];
}
