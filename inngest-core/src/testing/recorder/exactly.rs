//! Expectations of a number.

use serde::de::DeserializeOwned;

use super::expectation::Count;
use super::matcher::{Like, Matching, Typed};
use super::record::decoded;
use super::{Recorder, met};
use crate::event::{Event, InngestEvent, IntoEvent};

/// What [`Recorder::exactly`] returns: how many events there should be, but not yet of what.
#[derive(Debug)]
#[must_use = "it expects nothing until it is told of what"]
pub struct Exactly {
    pub(super) recorder: Recorder,
    pub(super) number: usize,
}

impl Exactly {
    /// Expects so many events of `E`, and returns them in order.
    ///
    /// # Panics
    ///
    /// There are more or fewer, or one does not decode as `E`.
    #[track_caller]
    #[allow(clippy::must_use_candidate, reason = "some tests ask only whether they are there")]
    pub fn of<E>(self) -> Vec<Event<E>>
    where
        E: InngestEvent + DeserializeOwned,
    {
        let found = self.recorder.expect(Count::Exactly(self.number), Typed::<E>::new());
        met(found.and_then(|found| decoded(&found)))
    }

    /// Expects so many events of `E` for which `matches` says so, and returns them in order.
    ///
    /// # Panics
    ///
    /// There are more or fewer, or an event of its name does not decode as `E`.
    #[track_caller]
    #[allow(clippy::must_use_candidate, reason = "some tests ask only whether they are there")]
    pub fn matching<E, F>(self, matches: F) -> Vec<Event<E>>
    where
        E: InngestEvent + DeserializeOwned,
        F: Fn(&Event<E>) -> bool,
    {
        let found = self.recorder.expect(Count::Exactly(self.number), Matching::new(matches));
        met(found.and_then(|found| decoded(&found)))
    }

    /// Expects so many events like `expected`, compared as [`Recorder::one_like`] does.
    ///
    /// # Panics
    ///
    /// There are more or fewer, or `expected` could not be sent itself.
    #[track_caller]
    pub fn like(self, expected: impl IntoEvent) {
        met(self.recorder.expect(Count::Exactly(self.number), Like::new(expected)));
    }
}
