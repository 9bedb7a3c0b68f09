use inngest_core::{Deduplicated, IdSegment, InngestEvent, InngestEvents, IntoEvent};

// rustc and the derive each report what is missing. Uses of the types add no errors.

#[derive(InngestEvent)]
#[inngest(name = "storefront/cart.updated", id = "cart-updated-{cart_id}")]
struct CartUpdated<T: Clone>
where
    T: Copy,
{
    cart_id: T,
    lines
}

impl<T: Copy> serde::Serialize for CartUpdated<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

#[derive(IdSegment)]
struct CartId {
    id
}

#[derive(InngestEvents)]
enum StorefrontEvent {
    CartUpdated(CartUpdated<u8>),
    Coupon Coupons,
}

fn send(_: impl IntoEvent) {}
fn charge(_: &impl Deduplicated) {}
fn write(_: impl IdSegment) {}

fn use_them(cart: CartUpdated<u8>, id: CartId, event: StorefrontEvent) {
    println!("{} {:?}", CartUpdated::<u8>::NAME, cart.dedup_id());
    charge(&cart);
    send(&cart);
    send(cart);
    write(id);
    send(&event);
    send(event);
}

fn main() {}
