//! The derive macros of `inngest-core`, which re-exports them; depend on that crate.
#![forbid(unsafe_code)]

mod check;
mod diag;
mod emit;
mod fallback;
mod header;
mod inngest_attr;
mod model;
mod name;
mod serde_attr;
mod syntax;
mod template;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::diag::Errors;

/// Makes a struct an Inngest event: its payload type knows the event's name, and how its dedup id is
/// made.
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
/// The struct has named fields or none, since event data is a JSON object, and implements
/// `serde::Serialize`. It may have lifetimes, parameters and private fields; a parameter whose values
/// stand in the id is bound by `IdSegment`. An enum of events derives `InngestEvents`.
///
/// # `name`
///
/// Required. What happened, such as `storefront/cart.checkout.completed`: at most 255 bytes, no
/// white space, no control characters, no `*`, and not beginning with `inngest/`, in any case.
///
/// # `id`
///
/// The template of the dedup id. For 24 hours after an event, Inngest starts no function for
/// another one with its id.
///
/// | in the template | in the id |
/// |---|---|
/// | text | the text |
/// | `{field}` | the field's value; the name is Rust's, without `r#` and before serde renames it |
/// | `{account.id}` | the value of a field's field |
/// | `{{`, `}}` | `{`, `}` |
///
/// The type of a field in it implements [`IdSegment`](macro@IdSegment): its text must be the same in
/// every release of your program. So there are no format specs, and a float, an `Option` or a
/// collection is a compile error. A blank text, which is empty or has only invisible characters, is an
/// error when the event is sent.
///
/// Ids are shared by all event types: a template begins with text that has a letter in it, which
/// should be the event's name. Different values make different ids: two placeholders have text
/// between them, which begins with neither a letter, a digit nor `%`, and that first character and `%`
/// are percent-encoded in the value before it (not in integers, `bool` and uuids, which cannot
/// contain it, or have a length of their own).
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
/// The payload's version, sent as `v`: any text, such as `2026-11-01.1`.
///
/// # `crate`
///
/// Where `inngest_core` is, if your crate has it under another name or re-exported: an absolute path,
/// such as `::my_sdk::inngest_core`.
///
/// ```
/// # use inngest_core::InngestEvent;
/// # use serde::Serialize;
/// #[derive(Serialize, InngestEvent)]
/// #[inngest(name = "storefront/started", crate = ::inngest_core)]
/// struct Started;
/// ```
#[proc_macro_derive(InngestEvent, attributes(inngest))]
pub fn derive_inngest_event(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    inngest_event(input.into()).into()
}

/// Lets the values of a newtype or of a fieldless enum stand in a dedup id.
///
/// A newtype has the text of what it holds; beside it there may be a `PhantomData`. A variant has the
/// name serde gives it, by `rename` and `rename_all`; no two may have the same one.
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
/// `#[inngest(crate = ..)]` is that of [`InngestEvent`](macro@InngestEvent#crate).
#[proc_macro_derive(IdSegment, attributes(inngest))]
pub fn derive_id_segment(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    id_segment(input.into()).into()
}

/// Makes an enum, each variant of which holds one event, an event of any of its types: it is sent under
/// the name, the id and the version of the event it holds, and received by the event's name.
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
/// // Sent, each as what it is: `client.send_all(events).await?`.
/// let events: [StorefrontEvent; 2] =
///     [CartUpdated { cart_id: "c1".into() }.into(), CouponUsed { code: "XMAS".into() }.into()];
///
/// // Received: by the name.
/// let event = r#"{"name": "storefront/coupon.used", "data": {"code": "XMAS"}}"#;
/// let event: StorefrontEvent = serde_json::from_str(event)?;
/// assert!(matches!(event, StorefrontEvent::CouponUsed(coupon) if coupon.code == "XMAS"));
/// # assert!(matches!(&events[0], StorefrontEvent::CartUpdated(cart) if cart.cart_id == "c1"));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// It implements the trait `InngestEvents` with what is known of the events, as a constant; `IntoEvent` through it, for the enum and for references to it; `From` for each event; and,
/// if all of them implement it, `Deserialize`. A variant may hold the event in a `Box`.
///
/// No two events of an enum may have one name, or could make one dedup id as far as their templates'
/// text tells, before the first placeholder and behind the last: that is a compile error.
///
/// `#[inngest(crate = ..)]` is that of [`InngestEvent`](macro@InngestEvent#crate).
#[proc_macro_derive(InngestEvents, attributes(inngest))]
pub fn derive_inngest_events(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    inngest_events(input.into()).into()
}

fn inngest_event(input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let event = syntax::event(&input, &mut errors);
    check::event(&event, &mut errors);
    if errors.is_empty() { emit::event(&event) } else { fallback::event(&event, &errors) }
}

fn id_segment(input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let segment = syntax::segment(&input, &mut errors);
    check::segment(&segment, &mut errors);
    if errors.is_empty() { emit::segment(&segment) } else { fallback::segment(&segment, &errors) }
}

fn inngest_events(input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let mut set = syntax::set(&input, &mut errors);
    check::set(&mut set, &mut errors);
    if errors.is_empty() { emit::set(&set, None) } else { fallback::set(&set, &errors) }
}
