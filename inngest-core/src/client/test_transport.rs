//! A way for requests to go that is no network, for tests on a paused clock.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use crate::event::EventError;

/// Answers a client's requests in place of the network: see
/// [`ClientBuilder::transport`](crate::ClientBuilder::transport).
///
/// Any `Fn(http::Request<Bytes>) -> impl Future<Output = Result<http::Response<Bytes>, TransportFault>>`
/// is one. What the future does with time it does with tokio's, so that a paused clock works.
pub trait Transport: Send + Sync + 'static {
    /// Sends one request and waits for its whole answer.
    fn send(&self, request: http::Request<Bytes>) -> TransportAnswer<'_>;

    /// Hears of an event that the client itself refused, and where it was given to it.
    #[doc(hidden)]
    fn refused(&self, error: &EventError, caller: &'static Location<'static>) {
        let _ = (error, caller);
    }
}

/// Where a request's events were given to the client, one for each: an extension of the request.
#[derive(Clone, Debug)]
pub(crate) struct Callers(pub(crate) Arc<[&'static Location<'static>]>);

/// What a [`Transport`] promises.
pub type TransportAnswer<'a> =
    Pin<Box<dyn Future<Output = Result<http::Response<Bytes>, TransportFault>> + Send + 'a>>;

impl<T, F> Transport for T
where
    T: Fn(http::Request<Bytes>) -> F + Send + Sync + 'static,
    F: Future<Output = Result<http::Response<Bytes>, TransportFault>> + Send + 'static,
{
    fn send(&self, request: http::Request<Bytes>) -> TransportAnswer<'_> {
        Box::pin(self(request))
    }
}

impl fmt::Debug for dyn Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport(..)")
    }
}

/// Why a [`Transport`] has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportFault {
    /// No connection came about, so the server has seen nothing.
    #[error("the connection was refused")]
    Connect,
    /// The connection broke; the server may have seen everything.
    #[error("the connection was reset")]
    Interrupted,
}
