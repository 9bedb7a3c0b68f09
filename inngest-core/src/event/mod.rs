//! What an event is: a payload with a name, perhaps a version, perhaps a dedup id.

mod checked_json;
mod dedup;
mod envelope;
mod error;
mod forbidden;
mod id;
#[cfg(feature = "client")]
mod intern;
mod name;
mod received;
mod segments;
mod set;
mod writer;

use std::fmt;

use serde::Serialize;

pub use dedup::{DedupId, Delegate, IdSegment, IdWriter, Inner, Segment, dedup_id};
pub use envelope::{Envelope, Event};
pub use error::EventError;
pub use id::EventId;
#[cfg(feature = "client")]
pub(crate) use intern::intern_name;
pub use set::{EventInfo, InngestEvents, RawData, assert_distinct, receive};
#[cfg(feature = "client")]
pub(crate) use writer::BeforeSend;
pub use writer::EventWriter;

/// A payload that knows its event's name, its version and how its dedup id is made.
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
/// # By hand
///
/// The data must serialize as a JSON object (or null). The name follows the rules the derive checks;
/// one that breaks them is an [`EventError::Name`] when the event is sent. Implement
/// [`Deduplicated`] too if every value has a dedup id.
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
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an Inngest event",
    label = "not an Inngest event",
    note = "add `#[derive(InngestEvent)]` and `#[inngest(name = \"domain/object.action\")]` to it",
    note = "for an enum of events, add `#[derive(InngestEvents)]`"
)]
pub trait InngestEvent: Serialize {
    /// The event's name, such as `storefront/cart.checkout.completed`.
    const NAME: &'static str;

    /// The payload's version, sent as `v`.
    const VERSION: Option<&'static str> = None;

    /// The template of the dedup id as it was written, for tools; [`dedup_id`](Self::dedup_id)
    /// makes the id.
    const ID_TEMPLATE: Option<&'static str> = None;

    /// The dedup id of this value as it goes on the wire.
    ///
    /// # Errors
    ///
    /// [`EventError::BlankIdSegment`] if a text in it is empty or only white space: every event
    /// without a value would share one id, and all but the first would start nothing.
    fn dedup_id(&self) -> Result<Option<DedupId>, EventError>;

    /// Writes the dedup id and says whether there is one. The derive writes it without allocating.
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

    /// Writes the whole event. An enum of events names each event's trait in this way only, so that
    /// one which is none is one error.
    #[doc(hidden)]
    fn write_in(&self, envelope: &Envelope, out: &mut EventWriter<'_>) -> Result<(), EventError> {
        out.write(self, envelope)
    }
}

/// An event type whose every value has a dedup id: the derive implements it for types with an `id`
/// template. Ask for it where a duplicate would hurt.
///
/// ```
/// # use inngest_core::Deduplicated;
/// fn charge<E: Deduplicated>(event: &E) { /* .. */ }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no dedup id",
    label = "events of this type are not deduplicated",
    note = "add an `id` to its `#[inngest(..)]`, such as `id = \"checkout-completed-{{cart_id}}\"`"
)]
pub trait Deduplicated: InngestEvent {}

macro_rules! event_behind_pointer {
    ($($pointer:ty),*) => {$(
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

        impl<E: Deduplicated + ?Sized> Deduplicated for $pointer {}
    )*};
}

event_behind_pointer!(&E, &mut E, Box<E>);

/// What can be sent: an event, a reference to one, an [`Event`] envelope around either, or an enum of
/// events. It writes itself into a batch.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an Inngest event",
    label = "not an Inngest event",
    note = "add `#[derive(InngestEvent)]` and `#[inngest(name = \"domain/object.action\")]` to it",
    note = "for an enum of events, add `#[derive(InngestEvents)]`"
)]
pub trait IntoEvent {
    #[doc(hidden)]
    fn write_event(self, out: &mut EventWriter<'_>) -> Result<(), EventError>;
}

impl<E: InngestEvents> IntoEvent for E {
    fn write_event(self, out: &mut EventWriter<'_>) -> Result<(), EventError> {
        self.write_event_in(&Envelope::default(), out)
    }
}

impl<E: InngestEvents> IntoEvent for Event<E> {
    fn write_event(self, out: &mut EventWriter<'_>) -> Result<(), EventError> {
        let (data, envelope) = self.into_parts();
        data.write_event_in(&envelope, out)
    }
}

impl<E: InngestEvents> IntoEvent for &Event<E> {
    fn write_event(self, out: &mut EventWriter<'_>) -> Result<(), EventError> {
        self.data.write_event_in(self.envelope(), out)
    }
}
