use inngest_core::InngestEvent;
use serde::Serialize;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated")]
struct CartUpdated(String, u64);

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.viewed", id = "cart-viewed-{0}")]
struct CartViewed(String);

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/none")]
struct Nothing();

// The missing name is reported once the data is an object.
#[derive(Serialize, InngestEvent)]
struct Unnamed(String);

fn main() {}
