//! `RawEvent`, an event whose name is known only at run time.

use serde::Serialize;

use super::envelope::{Envelope, Event};
use super::error::EventError;
use super::source::{NamedEvent, Sent};
use super::writer::EventWriter;

/// An event whose name is known only at run time, for example in a gateway that forwards events of other
/// programs.
///
/// Prefer a struct with `#[derive(InngestEvent)]`: its name, its version and its dedup id are in one place and
/// are checked at compile time. A raw event is checked when it is sent: the name by the rules of
/// [`InngestEvent`](crate::InngestEvent), and the data, which must be a JSON object or null, with its integers
/// and its size. An [`Event`] envelope adds a dedup id, a version and the other fields.
///
/// ```
/// # #[cfg(feature = "client")] {
/// use inngest_core::{Batch, Event, RawEvent};
/// use serde_json::json;
///
/// let (name, code) = ("storefront/coupon.used", "XMAS"); // from another program
/// let event = RawEvent::new(name, json!({ "code": code }));
///
/// let mut batch = Batch::new();
/// batch.push(&event)?;
/// batch.push(Event::new(event).id(format!("coupon-used-{code}")).version("2"))?;
/// # }
/// # Ok::<(), inngest_core::EventError>(())
/// ```
///
/// See [cookbook](crate::guide::cookbook) in the guide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawEvent<D> {
    name: Box<str>,
    data: D,
}

impl<D: Serialize> RawEvent<D> {
    /// Creates an event. Sending it fails with an [`EventError::Name`] if the name breaks a rule, and with an
    /// [`EventError::NotAnObject`] if the data is neither a JSON object nor null.
    pub fn new(name: impl Into<String>, data: D) -> RawEvent<D> {
        RawEvent { name: name.into().into(), data }
    }

    /// Returns the event's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the event's data.
    #[must_use]
    pub fn data(&self) -> &D {
        &self.data
    }

    fn write_in(&self, envelope: &Envelope, out: &mut EventWriter<'_>) -> Result<(), EventError> {
        out.write_raw_event(&self.name, &self.data, envelope)
    }
}

macro_rules! named_event {
    ($($type:ty: |$event:ident| $written:expr),* $(,)?) => {$(
        #[diagnostic::do_not_recommend]
        impl<'a, D: Serialize> NamedEvent<$type> for Sent<$type> {
            fn write_named(self, out: &mut EventWriter<'_>) -> Result<(), EventError> {
                let Sent($event) = self;
                let (event, envelope): (&RawEvent<D>, &Envelope) = $written;
                event.write_in(envelope, out)
            }
        }
    )*};
}

named_event! {
    RawEvent<D>: |event| (&event, &Envelope::default()),
    &'a RawEvent<D>: |event| (event, &Envelope::default()),
    Event<RawEvent<D>>: |event| (&event.data, event.envelope()),
    &'a Event<RawEvent<D>>: |event| (&event.data, event.envelope()),
    Event<&'a RawEvent<D>>: |event| (event.data, event.envelope()),
    &'a Event<&'a RawEvent<D>>: |event| (event.data, event.envelope()),
}
