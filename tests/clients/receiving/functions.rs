//! The functions that the guide shows. `tests/clients/run` compares this file with the guide.

use inngest::client::Inngest;
use inngest::function::{FunctionOpts, Input, ServableFn, Trigger};
use inngest::result::{DevError, Error};
use inngest_core::InngestEvent;
use serde_json::{Value, json};

use crate::storefront::{OrderPlaced, StorefrontEvent};

/// One event type.
pub fn pack(app: &Inngest) -> ServableFn<OrderPlaced, Error> {
    app.create_function(
        FunctionOpts::new("pack"),
        Trigger::event(OrderPlaced::NAME),
        |input: Input<OrderPlaced>, _step| async move {
            let order = input.event.data;
            Ok(json!({ "order": order.order_id, "items": order.items.len() }))
        },
    )
}

/// Several event types, on one path.
pub fn count(app: &Inngest, event_name: &str) -> ServableFn<Value, Error> {
    app.create_function(
        FunctionOpts::new(&format!("count {event_name}")),
        Trigger::event(event_name),
        |input: Input<Value>, _step| async move {
            let event = json!({ "name": input.event.name, "data": input.event.data });
            let event: inngest_core::Event<StorefrontEvent> = serde_json::from_value(event)
                .map_err(|error| DevError::Basic(error.to_string()))?;
            Ok(match event.data {
                StorefrontEvent::OrderPlaced(order) => json!({ "cents": order.total_cents }),
                StorefrontEvent::CouponRedeemed(coupon) => json!({ "coupon": coupon.code }),
            })
        },
    )
}
