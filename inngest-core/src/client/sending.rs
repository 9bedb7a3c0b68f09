//! The future that `send` and `send_all` return.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The future of [`Client::send`](crate::Client::send) and
/// [`Client::send_all`](crate::Client::send_all).
///
/// It is `Send` and `'static` and borrows nothing. Dropping it cancels the call. It is a named type
/// without a trait bound, so that a value that is not an event causes one compile error only, and
/// so that calls with different event types share compiled code.
///
/// See [sending](crate::guide::sending) in the guide.
#[must_use = "nothing is sent unless the future is awaited"]
pub struct Sending<T>(Pin<Box<dyn Future<Output = T> + Send>>);

impl<T> Sending<T> {
    pub(super) fn new(future: impl Future<Output = T> + Send + 'static) -> Sending<T> {
        Sending(Box::pin(future))
    }
}

impl<T> Future for Sending<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        self.0.as_mut().poll(context)
    }
}

impl<T> fmt::Debug for Sending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending").finish_non_exhaustive()
    }
}
