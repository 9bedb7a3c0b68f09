use inngest_core::{EventInfo, InngestEvent, InngestEvents};
use serde::Serialize;

macro_rules! event {
    ($event:ident, $name:literal, $id:literal) => {
        #[derive(Serialize, InngestEvent)]
        #[inngest(name = $name, id = $id)]
        struct $event {
            id: u8,
        }
    };
}

event!(ItemImported, "storefront/item.imported", "item-{id}");
event!(ItemDeleted, "storefront/item.deleted", "item-{id}-deleted");
event!(ItemRenamed, "storefront/item.imported", "renamed-{id}");

// Events without parameters are compared here.
#[derive(InngestEvents)]
enum Any<'a, T, U> {
    First(Box<T>),
    ItemImported(ItemImported),
    Reference(&'a U),
    ItemDeleted(ItemDeleted),
    ItemRenamed(ItemRenamed),
}

// The others are compared where the enum is used.
#[derive(InngestEvents)]
enum Either<T: 'static, U: 'static> {
    Left(Box<T>),
    Right(&'static U),
}

const _: &[EventInfo] = Either::<ItemDeleted, ItemRenamed>::EVENTS;
const _: &[EventInfo] = Either::<ItemImported, ItemDeleted>::EVENTS;

fn main() {}
