//! The values that can be sent: [`IntoEvent`], and the traits by which rustc reports a value that cannot be sent.
//!
//! Sending a value that is not an event is a single compile error, whose text depends on the value. [`IntoEvent`] has
//! the text for types in general. Groups of types, such as collections, have a text of their own: [`IntoEvent`]
//! requires [`OneEvent`], which requires [`PresentEvent`], which requires [`NamedEvent`], and each of these steps has
//! the text of one group. `not_an_event.rs` implements the step of a group for its types, with a bound that is never
//! met. rustc then cannot choose between two implementations, and reports the step. rustc uses a step's text only if
//! the step is about another type than the bound of `send`, so the steps are about [`Sent`]. rustc lists the types
//! that implement a step, but not blanket implementations or implementations with `do_not_recommend`.

use std::rc::Rc;
use std::sync::Arc;

use super::envelope::{Envelope, Event};
use super::error::EventError;
use super::set::InngestEvents;
use super::writer::EventWriter;

/// A value that can be sent: an event, an enum of events, a reference, `Arc` or `Rc` to one of these, an [`Event`]
/// envelope around an event, or a [`RawEvent`](crate::RawEvent).
///
/// See [sending](crate::guide::sending) in the guide.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an Inngest event",
    label = "not an Inngest event",
    note = "add `#[derive(InngestEvent)]` and `#[inngest(name = \"domain/object.action\")]` to it",
    note = "for an enum of events, add `#[derive(InngestEvents)]`"
)]
pub trait IntoEvent {
    /// Writes the value as one event.
    #[doc(hidden)]
    fn write_event(self, out: &mut EventWriter<'_>) -> Result<(), EventError>;
}

impl<E> IntoEvent for E
where
    Sent<E>: OneEvent<E>,
{
    #[inline]
    fn write_event(self, out: &mut EventWriter<'_>) -> Result<(), EventError> {
        Sent(self).write_one(out)
    }
}

/// A value that is sent. The steps are implemented for it instead of the value itself.
#[derive(Debug)]
pub struct Sent<E>(pub(super) E);

/// A value that is one event, not several.
#[diagnostic::on_unimplemented(
    message = "`{E}` is several events, not one",
    label = "several events",
    note = "send them with `send_all`",
    note = "a `Batch` is sent with `send_batch(&batch)`"
)]
pub trait OneEvent<E> {
    /// Writes the value as one event.
    fn write_one(self, out: &mut EventWriter<'_>) -> Result<(), EventError>;
}

impl<E, S: PresentEvent<E>> OneEvent<E> for S {
    #[inline]
    fn write_one(self, out: &mut EventWriter<'_>) -> Result<(), EventError> {
        self.write_present(out)
    }
}

/// A value that is always an event, unlike an `Option` or a `Result`.
#[diagnostic::on_unimplemented(
    message = "`{E}` is not always an event",
    label = "not always an event",
    note = "for an `Option`: `if let Some(event) = ..`",
    note = "for a `Result`: handle the error with `?`, or collect the events first"
)]
pub trait PresentEvent<E> {
    /// Writes the value as one event.
    fn write_present(self, out: &mut EventWriter<'_>) -> Result<(), EventError>;
}

impl<E, S: NamedEvent<E>> PresentEvent<E> for S {
    #[inline]
    fn write_present(self, out: &mut EventWriter<'_>) -> Result<(), EventError> {
        self.write_named(out)
    }
}

/// A value that has an event's name as well as its data.
#[diagnostic::on_unimplemented(
    message = "`{E}` has no event name",
    label = "data without an event name",
    note = "define a struct with `#[derive(InngestEvent)]` and `#[inngest(name = \"domain/object.action\")]`",
    note = "if the name is known only at run time, send a `RawEvent::new(name, data)`"
)]
pub trait NamedEvent<E> {
    /// Writes the value as one event.
    fn write_named(self, out: &mut EventWriter<'_>) -> Result<(), EventError>;
}

impl<E: InngestEvents, S: Into<Sent<E>>> NamedEvent<E> for S {
    #[inline]
    fn write_named(self, out: &mut EventWriter<'_>) -> Result<(), EventError> {
        self.into().0.write_event_in(&Envelope::default(), out)
    }
}

#[diagnostic::do_not_recommend]
impl<E: InngestEvents> NamedEvent<Event<E>> for Sent<Event<E>> {
    fn write_named(self, out: &mut EventWriter<'_>) -> Result<(), EventError> {
        let (data, envelope) = self.0.into_parts();
        data.write_event_in(&envelope, out)
    }
}

#[diagnostic::do_not_recommend]
impl<'a, E: InngestEvents> NamedEvent<&'a Event<E>> for Sent<&'a Event<E>> {
    fn write_named(self, out: &mut EventWriter<'_>) -> Result<(), EventError> {
        self.0.data.write_event_in(self.0.envelope(), out)
    }
}

// `Arc` and `Rc` do not implement `InngestEvent`: it requires `Serialize`, for which they need serde's feature `rc`.
macro_rules! shared_event {
    ($($pointer:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl<'a, E: InngestEvents + ?Sized> NamedEvent<$pointer> for Sent<$pointer> {
            fn write_named(self, out: &mut EventWriter<'_>) -> Result<(), EventError> {
                E::write_event_in(&self.0, &Envelope::default(), out)
            }
        }
    )*};
}

shared_event!(Arc<E>, &'a Arc<E>, Rc<E>, &'a Rc<E>);
