//! The derive macros of `inngest-core`. Depend on `inngest-core`, which re-exports them.
#![forbid(unsafe_code)]

mod case;
mod check;
mod diag;
mod emit;
mod emit_enum;
mod expand;
mod fallback;
mod header;
mod inngest_attr;
mod item;
mod model;
mod name;
mod serde_attr;
mod span;
mod syntax;
mod template;
#[cfg(test)]
mod tests;
mod tokens;

use crate::expand::{id_segment, inngest_event, inngest_events};

/// Implements `InngestEvent` for a struct, which is the event's data, with the event's name, its
/// version and the template of its dedup id.
///
/// ```
/// use inngest_core::InngestEvent;
/// use serde::Serialize;
///
/// #[derive(Serialize, InngestEvent)]
/// #[inngest(
///     name = "storefront/cart.checkout.completed",
///     id = "cart-checkout-completed-{cart_id}",
///     version = "2026-11-01.1",
/// )]
/// struct CartCheckoutCompleted {
///     cart_id: String,
///     item_ids: Vec<String>,
/// }
///
/// let checkout = CartCheckoutCompleted { cart_id: "ed12c8bde".into(), item_ids: vec![] };
/// assert_eq!(CartCheckoutCompleted::NAME, "storefront/cart.checkout.completed");
/// assert_eq!(checkout.dedup_id()?.unwrap(), "cart-checkout-completed-ed12c8bde");
/// # Ok::<(), inngest_core::EventError>(())
/// ```
///
/// The struct must have named fields or no fields, since event data is a JSON object, and must
/// implement `serde::Serialize`. It can have lifetimes, generic parameters and private fields. The impl
/// has an `IdSegment` bound for each field type in the id that depends on a parameter. For an enum of
/// events, derive [`InngestEvents`](macro@InngestEvents).
///
/// The attribute `#[inngest(..)]` has the keys `name`, `id`, `version` and `crate`.
///
/// # `name`
///
/// Required. The event's name, such as `storefront/cart.checkout.completed`: 1 to 255 bytes, without
/// white space, control characters and `*`. It must not begin with `inngest/`, in upper or lower case.
///
/// It is a string literal or the path of a `&'static str` constant, to which the same rules apply:
///
/// ```
/// # use inngest_core::InngestEvent;
/// # use serde::Serialize;
/// pub const CART_UPDATED: &str = "storefront/cart.updated"; // also used elsewhere
///
/// #[derive(Serialize, InngestEvent)]
/// #[inngest(name = CART_UPDATED, id = "cart-updated-{cart_id}")]
/// struct CartUpdated {
///     cart_id: String,
/// }
///
/// assert_eq!(CartUpdated::NAME, "storefront/cart.updated");
/// ```
///
/// # `id`
///
/// Optional. The template of the dedup id. For 24 hours after an event, Inngest starts no function
/// for another event with the same id.
///
/// | in the template | in the id |
/// |---|---|
/// | text | the text |
/// | `{field}` | the field's value; the name is the Rust name, without `r#`, not the name that serde gives it |
/// | `{account.id}` | the value of a nested field |
/// | `{{`, `}}` | `{`, `}` |
///
/// The type of a field in the template must implement [`IdSegment`](macro@IdSegment). Its text must be
/// the same in every release of your program, so a template has no format specs, and a float, an
/// `Option` or a collection is a compile error. If the text is blank (empty, or only invisible
/// characters), sending the event is an error.
///
/// Ids are shared by all event types, so a template must begin with text that contains a letter. Use
/// the event's name for it. To give different values different ids, two placeholders must be separated
/// by text that begins with neither a letter, a digit nor `%`. This first character, and `%`, are
/// percent-encoded in the value before it, except in integers, `bool` and uuids, which cannot contain
/// them or have a fixed length.
///
/// ```
/// # use inngest_core::InngestEvent;
/// # use serde::Serialize;
/// #[derive(Serialize, InngestEvent)]
/// #[inngest(name = "storefront/line.added", id = "line-added-{cart.id}-{sku}")]
/// struct LineAdded {
///     cart: Cart,
///     sku: String,
/// }
///
/// #[derive(Serialize)]
/// struct Cart {
///     id: String,
/// }
///
/// let line = LineAdded { cart: Cart { id: "eu-7".into() }, sku: "a-1".into() };
/// assert_eq!(line.dedup_id()?.unwrap(), "line-added-eu%2D7-a-1");
/// # Ok::<(), inngest_core::EventError>(())
/// ```
///
/// # `version`
///
/// Optional. The version of the event's data, sent as `v`: any text that is not blank, such as
/// `2026-11-01.1`.
///
/// # `crate`
///
/// Optional. The path of `inngest_core`, if your crate depends on it under another name or through
/// another crate's re-export. The path must be absolute, such as `::my_sdk::inngest_core` or
/// `crate::reexports::inngest_core`.
///
/// ```
/// # use inngest_core::InngestEvent;
/// # use serde::Serialize;
/// #[derive(Serialize, InngestEvent)]
/// #[inngest(name = "storefront/started", crate = ::inngest_core)]
/// struct Started;
/// ```
///
/// See [events](https://docs.rs/inngest-core/latest/inngest_core/guide/events/) in the guide.
#[proc_macro_derive(InngestEvent, attributes(inngest))]
pub fn derive_inngest_event(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    inngest_event(input.into()).into()
}

