//! Expectations of code that sends in the background.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::Recorder;
use super::expectation::{Count, Expectation};
use super::matcher::{Like, Matching, Typed, Wanted};
use super::record::{Sent, decoded, first};
use crate::event::{Event, InngestEvent, IntoEvent};

/// What [`Recorder::within`] returns: expectations that wait.
#[derive(Debug)]
#[must_use = "it expects nothing until it is told what"]
pub struct Within {
    pub(super) recorder: Recorder,
    pub(super) time: Duration,
}

/// What [`Within::exactly`] returns.
#[derive(Debug)]
#[must_use = "it expects nothing until it is told what"]
pub struct ExactlyWithin {
    within: Within,
    number: usize,
}

impl Within {
    /// Waits for the first event of `E`, as [`Recorder::one`].
    pub fn one<E>(self) -> impl Future<Output = Event<E>>
    where
        E: InngestEvent + DeserializeOwned,
    {
        Waiting::new(async move { first(&self.expect(Count::One, Typed::<E>::new()).await?) })
    }

    /// Waits for the first event for which `matches` says so, as [`Recorder::one_matching`].
    pub fn one_matching<E, F>(self, matches: F) -> impl Future<Output = Event<E>>
    where
        E: InngestEvent + DeserializeOwned,
        F: Fn(&Event<E>) -> bool,
    {
        Waiting::new(async move { first(&self.expect(Count::One, Matching::new(matches)).await?) })
    }

    /// Waits for the first event like `expected`, as [`Recorder::one_like`].
    #[track_caller]
    pub fn one_like<E: IntoEvent>(self, expected: E) -> impl Future<Output = ()> + use<E> {
        let like = Like::new(expected);
        Waiting::new(async move { self.expect(Count::One, like).await.map(drop) })
    }

    /// Waits until the time is over, and returns every event of `E`, as [`Recorder::all`].
    pub fn all<E>(self) -> impl Future<Output = Vec<Event<E>>>
    where
        E: InngestEvent + DeserializeOwned,
    {
        Waiting::new(async move {
            tokio::time::sleep(self.time).await;
            self.recorder.try_all()
        })
    }

    /// Waits until there are `number` events of what is asked for next, as [`Recorder::exactly`].
    pub fn exactly(self, number: usize) -> ExactlyWithin {
        ExactlyWithin { within: self, number }
    }

    /// Waits until the time is over, or for the first event of `E`, as [`Recorder::none`].
    pub fn none<E: InngestEvent>(self) -> impl Future<Output = ()> {
        Waiting::new(
            async move { self.expect(Count::Exactly(0), Typed::<E>::new()).await.map(drop) },
        )
    }

    async fn expect<W: Wanted>(self, count: Count, wanted: W) -> Result<Vec<Sent>, String> {
        let expectation = Expectation { count, wanted, within: Some(self.time) };
        let mut accepted = self.recorder.record.accepted();
        let decided = async {
            while expectation.is_open(&self.recorder.view()) {
                // It fails only when the recorder is gone.
                if accepted.changed().await.is_err() {
                    break;
                }
            }
        };
        // Whether the time was over is not asked: the expectation says what it makes of it.
        tokio::time::timeout(self.time, decided).await.ok();
        self.recorder.check(&expectation)
    }
}

impl ExactlyWithin {
    /// Events of `E`, as [`Exactly::of`](super::Exactly::of).
    pub fn of<E>(self) -> impl Future<Output = Vec<Event<E>>>
    where
        E: InngestEvent + DeserializeOwned,
    {
        let count = Count::Exactly(self.number);
        Waiting::new(async move { decoded(&self.within.expect(count, Typed::<E>::new()).await?) })
    }

    /// Events for which `matches` says so, as [`Exactly::matching`](super::Exactly::matching).
    pub fn matching<E, F>(self, matches: F) -> impl Future<Output = Vec<Event<E>>>
    where
        E: InngestEvent + DeserializeOwned,
        F: Fn(&Event<E>) -> bool,
    {
        let count = Count::Exactly(self.number);
        Waiting::new(
            async move { decoded(&self.within.expect(count, Matching::new(matches)).await?) },
        )
    }

    /// Events like `expected`, as [`Exactly::like`](super::Exactly::like).
    #[track_caller]
    pub fn like<E: IntoEvent>(self, expected: E) -> impl Future<Output = ()> + use<E> {
        let (count, like) = (Count::Exactly(self.number), Like::new(expected));
        Waiting::new(async move { self.within.expect(count, like).await.map(drop) })
    }
}

/// A future that panics at the line that awaits it.
struct Waiting<F>(Pin<Box<F>>);

impl<F> Waiting<F> {
    fn new(expectation: F) -> Waiting<F> {
        Waiting(Box::pin(expectation))
    }
}

impl<T, F: Future<Output = Result<T, String>>> Future for Waiting<F> {
    type Output = T;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match self.0.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(met)) => Poll::Ready(met),
            Poll::Ready(Err(failure)) => panic!("{failure}"),
        }
    }
}
