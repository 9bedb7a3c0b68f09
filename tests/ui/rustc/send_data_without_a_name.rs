use std::collections::HashMap;

use inngest_core::{Event, IntoEvent};
use serde_json::json;

fn send(_: impl IntoEvent) {}

fn main() {
    send("storefront/cart.updated");
    send(String::from("storefront/cart.updated"));
    send(json!({ "name": "storefront/cart.updated" }));
    send(&json!({ "name": "storefront/cart.updated" }));
    send(HashMap::from([("cart_id", "c1")]));
    send(("storefront/cart.updated", json!({})));
    send(Event::new(json!({})));
}
