//! What can be sent: [`IntoEvent`], and the steps by which rustc finds out.
//!
//! A value that is no event is one error, whose text depends on the value. [`IntoEvent`] has the text for types in
//! general. For a group of types, such as collections, a step has the text: with a second implementation for a type
//! of the group, of which neither applies (`not_an_event.rs`), rustc stops there. rustc uses a step's text
//! only if it is about another type than the bound of `send`, so the steps are about [`Sent`]. rustc lists the
//! types that implement a step, except by an implementation for any type or by one with `do_not_recommend`.

use std::rc::Rc;
use std::sync::Arc;

use super::envelope::{Envelope, Event};
use super::error::EventError;
use super::set::InngestEvents;
use super::writer::EventWriter;

/// A value that can be sent: an event, a reference, `Arc` or `Rc` to one, an enum of events, an [`Event`] envelope
/// around an event, or a [`RawEvent`](crate::RawEvent).
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

/// A value that is sent.
#[derive(Debug)]
pub struct Sent<E>(pub(super) E);

/// A value that is not several events.
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

/// A value that is an event in any case.
#[diagnostic::on_unimplemented(
    message = "`{E}` may be no event",
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

// These are no `InngestEvent`, which is `Serialize`: that would require the feature `rc` of serde.
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
