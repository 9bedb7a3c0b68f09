use inngest_core::{IdSegment, InngestEvent, InngestEvents};
use serde::Serialize;

// Each is one error, of rustc.

#[derive(InngestEvents)]
enum StorefrontEvent {
    Missing(MissingEvent),
}

#[derive(IdSegment)]
struct CartId(MissingId);

#[derive(InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{cart_id}")]
struct CartUpdated<T: MissingTrait> {
    cart_id: T,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.viewed", id = "cart-viewed-{cart_id}")]
struct CartViewed {
    cart_id: MissingField,
}

#[derive(Serialize, InngestEvent)]
#[inngest(name = MISSING_NAME, id = "cart-shared-{cart_id}")]
struct CartShared {
    cart_id: u8,
}

fn main() {}
