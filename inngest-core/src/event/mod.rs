//! Events: a payload type with a name, an optional version and an optional dedup id.
//!
//! An event is sent by [`IntoEvent`] -> [`InngestEvents`] -> `writer.rs` -> `checked_json.rs`. It is received by
//! `received.rs`, and by `set/decode.rs` for enums of events.

pub(crate) mod as_string;
mod blank;
mod checked_json;
mod const_string;
mod dedup;
mod envelope;
mod error;
mod forbidden;
mod id;
mod intern;
pub(crate) mod json_path;
mod json_tokens;
mod name;
mod not_an_event;
pub(crate) mod number;
mod raw;
mod received;
mod segments;
mod set;
mod source;
mod visitor;
mod writer;

use std::fmt;

use serde::Serialize;

#[cfg(feature = "encryption")]
pub(crate) use blank::is_blank;
#[cfg(feature = "schema")]
pub(crate) use checked_json::data_json;
#[cfg(feature = "encryption")]
pub(crate) use checked_json::write_value;
pub use dedup::{DedupId, Delegate, IdSegment, IdWriter, NewtypeField, Segment, dedup_id};
pub use envelope::{Envelope, Event};
pub use error::EventError;
pub use id::EventId;
#[cfg(feature = "outbox")]
pub(crate) use intern::intern;
#[cfg(feature = "client")]
pub(crate) use intern::{intern_name, is_shared_name};
pub use name::assert_valid_name;
#[cfg(feature = "client")]
pub(crate) use not_an_event::Never;
pub use raw::RawEvent;
#[cfg(feature = "testing")]
pub(crate) use received::decode_event;
#[cfg(feature = "encryption")]
pub(crate) use set::steps_to_error;
pub use set::{Conflicts, EventInfo, InngestEvents, RawData, decode, distinct};
pub use source::{IntoEvent, NamedEvent, OneEvent, PresentEvent, Sent};
pub use visitor::EventVisitor;
#[cfg(feature = "client")]
pub(crate) use writer::BeforeSend;
pub use writer::EventWriter;

/// A payload type with its event's name, its version and the rule for its dedup id.
///
/// Derive it on one struct per event:
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use inngest_core::InngestEvent;
/// use serde::Serialize;
///
/// #[derive(Serialize, InngestEvent)]
/// #[inngest(name = "storefront/cart.checkout.completed", id = "cart-checkout-completed-{cart_id}")]
/// struct CartCheckoutCompleted {
///     cart_id: String,
/// }
///
/// let checkout = CartCheckoutCompleted { cart_id: "ed12c8bde".into() };
/// assert_eq!(checkout.dedup_id()?.unwrap(), "cart-checkout-completed-ed12c8bde");
/// # }
/// # Ok::<(), inngest_core::EventError>(())
/// ```
///
/// # Numbers
///
/// Inngest reads numbers as 64-bit floats. An integer beyond ±(2^53 - 1) is an
/// [`EventError::UnsafeInteger`] when the event is sent.
///
/// JSON has no text for NaN and the infinities. **`serde_json` writes them as `null`, without an error**,
/// and this crate cannot distinguish them from `None`, so functions receive `null`. If a float can be one
/// of them, check it before you send the event, or send it as a string: [`as_string`](crate::as_string).
///
/// # By hand
///
/// The data must serialize as a JSON object or null; other data is an [`EventError::NotAnObject`] when the
/// event is sent. The name must follow the rules of the derive: 1 to 255 bytes, no white space, no control
/// characters, no `*`, and no prefix `inngest/` in upper or lower case. A name that breaks a rule is an
/// [`EventError::Name`] when the event is sent. If every value has a dedup id, implement [`Deduplicated`],
/// too.
///
/// ```
/// use inngest_core::{DedupId, EventError, InngestEvent};
/// use serde::Serialize;
///
/// #[derive(Serialize)]
/// struct CouponUsed { code: String }
///
/// impl InngestEvent for CouponUsed {
///     const NAME: &'static str = "storefront/coupon.used";
///     const VERSION: Option<&'static str> = None;
///     const ID_TEMPLATE: Option<&'static str> = Some("coupon-used-{code}");
///
///     fn dedup_id(&self) -> Result<Option<DedupId>, EventError> {
///         DedupId::new(format!("coupon-used-{}", self.code)).map(Some)
///     }
/// }
/// ```
///
/// See [events](crate::guide::events) in the guide.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an Inngest event",
    label = "not an Inngest event",
    note = "add `#[derive(InngestEvent)]` and `#[inngest(name = \"domain/object.action\")]` to it",
    note = "an enum of events is accepted by `impl IntoEvent` and by `InngestEvents`"
)]
pub trait InngestEvent: Serialize {
    /// The event's name, such as `storefront/cart.checkout.completed`. Functions are triggered by it.
    // rustc shows this line in an error about `dyn InngestEvent`.
    const NAME: &'static str; // instead of `dyn InngestEvent`, use an enum of events or a `Batch`

