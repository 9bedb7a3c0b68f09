//! Enums of events: the trait that `#[derive(InngestEvents)]` implements.

mod decode;
mod distinct;
mod error_path;

use std::fmt;

use super::InngestEvent;
use super::dedup::DedupId;
use super::envelope::Envelope;
use super::error::EventError;
use super::visitor::{DedupIdOf, EventVisitor, NameOf, WriteIn};
use super::writer::EventWriter;

pub use decode::{RawData, decode};
pub use distinct::{Conflicts, distinct};
#[cfg(feature = "encryption")]
pub(crate) use error_path::steps_to_error;

/// A value that is one event of a fixed set of event types.
///
/// `#[derive(InngestEvents)]` implements it for enums whose variants hold one event each. It is also
/// implemented for each event type, as a set of one.
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
///
/// See [`event_enums`](crate::guide::event_enums) in the guide.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an Inngest event",
    label = "not an Inngest event",
    note = "add `#[derive(InngestEvent)]` and `#[inngest(name = \"domain/object.action\")]` to it",
    note = "for an enum of events, add `#[derive(InngestEvents)]`"
)]
pub trait InngestEvents {
    /// The event types, in the order of the variants.
    const EVENTS: &'static [EventInfo];

    /// Calls `visitor` with the event that the value holds.
    #[doc(hidden)]
    fn visit_event<V: EventVisitor>(&self, visitor: V) -> V::Output;

    /// Returns the name of the event that the value holds.
    ///
    /// ```
    /// # #[cfg(feature = "derive")] {
    /// # use inngest_core::{InngestEvent, InngestEvents};
    /// # #[derive(serde::Serialize, InngestEvent)]
    /// # #[inngest(name = "storefront/cart.updated", id = "cart-updated-{cart_id}")]
    /// # struct CartUpdated { cart_id: String }
    /// #[derive(InngestEvents)]
    /// enum StorefrontEvent {
    ///     CartUpdated(CartUpdated),
    /// }
    ///
    /// let event = StorefrontEvent::from(CartUpdated { cart_id: "c1".into() });
    /// assert_eq!(event.event_name(), "storefront/cart.updated");
    /// assert_eq!(event.event_dedup_id()?.unwrap(), "cart-updated-c1");
    /// # }
    /// # Ok::<(), inngest_core::EventError>(())
    /// ```
    fn event_name(&self) -> &'static str {
        self.visit_event(NameOf)
    }

    /// Returns the dedup id of the event that the value holds, or `None` if its type has none.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`InngestEvent::dedup_id`].
    fn event_dedup_id(&self) -> Result<Option<DedupId>, EventError> {
        self.visit_event(DedupIdOf)
    }

    /// Writes the event with the given envelope.
    #[doc(hidden)]
    #[inline]
    fn write_event_in(
        &self,
        envelope: &Envelope,
        out: &mut EventWriter<'_>,
    ) -> Result<(), EventError> {
        self.visit_event(WriteIn { envelope, out })
    }
}

// With the attribute, the error about a type that is not an event does not list the types that implement the trait.
#[diagnostic::do_not_recommend]
impl<E: InngestEvent> InngestEvents for E {
    const EVENTS: &'static [EventInfo] = &[EventInfo::new("", E::NAME, E::VERSION, E::ID_TEMPLATE)];

    #[inline]
    fn visit_event<V: EventVisitor>(&self, visitor: V) -> V::Output {
        visitor.visit(self)
    }
}

/// The name, the version and the id template of an event type, for documentation, dashboards, and tests that
/// compare the events of two services.
///
/// See [`event_enums`](crate::guide::event_enums) in the guide.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct EventInfo {
    /// [`InngestEvent::NAME`].
    pub name: &'static str,
    /// [`InngestEvent::VERSION`].
    pub version: Option<&'static str>,
    /// [`InngestEvent::ID_TEMPLATE`].
    pub id_template: Option<&'static str>,
    /// The name of the enum's variant; empty for an event type that is not part of an enum.
    variant: &'static str,
    /// The template's text before its first placeholder, with doubled braces.
    id_prefix: &'static [u8],
    /// The template's text after its last placeholder, with doubled braces.
    id_suffix: &'static [u8],
}

impl EventInfo {
    /// Describes the event type that `variant` of an enum holds.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        variant: &'static str,
        name: &'static str,
        version: Option<&'static str>,
        id_template: Option<&'static str>,
    ) -> EventInfo {
        let (id_prefix, id_suffix) = match id_template {
            Some(template) => distinct::literal_affixes(template),
            None => (&[] as &[u8], &[] as &[u8]),
        };
        EventInfo { name, version, id_template, variant, id_prefix, id_suffix }
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
