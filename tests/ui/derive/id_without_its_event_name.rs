use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.checkout.completed", id = "{cart_id}")]
struct CartCheckoutCompleted {
    cart_id: String,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "*", id = "-12-{cart_id}")]
struct CartViewed {
    cart_id: String,
}

fn main() {}
