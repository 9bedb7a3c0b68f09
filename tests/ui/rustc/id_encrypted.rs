use inngest_core::InngestEvent;
use inngest_core::encryption::Encrypted;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/order.placed", id = "order-placed-{encrypted}")]
struct OrderPlaced {
    encrypted: Encrypted<String>,
}

fn main() {}
