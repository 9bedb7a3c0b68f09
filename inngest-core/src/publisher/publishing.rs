//! The futures and the result of publishing.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::{mem, vec};

use super::entry::Entry;
use super::error::PublishError;
use super::queue::Queue;
use super::receipt::Receipt;

type Waiting = Pin<Box<dyn Future<Output = Result<Receipt, PublishError>> + Send>>;

/// The future of [`Publisher::publish`](super::Publisher::publish). Dropping it before it completes
/// discards the event.
///
/// See [publisher](crate::guide::publisher) in the guide.
#[must_use = "the event is queued when the future is awaited"]
pub struct Publishing(State);

enum State {
    Start(Arc<Queue>, Entry),
    /// The event is invalid. Boxed, since the error is large.
    Invalid(Box<PublishError>),
    /// The queue is full.
    Waiting(Waiting),
    Done,
}

impl Publishing {
    pub(super) fn new(queue: Arc<Queue>, entry: Result<Entry, PublishError>) -> Publishing {
        match entry {
            Ok(entry) => Publishing(State::Start(queue, entry)),
            Err(error) => Publishing(State::Invalid(Box::new(error))),
        }
    }
}

impl Future for Publishing {
    type Output = Result<Receipt, PublishError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut waiting: Waiting = match mem::replace(&mut self.0, State::Done) {
            State::Start(queue, entry) => match queue.push_now(&entry) {
                Some(result) => return Poll::Ready(result),
                None => Box::pin(async move { queue.push_when_there_is_capacity(entry).await }),
            },
            State::Invalid(error) => return Poll::Ready(Err(*error)),
            State::Waiting(waiting) => waiting,
            State::Done => panic!("`Publishing` was polled after it completed"),
        };
        let result = waiting.as_mut().poll(context);
        if result.is_pending() {
            self.0 = State::Waiting(waiting);
        }
        result
    }
}

impl fmt::Debug for Publishing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publishing").finish_non_exhaustive()
    }
}

/// The future of [`Publisher::publish_all`](super::Publisher::publish_all). Dropping it before it
/// completes discards the events that are not queued yet, and the receipts of the queued events.
///
/// See [publisher](crate::guide::publisher) in the guide.
#[must_use = "the events are queued when the future is awaited"]
pub struct PublishingAll {
    events: vec::IntoIter<Publishing>,
    current: Option<Publishing>,
    results: Vec<Result<Receipt, PublishError>>,
}

impl PublishingAll {
    pub(super) fn new(events: Vec<Publishing>) -> PublishingAll {
        let results = Vec::with_capacity(events.len());
        PublishingAll { events: events.into_iter(), current: None, results }
    }
}

impl Future for PublishingAll {
    type Output = Published;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Published> {
        while let Some(mut publishing) = self.current.take().or_else(|| self.events.next()) {
            match Pin::new(&mut publishing).poll(context) {
                Poll::Ready(result) => self.results.push(result),
                Poll::Pending => {
                    self.current = Some(publishing);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Published(mem::take(&mut self.results)))
    }
}

impl fmt::Debug for PublishingAll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishingAll").finish_non_exhaustive()
    }
}

/// The results of [`Publisher::publish_all`](super::Publisher::publish_all): a receipt or an error
/// for each event, in order. The errors contain the events that were not queued.
///
/// See [publisher](crate::guide::publisher) in the guide.
#[must_use = "its errors contain the events that were not queued"]
#[derive(Debug)]
pub struct Published(Vec<Result<Receipt, PublishError>>);

impl Published {
    /// Returns the number of events given to the call.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether the call had no events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the results in the order of the events.
    pub fn iter(&self) -> std::slice::Iter<'_, Result<Receipt, PublishError>> {
        self.0.iter()
    }

    /// Returns the results as a vector.
    #[must_use]
    pub fn into_vec(self) -> Vec<Result<Receipt, PublishError>> {
        self.0
    }

    /// Returns all receipts.
    ///
    /// # Errors
    ///
    /// Returns the error of the first event that was not queued. Use [`into_vec`](Published::into_vec) to
    /// keep the events of all errors.
    pub fn into_receipts(self) -> Result<Vec<Receipt>, PublishError> {
        self.0.into_iter().collect()
    }
}

impl IntoIterator for Published {
    type Item = Result<Receipt, PublishError>;
    type IntoIter = vec::IntoIter<Result<Receipt, PublishError>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Published {
    type Item = &'a Result<Receipt, PublishError>;
    type IntoIter = std::slice::Iter<'a, Result<Receipt, PublishError>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
