use inngest_core::{IdSegment, InngestEvent, InngestEvents};

#[derive(serde::Serialize, InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{cart_id}", crate = ::std)]
struct CartUpdated {
    cart_id: String,
}

#[derive(IdSegment)]
#[inngest(crate = ::missing_sdk::inngest_core)]
struct CartId(u64);

#[derive(InngestEvents)]
#[inngest(crate = crate::missing)]
enum StorefrontEvent {
    CartUpdated(CartUpdated),
}

fn main() {}
