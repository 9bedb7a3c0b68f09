//! Events of several types as one: what `#[derive(InngestEvents)]` makes of an enum.

mod decode;
mod distinct;
mod error_path;

use std::fmt;

use super::InngestEvent;
use super::envelope::Envelope;
use super::error::EventError;
use super::writer::EventWriter;

pub use decode::{RawData, receive};
pub(super) use decode::{SET, with_name};
pub use distinct::assert_distinct;

/// One event of several types: `#[derive(InngestEvents)]` implements it for enums whose variants hold
/// one event each. A single event is a set of one.
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use inngest_core::{InngestEvent, InngestEvents};
/// use serde::Serialize;
///
/// #[derive(Serialize, InngestEvent)]
/// #[inngest(name = "storefront/cart.updated", id = "cart-updated-{cart_id}")]
/// struct CartUpdated { cart_id: String }
///
/// #[derive(Serialize, InngestEvent)]
/// #[inngest(name = "storefront/coupon.used", version = "2")]
/// struct CouponUsed { code: String }
///
/// #[derive(InngestEvents)]
/// enum StorefrontEvent {
///     CartUpdated(CartUpdated),
///     CouponUsed(CouponUsed),
/// }
///
/// let names: Vec<_> = StorefrontEvent::EVENTS.iter().map(|event| event.name).collect();
/// assert_eq!(names, ["storefront/cart.updated", "storefront/coupon.used"]);
/// assert_eq!(StorefrontEvent::EVENTS[0].id_template, Some("cart-updated-{cart_id}"));
/// assert_eq!(StorefrontEvent::EVENTS[1].version, Some("2"));
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an Inngest event",
    label = "not an Inngest event",
    note = "add `#[derive(InngestEvent)]` and `#[inngest(name = \"domain/object.action\")]` to it",
    note = "for an enum of events, add `#[derive(InngestEvents)]`"
)]
pub trait InngestEvents {
    /// What is known of its events, in the order of the variants.
    const EVENTS: &'static [EventInfo];

    /// Writes the one event that this value is.
    #[doc(hidden)]
    fn write_event_in(
        &self,
        envelope: &Envelope,
        out: &mut EventWriter<'_>,
    ) -> Result<(), EventError>;
}

impl<E: InngestEvent> InngestEvents for E {
    const EVENTS: &'static [EventInfo] = &[EventInfo::new("", E::NAME, E::VERSION, E::ID_TEMPLATE)];

    fn write_event_in(
        &self,
        envelope: &Envelope,
        out: &mut EventWriter<'_>,
    ) -> Result<(), EventError> {
        self.write_in(envelope, out)
    }
}

/// What is known of an event's type before there is an event: for documentation, for dashboards, for
/// a check in a test that two services mean the same.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct EventInfo {
    /// [`InngestEvent::NAME`].
    pub name: &'static str,
    /// [`InngestEvent::VERSION`].
    pub version: Option<&'static str>,
    /// [`InngestEvent::ID_TEMPLATE`].
    pub id_template: Option<&'static str>,
    /// The variant that holds it.
    variant: &'static str,
    /// The template's text before its first placeholder and behind its last, with doubled braces.
    begins: &'static [u8],
    ends: &'static [u8],
}

impl EventInfo {
    /// What is known of the event that `variant` of an enum holds.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        variant: &'static str,
        name: &'static str,
        version: Option<&'static str>,
        id_template: Option<&'static str>,
    ) -> EventInfo {
        let (begins, ends) = match id_template {
            Some(template) => distinct::literal_ends(template),
            None => (&[] as &[u8], &[] as &[u8]),
        };
        EventInfo { name, version, id_template, variant, begins, ends }
    }
}

impl fmt::Debug for EventInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventInfo")
            .field("name", &self.name)
            .field("version", &self.version)
            .field("id_template", &self.id_template)
            .finish_non_exhaustive()
    }
}
