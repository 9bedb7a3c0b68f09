use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "inngest/function.finished")]
struct CartUpdated {
    cart_id: String,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "Inngest/cart.viewed")]
struct CartViewed {
    cart_id: String,
}

fn main() {}
