use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
struct CartUpdated {
    cart_id: String,
}

#[derive(Serialize, InngestEvent)]
#[inngest(id = "cart-updated-{cart_id}")]
struct CartViewed {
    cart_id: String,
}

fn main() {}
