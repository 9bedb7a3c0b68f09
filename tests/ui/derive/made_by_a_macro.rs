use inngest_core::InngestEvent;
use serde::Serialize;

macro_rules! event {
    ($event:ident, $name:expr, $id:literal, $field:ident: $type:ty) => {
        #[derive(Serialize, InngestEvent)]
        #[inngest(name = $name, id = $id)]
        struct $event {
            $field: $type,
        }
    };
}

event!(CartUpdated, "storefront/cart updated", "cart-{cart}", cart_id: String);
event!(CartViewed, concat!("storefront/", "cart"), "cart-{cart_id}", cart_id: String);

fn main() {}
