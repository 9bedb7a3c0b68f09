use inngest_core::IntoEvent;
use serde::Serialize;

#[derive(Serialize)]
struct Plain {
    id: u8,
}

fn send(_: impl IntoEvent) {}

fn main() {
    send(Plain { id: 1 });
    send(&Plain { id: 1 });
    send("storefront/cart.updated");
}
