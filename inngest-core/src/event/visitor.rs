//! Operations on the event that a value holds, for any event type of a set.

use super::InngestEvent;
use super::dedup::DedupId;
use super::envelope::Envelope;
use super::error::EventError;
use super::writer::EventWriter;

/// An operation on one event. An enum of events calls it with the event of its variant.
pub trait EventVisitor {
    /// The result of the operation.
    type Output;

    /// Performs the operation on `event`.
    fn visit<E: InngestEvent + ?Sized>(self, event: &E) -> Self::Output;
}

/// Returns the event's name.
pub(super) struct NameOf;

impl EventVisitor for NameOf {
    type Output = &'static str;

    fn visit<E: InngestEvent + ?Sized>(self, _: &E) -> &'static str {
        E::NAME
    }
}

/// Renders the event's dedup id.
pub(super) struct DedupIdOf;

impl EventVisitor for DedupIdOf {
    type Output = Result<Option<DedupId>, EventError>;

    fn visit<E: InngestEvent + ?Sized>(self, event: &E) -> Self::Output {
        event.dedup_id()
    }
}

/// Writes the event with its envelope.
pub(super) struct WriteIn<'a, 'w> {
    pub(super) envelope: &'a Envelope,
    pub(super) out: &'a mut EventWriter<'w>,
}

impl EventVisitor for WriteIn<'_, '_> {
    type Output = Result<(), EventError>;

    fn visit<E: InngestEvent + ?Sized>(self, event: &E) -> Self::Output {
        self.out.write(event, self.envelope)
    }
}
