use inngest_core::catalog::Catalog;
use inngest_core::{InngestEvent, InngestEvents};
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Serialize, JsonSchema, InngestEvent)]
#[inngest(name = "storefront/opened")]
struct Opened;

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/closed")]
struct Closed;

// The enum itself compiles.
#[derive(InngestEvents)]
enum StorefrontEvent {
    Opened(Opened),
    Closed(Closed),
}

fn main() {
    let _ = Catalog::new("storefront").events::<StorefrontEvent>();
    let _ = Catalog::new("storefront").event::<Closed>();
    let _ = Catalog::new("storefront").events::<Opened>();
}
