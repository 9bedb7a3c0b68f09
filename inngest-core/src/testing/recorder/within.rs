//! Expectations that wait for code that sends in the background.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::Recorder;
use super::expectation::{Count, Expectation};
use super::matcher::{LikeMatcher, Matcher, PredicateMatcher, TypeMatcher};
use super::record::{SentEvent, decode_all, decode_first};
use crate::event::{Event, InngestEvent, IntoEvent};

/// Expectations that wait, returned by [`Recorder::within`].
///
/// Each method panics when its future is awaited, in the cases in which the method of [`Recorder`] panics.
///
/// See [testing](crate::guide::testing) in the guide.
#[derive(Debug)]
#[must_use = "nothing is checked until one of its methods is called and awaited"]
pub struct Within {
    pub(super) recorder: Recorder,
    pub(super) time: Duration,
}

/// A number of expected events to wait for, returned by [`Within::exactly`]. Its methods select the events.
///
/// See [testing](crate::guide::testing) in the guide.
#[derive(Debug)]
#[must_use = "nothing is checked until `of`, `matching` or `like` is called and awaited"]
pub struct ExactlyWithin {
    within: Within,
    number: usize,
}

impl Within {
    /// Waits for the first event of `E`, and expects one as [`Recorder::one`] does.
    pub fn one<E>(self) -> impl Future<Output = Event<E>>
    where
        E: InngestEvent + DeserializeOwned,
    {
        OrPanic::new(async move {
            decode_first(&self.expect(Count::One, TypeMatcher::<E>::new()).await?)
        })
    }

    /// Waits for the first event for which `matches` returns true, and expects one as
    /// [`Recorder::one_matching`] does.
    pub fn one_matching<E, F>(self, matches: F) -> impl Future<Output = Event<E>>
    where
        E: InngestEvent + DeserializeOwned,
        F: Fn(&Event<E>) -> bool,
    {
        OrPanic::new(async move {
            decode_first(&self.expect(Count::One, PredicateMatcher::new(matches)).await?)
        })
    }

    /// Waits for the first event like `expected`, and expects one as [`Recorder::one_like`] does.
    #[track_caller]
    pub fn one_like<E: IntoEvent>(self, expected: E) -> impl Future<Output = ()> + use<E> {
        let like = LikeMatcher::new(expected);
        OrPanic::new(async move { self.expect(Count::One, like).await.map(drop) })
    }

    /// Waits until the time is over, and returns every event of `E` as [`Recorder::all`] does.
    pub fn all<E>(self) -> impl Future<Output = Vec<Event<E>>>
    where
        E: InngestEvent + DeserializeOwned,
    {
        OrPanic::new(async move {
            tokio::time::sleep(self.time).await;
            self.recorder.try_all()
        })
    }

    /// Waits for `number` events, which the methods of the returned value select:
    /// `sent.within(time).exactly(2).of::<E>().await`.
    pub fn exactly(self, number: usize) -> ExactlyWithin {
        ExactlyWithin { within: self, number }
    }

    /// Waits until the time is over, and expects no event of `E` as [`Recorder::none`] does. The first event
    /// ends the wait with a failure.
    pub fn none<E: InngestEvent>(self) -> impl Future<Output = ()> {
        OrPanic::new(async move {
            self.expect(Count::Exactly(0), TypeMatcher::<E>::new()).await.map(drop)
        })
    }

    async fn expect<M: Matcher>(self, count: Count, matcher: M) -> Result<Vec<SentEvent>, String> {
        let expectation = Expectation { count, matcher, within: Some(self.time) };
        let mut accepted = self.recorder.record.subscribe();
        let decided = async {
            while expectation.is_undecided(&self.recorder.view()) {
                // This fails only after the recorder is dropped, which `self` prevents.
                if accepted.changed().await.is_err() {
                    break;
                }
            }
        };
        // Whether the time is over does not matter: the check decides from the events.
        tokio::time::timeout(self.time, decided).await.ok();
        self.recorder.check(&expectation)
    }
}

impl ExactlyWithin {
    /// Waits for this number of events of `E`, and returns them as [`Exactly::of`](super::Exactly::of) does.
    pub fn of<E>(self) -> impl Future<Output = Vec<Event<E>>>
    where
        E: InngestEvent + DeserializeOwned,
    {
        let count = Count::Exactly(self.number);
        OrPanic::new(async move {
            decode_all(&self.within.expect(count, TypeMatcher::<E>::new()).await?)
        })
    }

    /// Waits for this number of events for which `matches` returns true, and returns them as
    /// [`Exactly::matching`](super::Exactly::matching) does.
    pub fn matching<E, F>(self, matches: F) -> impl Future<Output = Vec<Event<E>>>
    where
        E: InngestEvent + DeserializeOwned,
        F: Fn(&Event<E>) -> bool,
    {
        let count = Count::Exactly(self.number);
        OrPanic::new(async move {
            decode_all(&self.within.expect(count, PredicateMatcher::new(matches)).await?)
        })
    }

    /// Waits for this number of events like `expected`, compared as by [`Exactly::like`](super::Exactly::like).
    #[track_caller]
    pub fn like<E: IntoEvent>(self, expected: E) -> impl Future<Output = ()> + use<E> {
        let (count, like) = (Count::Exactly(self.number), LikeMatcher::new(expected));
        OrPanic::new(async move { self.within.expect(count, like).await.map(drop) })
    }
}

/// A future that panics on an error, with the line that awaits it as the location.
struct OrPanic<F>(Pin<Box<F>>);

impl<F> OrPanic<F> {
    fn new(expectation: F) -> OrPanic<F> {
        OrPanic(Box::pin(expectation))
    }
}

impl<T, F: Future<Output = Result<T, String>>> Future for OrPanic<F> {
    type Output = T;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match self.0.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(found)) => Poll::Ready(found),
            Poll::Ready(Err(failure)) => panic!("{failure}"),
        }
    }
}
