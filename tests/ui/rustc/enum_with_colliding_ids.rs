use inngest_core::{InngestEvent, InngestEvents};
use serde::Serialize;

macro_rules! event {
    ($event:ident, $name:literal, $id:literal) => {
        #[derive(Serialize, InngestEvent)]
        #[inngest(name = $name, id = $id)]
        struct $event {
            id: String,
            kind: String,
        }
    };
}

event!(ItemImported, "storefront/item.imported", "item-{id}");
event!(ItemDeleted, "storefront/item.deleted", "item-{kind}-{id}");
event!(ItemMoved, "storefront/item.moved", "item-moved-{id}");
event!(CartFilled, "storefront/cart.filled", "cart-{{{kind}}}-{id}-filled");
event!(Cart, "storefront/cart", "cart-{{{id}");
event!(CartEmptied, "storefront/cart.emptied", "cart-{id}-emptied");

#[derive(InngestEvents)]
enum StorefrontEvent<'a> {
    ItemImported(ItemImported),
    ItemDeleted(&'a mut ItemDeleted),
    CartFilled(CartFilled),
    CartEmptied(CartEmptied),
    Cart(Cart),
}

#[derive(InngestEvents)]
enum Passes {
    ItemDeleted(ItemDeleted),
    CartFilled(CartFilled),
    CartEmptied(CartEmptied),
}

fn main() {}
