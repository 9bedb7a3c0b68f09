//! Selects the events of an expectation.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::super::body;
use super::super::store::StoredEvent;
use super::diff::{self, Difference};
use super::record::SentEvent;
use crate::batch::Batch;
use crate::event::{Event, EventId, InngestEvent, IntoEvent};

/// Selects events of one name, and of one version if a type has one.
pub(super) trait Matcher {
    /// The text that follows the event's name in a failure.
    const DESCRIPTION: &'static str;

    fn name(&self) -> &str;

    /// Returns whether the event's name and version are the ones that the matcher selects.
    fn concerns(&self, sent: &SentEvent) -> bool {
        sent.event.name == self.name()
    }

    /// Returns whether an event of this name matches, or why that cannot be decided.
    fn matches(&self, sent: &SentEvent) -> Result<bool, String>;

    /// Returns how an event of this name differs from a matching one, if the matcher can compare.
    fn differences(&self, _: &SentEvent) -> Option<Vec<Difference>> {
        None
    }
}

/// Matches every event of a type.
pub(super) struct TypeMatcher<E>(PhantomData<fn() -> E>);

impl<E> TypeMatcher<E> {
    pub(super) fn new() -> TypeMatcher<E> {
        TypeMatcher(PhantomData)
    }
}

impl<E: InngestEvent> Matcher for TypeMatcher<E> {
    const DESCRIPTION: &'static str = "";

    fn name(&self) -> &str {
        E::NAME
    }

    fn concerns(&self, sent: &SentEvent) -> bool {
        sent.event.is::<E>()
    }

    fn matches(&self, _: &SentEvent) -> Result<bool, String> {
        Ok(true)
    }
}

/// Matches the events of a type for which a closure returns true.
pub(super) struct PredicateMatcher<E, F> {
    predicate: F,
    event_type: PhantomData<fn(&E)>,
}

impl<E, F: Fn(&Event<E>) -> bool> PredicateMatcher<E, F> {
    pub(super) fn new(predicate: F) -> PredicateMatcher<E, F> {
        PredicateMatcher { predicate, event_type: PhantomData }
    }
}

impl<E, F> Matcher for PredicateMatcher<E, F>
where
    E: InngestEvent + DeserializeOwned,
    F: Fn(&Event<E>) -> bool,
{
    const DESCRIPTION: &'static str = " that matches";

    fn name(&self) -> &str {
        E::NAME
    }

    fn concerns(&self, sent: &SentEvent) -> bool {
        sent.event.is::<E>()
    }

    fn matches(&self, sent: &SentEvent) -> Result<bool, String> {
        sent.decode().map(|event| (self.predicate)(&event))
    }
}

/// Matches the events that equal a given event, in the fields that the given event has.
pub(super) struct LikeMatcher(StoredEvent);

impl LikeMatcher {
    /// Serializes and reads the expected event as a sent event is, so that both are converted alike.
    #[track_caller]
    pub(super) fn new(expected: impl IntoEvent) -> LikeMatcher {
        let mut batch = Batch::new();
        if let Err(error) = batch.push(expected) {
            panic!("the expected event cannot be sent: {error}");
        }
        match body::parse(&batch.body(0..1)).events.pop() {
            Some(expected) => LikeMatcher(StoredEvent::new(expected, EventId::new(""), 0)),
            None => unreachable!("an event that a batch accepts can be read"),
        }
    }
}

impl Matcher for LikeMatcher {
    const DESCRIPTION: &'static str = " like the one given";

    fn name(&self) -> &str {
        &self.0.name
    }

    fn matches(&self, sent: &SentEvent) -> Result<bool, String> {
        Ok(diff::between(&self.0, &sent.event, false).is_empty())
    }

    fn differences(&self, sent: &SentEvent) -> Option<Vec<Difference>> {
        Some(diff::between(&self.0, &sent.event, false))
    }
}
