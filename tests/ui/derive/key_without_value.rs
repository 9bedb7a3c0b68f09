use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name)]
struct CartUpdated {
    cart_id: String,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name =, id = "cart-{cart_id}", version)]
struct CartViewed {
    cart_id: String,
}

fn main() {}
