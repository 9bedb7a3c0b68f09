//! The events of a shop, as they change.
#![allow(dead_code, reason = "only the schemas are used")]

use inngest_core::catalog::Catalog;
use inngest_core::{InngestEvent, InngestEvents};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A state of the code, by which tests name catalogs for child processes.
pub(crate) fn catalog(state: &str) -> Catalog {
    let catalog = Catalog::new("shop");
    match state {
        "first" => catalog.events::<first::ShopEvent>(),
        "compatible" => catalog.event::<compatible::OrderPlaced>().event::<first::CartUpdated>(),
        "noted" => catalog.event::<noted::OrderPlaced>().event::<first::CartUpdated>(),
        "breaking" => catalog.event::<breaking::OrderPlaced>().event::<first::CartUpdated>(),
        "other id" => catalog.event::<other_id::OrderPlaced>().event::<first::CartUpdated>(),
        "new version" => catalog.event::<first::OrderPlaced>().event::<versioned::CartUpdated>(),
        "orders only" => catalog.event::<first::OrderPlaced>(),
        "two enums" => catalog.events::<first::ShopEvent>().events::<other_enum::StaffEvent>(),
        other => panic!("no state `{other}`"),
    }
}

pub(crate) mod first {
    use super::*;

    /// An order was placed.
    #[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
    #[inngest(name = "shop/order.placed", id = "order-placed-{number}", version = "1")]
    pub(crate) struct OrderPlaced {
        /// The number of the order.
        number: u32,
        total: u32,
        payment: Payment,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "type", rename_all = "lowercase")]
    pub(crate) enum Payment {
        Cash,
        Card { last4: String },
    }

    #[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
    #[inngest(name = "shop/cart.updated", id = "cart-updated-{cart_id}", version = "1")]
    pub(crate) struct CartUpdated {
        cart_id: String,
        skus: Vec<String>,
    }

    #[derive(Serialize, InngestEvents)]
    #[serde(untagged)]
    pub(crate) enum ShopEvent {
        Order(OrderPlaced),
        Cart(CartUpdated),
    }
}

pub(crate) mod compatible {
    use super::*;

    #[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
    #[inngest(name = "shop/order.placed", id = "order-placed-{number}", version = "1")]
    pub(crate) struct OrderPlaced {
        number: u32,
        total: u32,
        payment: first::Payment,
        coupon: Option<String>,
    }
}

pub(crate) mod noted {
    use super::*;

    /// Compatible with the first state, and not with the other compatible one.
    #[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
    #[inngest(name = "shop/order.placed", id = "order-placed-{number}", version = "1")]
    pub(crate) struct OrderPlaced {
        number: u32,
        total: u32,
        payment: first::Payment,
        coupon: Option<u32>,
    }
}

pub(crate) mod breaking {
    use super::*;

    #[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
    #[inngest(name = "shop/order.placed", id = "order-placed-{number}", version = "1")]
    pub(crate) struct OrderPlaced {
        number: u32,
        total: String,
        payment: Payment,
        customer: String,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "type", rename_all = "lowercase")]
    pub(crate) enum Payment {
        Cash,
        Card { last4: String },
        Voucher { code: String },
    }
}

pub(crate) mod other_id {
    use super::*;

    #[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
    #[inngest(name = "shop/order.placed", id = "order-{number}", version = "1")]
    pub(crate) struct OrderPlaced {
        number: u32,
        total: u32,
        payment: first::Payment,
    }
}

pub(crate) mod versioned {
    use super::*;

    #[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
    #[inngest(name = "shop/cart.updated", id = "cart-updated-{cart_id}-{revision}", version = "2")]
    pub(crate) struct CartUpdated {
        cart_id: String,
        revision: u32,
    }
}

pub(crate) mod other_enum {
    use super::*;

    #[derive(Serialize, Deserialize, JsonSchema, InngestEvent)]
    #[inngest(name = "staff/shift.started", id = "shift-started-{number}")]
    pub(crate) struct ShiftStarted {
        number: u32,
    }

    #[derive(Serialize, InngestEvents)]
    #[serde(untagged)]
    pub(crate) enum StaffEvent {
        Shift(ShiftStarted),
        Order(first::OrderPlaced),
    }
}
