use inngest_core::InngestEvent;
use serde::Serialize;

// Six mistakes are six errors in one compile, and uses of the event add no others.
#[derive(Serialize, InngestEvent)]
#[inngest(name = "storefront/cart updated", nmae = "x", version = 2, id = "{cart_idd}-{")]
struct CartUpdated {
    cart_id: String,
}

fn send(_: impl inngest_core::IntoEvent) {}

fn charge(_: &impl inngest_core::Deduplicated) {}

fn main() {
    let event = CartUpdated { cart_id: "c1".to_owned() };
    charge(&event);
    println!("{} {:?}", CartUpdated::NAME, event.dedup_id());
    send(&event);
    send(event);
}
