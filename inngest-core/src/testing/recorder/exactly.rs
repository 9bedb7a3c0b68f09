//! Expectations of a number of events.

use serde::de::DeserializeOwned;

use super::expectation::Count;
use super::matcher::{LikeMatcher, PredicateMatcher, TypeMatcher};
use super::record::decode_all;
use super::{Recorder, or_panic};
use crate::event::{Event, InngestEvent, IntoEvent};

/// A number of expected events, returned by [`Recorder::exactly`]. Its methods select the events.
///
/// See [testing](crate::guide::testing) in the guide.
#[derive(Debug)]
#[must_use = "nothing is checked until `of`, `matching` or `like` is called"]
pub struct Exactly {
    pub(super) recorder: Recorder,
    pub(super) number: usize,
}

impl Exactly {
    /// Expects this number of events of `E`, and returns them in order.
    ///
    /// # Panics
    ///
    /// Panics if there are more or fewer, or if one does not decode as `E`.
    #[track_caller]
    #[allow(clippy::must_use_candidate, reason = "some tests only check that the events exist")]
    pub fn of<E>(self) -> Vec<Event<E>>
    where
        E: InngestEvent + DeserializeOwned,
    {
        let found = self.recorder.expect(Count::Exactly(self.number), TypeMatcher::<E>::new());
        or_panic(found.and_then(|found| decode_all(&found)))
    }

    /// Expects this number of events of `E` for which `matches` returns true, and returns them in order.
    ///
    /// # Panics
    ///
    /// Panics if there are more or fewer, or if an event with the name of `E` does not decode as `E`.
    #[track_caller]
    #[allow(clippy::must_use_candidate, reason = "some tests only check that the events exist")]
    pub fn matching<E, F>(self, matches: F) -> Vec<Event<E>>
    where
        E: InngestEvent + DeserializeOwned,
        F: Fn(&Event<E>) -> bool,
    {
        let found =
            self.recorder.expect(Count::Exactly(self.number), PredicateMatcher::new(matches));
        or_panic(found.and_then(|found| decode_all(&found)))
    }

    /// Expects this number of events like `expected`, compared as by [`Recorder::one_like`].
    ///
    /// # Panics
    ///
    /// Panics if there are more or fewer, or if `expected` cannot be sent.
    #[track_caller]
    pub fn like(self, expected: impl IntoEvent) {
        or_panic(self.recorder.expect(Count::Exactly(self.number), LikeMatcher::new(expected)));
    }
}