/// Implements `IdSegment` for a newtype or a fieldless enum, so that dedup ids can contain its values.
///
/// The text of a newtype is the text of its inner value. A newtype can have a `PhantomData` as another
/// field. The text of a variant is its name in serde, with `rename` and `rename_all`. Two variants with
/// the same text are a compile error.
///
/// ```
/// use inngest_core::{IdSegment, InngestEvent};
/// use serde::Serialize;
///
/// #[derive(Serialize, IdSegment)]
/// struct CartId(u64);
///
/// #[derive(Serialize, IdSegment)]
/// #[serde(rename_all = "snake_case")]
/// enum State {
///     CheckedOut,
/// }
///
/// #[derive(Serialize, InngestEvent)]
/// #[inngest(name = "storefront/cart.moved", id = "cart-moved-{cart_id}-{to}")]
/// struct CartMoved {
///     cart_id: CartId,
///     to: State,
/// }
///
/// let moved = CartMoved { cart_id: CartId(7), to: State::CheckedOut };
/// assert_eq!(moved.dedup_id()?.unwrap(), "cart-moved-7-checked_out");
/// # Ok::<(), inngest_core::EventError>(())
/// ```
///
/// `#[inngest(crate = ..)]` has the same meaning as for [`InngestEvent`](macro@InngestEvent#crate).
///
/// See [events](https://docs.rs/inngest-core/latest/inngest_core/guide/events/) in the guide.
#[proc_macro_derive(IdSegment, attributes(inngest))]
pub fn derive_id_segment(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    id_segment(input.into()).into()
}

/// Implements `InngestEvents` for an enum of events, whose variants hold one event each.
///
/// A value of the enum is sent with the name, the dedup id and the version of the event that it holds.
/// When an event is received, its name selects the variant. If variants share a name, the version selects
/// one of them.
///
/// ```
/// use inngest_core::{InngestEvent, InngestEvents};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, InngestEvent)]
/// #[inngest(name = "storefront/cart.updated", id = "cart-updated-{cart_id}")]
/// struct CartUpdated {
///     cart_id: String,
/// }
///
/// #[derive(Serialize, Deserialize, InngestEvent)]
/// #[inngest(name = "storefront/coupon.used")]
/// struct CouponUsed {
///     code: String,
/// }
///
/// #[derive(InngestEvents)]
/// enum StorefrontEvent {
///     CartUpdated(CartUpdated),
///     CouponUsed(CouponUsed),
/// }
///
/// // Each is sent as the event that it holds: `client.send_all(events).await?`.
/// let events: [StorefrontEvent; 2] =
///     [CartUpdated { cart_id: "c1".into() }.into(), CouponUsed { code: "XMAS".into() }.into()];
///
/// // When it is received, the name selects the variant.
/// let event = r#"{"name": "storefront/coupon.used", "data": {"code": "XMAS"}}"#;
/// let event: StorefrontEvent = serde_json::from_str(event)?;
/// assert!(matches!(event, StorefrontEvent::CouponUsed(coupon) if coupon.code == "XMAS"));
/// # assert!(matches!(&events[0], StorefrontEvent::CartUpdated(cart) if cart.cart_id == "c1"));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// The derive implements:
///
/// - `InngestEvents`, with the name, the version and the id template of each event in the constant `EVENTS`,
///   for the enum and for references to it. Both therefore implement `IntoEvent`.
/// - `From<E>` for each event type `E`.
/// - `Deserialize`, if all event types implement it.
/// - `CatalogEvents`, with the feature `schema` of `inngest-core`, if all event types implement
///   `schemars::JsonSchema`.
///
/// A variant can hold its event in a `Box`.
///
/// Two events with the same name are a compile error unless they have different versions. Two events whose
/// dedup ids could be equal are a compile error, too. This is decided by the text of their templates before the
/// first placeholder and after the last one. Events that depend on a parameter of the enum are compared where
/// the enum is used with concrete arguments.
///
/// # Versions
///
/// Variants with the same name and different versions are versions of one event. They can have the same
/// `id` template. When such an event is received, its `v` selects the variant with this version, or else the
/// variant without a version. If there is neither, deserialization fails, and the error lists the versions. The
/// `v` of other events is ignored.
///
/// ```
/// # use inngest_core::{InngestEvent, InngestEvents};
/// # use serde::{Deserialize, Serialize};
/// #[derive(Serialize, Deserialize, InngestEvent)]
/// #[inngest(name = "storefront/coupon.used", id = "coupon-used-{code}", version = "1")]
/// struct CouponUsedV1 {
///     code: String,
/// }
///
/// #[derive(Serialize, Deserialize, InngestEvent)]
/// #[inngest(name = "storefront/coupon.used", id = "coupon-used-{code}", version = "2")]
/// struct CouponUsed {
///     code: String,
///     cents: u32,
/// }
///
/// #[derive(InngestEvents)]
/// enum CouponEvent {
///     UsedV1(CouponUsedV1),
///     Used(CouponUsed),
/// }
///
/// let event = r#"{"name": "storefront/coupon.used", "v": "1", "data": {"code": "XMAS"}}"#;
/// assert!(matches!(serde_json::from_str(event)?, CouponEvent::UsedV1(_)));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// `#[inngest(crate = ..)]` has the same meaning as for [`InngestEvent`](macro@InngestEvent#crate).
///
/// See [`event_enums`](https://docs.rs/inngest-core/latest/inngest_core/guide/event_enums/) in the guide.
#[proc_macro_derive(InngestEvents, attributes(inngest))]
pub fn derive_inngest_events(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    inngest_events(input.into()).into()
}