    /// The payload's version, sent as `v`. Inngest itself does not interpret it.
    const VERSION: Option<&'static str> = None;

    /// The source text of the dedup id's template, for documentation and tools. The id itself is rendered by
    /// [`dedup_id`](Self::dedup_id).
    const ID_TEMPLATE: Option<&'static str> = None;

    /// Returns the dedup id of this value as it is sent, or `None` if the type has none.
    ///
    /// # Errors
    ///
    /// - [`EventError::BlankIdSegment`] if a text in the id is blank: all events with a blank value would
    ///   share one id, and only the first would start functions.
    /// - [`EventError::IdSegment`] if an [`IdSegment`] implementation returns an error.
    fn dedup_id(&self) -> Result<Option<DedupId>, EventError>;

    /// Writes the dedup id to `out` and returns whether the type has one. The derive overrides this
    /// method with one that does not allocate.
    #[doc(hidden)]
    fn write_dedup_id(&self, out: &mut dyn fmt::Write) -> Result<bool, EventError> {
        let Some(id) = self.dedup_id()? else {
            return Ok(false);
        };
        match out.write_str(id.as_str()) {
            Ok(()) => Ok(true),
            Err(fmt::Error) => Err(EventError::IdSegment { event: Self::NAME, field: "id" }),
        }
    }

    /// Calls `visitor` with the event. Enums of events call this method on each variant's type rather than
    /// the visitor's, so that a type that is not an event is one compile error: every bound in the
    /// generated code is the same trait.
    #[doc(hidden)]
    #[inline]
    fn accept<V: EventVisitor>(&self, visitor: V) -> V::Output {
        visitor.visit(self)
    }
}

/// An event type whose values all have a dedup id. The derive implements it for types with an `id`
/// template.
///
/// Use it as a bound where a duplicate would do harm. Inngest deduplicates for 24 hours. Functions with
/// batching or debounce, and steps that wait for events, ignore dedup ids.
///
/// ```
/// # use inngest_core::Deduplicated;
/// fn charge<E: Deduplicated>(event: &E) { /* .. */ }
/// ```
///
/// See [events](crate::guide::events) in the guide.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no dedup id",
    label = "events of this type are not deduplicated",
    note = "add an `id` to its `#[inngest(..)]`, such as `id = \"checkout-completed-{{cart_id}}\"`"
)]
pub trait Deduplicated: InngestEvent {}

macro_rules! event_behind_pointer {
    ($($pointer:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl<E: InngestEvent + ?Sized> InngestEvent for $pointer {
            const NAME: &'static str = E::NAME;
            const VERSION: Option<&'static str> = E::VERSION;
            const ID_TEMPLATE: Option<&'static str> = E::ID_TEMPLATE;

            fn dedup_id(&self) -> Result<Option<DedupId>, EventError> {
                (**self).dedup_id()
            }

            fn write_dedup_id(&self, out: &mut dyn fmt::Write) -> Result<bool, EventError> {
                (**self).write_dedup_id(out)
            }
        }

        #[diagnostic::do_not_recommend]
        impl<E: Deduplicated + ?Sized> Deduplicated for $pointer {}
    )*};
}

event_behind_pointer!(&E, &mut E, Box<E>);
