//! A replacement for the network, for tests on a paused clock.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use crate::event::EventError;

/// Responds to a client's requests instead of the network, for
/// [`ClientBuilder::transport`](crate::ClientBuilder::transport).
///
/// Implemented by any `Fn(http::Request<Bytes>) -> impl Future<Output = Result<http::Response<Bytes>,
/// TransportFault>>`. Use tokio's timers in the future, so that a paused clock works.
///
/// See [testing](crate::guide::testing) in the guide.
pub trait Transport: Send + Sync + 'static {
    /// Returns the future of the response to one request.
    fn send(&self, request: http::Request<Bytes>) -> TransportAnswer<'_>;

    /// Receives each event that the client itself rejects, and the source location at which it was
    /// passed to the client.
    #[doc(hidden)]
    fn on_invalid_event(&self, error: &EventError, call_site: &'static Location<'static>) {
        let _ = (error, call_site);
    }
}

/// The source locations at which the events of a request were passed to the client, one per event.
/// Stored in the extensions of the request.
#[derive(Clone, Debug)]
pub(crate) struct CallSites(pub(crate) Arc<[&'static Location<'static>]>);

/// The future returned by a [`Transport`].
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

/// Why a [`Transport`] has no response.
///
/// See [testing](crate::guide::testing) in the guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportFault {
    /// No connection was established, so the server received nothing.
    #[error("the connection was refused")]
    Connect,
    /// The connection broke; the server may have received everything.
    #[error("the connection was reset")]
    Interrupted,
}
