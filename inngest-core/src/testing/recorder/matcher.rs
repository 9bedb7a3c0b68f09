//! Which events an expectation is about.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::super::body;
use super::super::store::StoredEvent;
use super::diff::{self, Difference};
use super::record::Sent;
use crate::batch::Batch;
use crate::event::{Event, EventId, InngestEvent, IntoEvent};

/// The events of one name, or some of them.
pub(super) trait Wanted {
    /// What they are beyond their name, for a failure's text.
    const WHICH: &'static str;

    fn name(&self) -> &str;

    /// Whether an event of the name is one of them, or why that cannot be said.
    fn admits(&self, sent: &Sent) -> Result<bool, String>;

    /// In what an event of the name differs from them, where that can be said.
    fn differences(&self, _: &Sent) -> Option<Vec<Difference>> {
        None
    }
}

/// Events of a type.
pub(super) struct Typed<E>(PhantomData<fn() -> E>);

impl<E> Typed<E> {
    pub(super) fn new() -> Typed<E> {
        Typed(PhantomData)
    }
}

impl<E: InngestEvent> Wanted for Typed<E> {
    const WHICH: &'static str = "";

    fn name(&self) -> &str {
        E::NAME
    }

    fn admits(&self, _: &Sent) -> Result<bool, String> {
        Ok(true)
    }
}

/// Events of a type for which a closure says so.
pub(super) struct Matching<E, F> {
    matches: F,
    of: PhantomData<fn(&E)>,
}

impl<E, F: Fn(&Event<E>) -> bool> Matching<E, F> {
    pub(super) fn new(matches: F) -> Matching<E, F> {
        Matching { matches, of: PhantomData }
    }
}

impl<E, F> Wanted for Matching<E, F>
where
    E: InngestEvent + DeserializeOwned,
    F: Fn(&Event<E>) -> bool,
{
    const WHICH: &'static str = " that matches";

    fn name(&self) -> &str {
        E::NAME
    }

    fn admits(&self, sent: &Sent) -> Result<bool, String> {
        sent.decode().map(|event| (self.matches)(&event))
    }
}

/// Events that are as one that is given.
pub(super) struct Like(StoredEvent);

impl Like {
    /// Serialized and read as a sent event is, so that both have become the same on the way.
    #[track_caller]
    pub(super) fn new(expected: impl IntoEvent) -> Like {
        let mut batch = Batch::new();
        if let Err(error) = batch.push(expected) {
            panic!("the event to compare with could not be sent itself: {error}");
        }
        match body::read(&batch.body(0..1)).good.pop() {
            Some(expected) => Like(StoredEvent::new(expected, EventId::new(""), 0)),
            None => unreachable!("what the client sends can be read"),
        }
    }
}

impl Wanted for Like {
    const WHICH: &'static str = " like the one given";

    fn name(&self) -> &str {
        &self.0.name
    }

    fn admits(&self, sent: &Sent) -> Result<bool, String> {
        Ok(diff::between(&self.0, &sent.event, false).is_empty())
    }

    fn differences(&self, sent: &Sent) -> Option<Vec<Difference>> {
        Some(diff::between(&self.0, &sent.event, false))
    }
}
