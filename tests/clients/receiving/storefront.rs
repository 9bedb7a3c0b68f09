//! Payloads that this crate sends and functions of the official crate receive.

use inngest_core::{InngestEvent, InngestEvents};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[serde(rename_all = "camelCase")]
#[inngest(name = "storefront/order.placed", id = "order-placed-{order_id}", version = "2")]
pub struct OrderPlaced {
    pub order_id: String,
    pub total_cents: u64,
    pub kilograms: f64,
    pub items: Vec<Item>,
    pub note: Option<String>,
    pub payment: Payment,
    #[serde(with = "inngest_core::as_string")]
    pub account: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub sku: String,
    pub quantity: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payment {
    Cash,
    Card { last_digits: String },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "storefront/coupon.redeemed", id = "coupon-redeemed-{code}")]
pub struct CouponRedeemed {
    pub code: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
#[inngest(name = "storefront/shop.opened")]
pub struct ShopOpened;

#[derive(Debug, PartialEq, InngestEvents)]
pub enum StorefrontEvent {
    OrderPlaced(OrderPlaced),
    CouponRedeemed(CouponRedeemed),
}

/// Returns an order with values that JSON or Inngest changes: a float without a fraction, an absent option, and an
/// integer beyond 2^53, which is sent as a string.
pub fn order() -> OrderPlaced {
    OrderPlaced {
        order_id: "o1".into(),
        total_cents: 9_007_199_254_740_991,
        kilograms: 3.0,
        items: vec![Item { sku: "lamp \u{1f4a1}".into(), quantity: 2 }],
        note: None,
        payment: Payment::Card { last_digits: "4242".into() },
        account: u64::MAX,
    }
}
