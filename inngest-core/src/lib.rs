//! Typed events for Inngest.
#![forbid(unsafe_code)]

pub mod as_string;
#[cfg(feature = "client")]
mod batch;
#[cfg(feature = "client")]
mod client;
mod error;
mod event;
#[doc(hidden)]
pub mod private;
#[cfg(feature = "testing")]
pub mod testing;

#[cfg(feature = "client")]
pub use batch::Batch;
#[cfg(feature = "client")]
pub use client::{Client, ClientBuilder, EventKey, RetryPolicy};
pub use error::EventError;
#[cfg(feature = "client")]
pub use error::{BatchError, ConfigError, Rejection, RequestError, SendError};
pub use event::{DedupId, Deduplicated, Event, EventId, IdSegment, InngestEvent, IntoEvent};
#[cfg(feature = "derive")]
pub use inngest_derive::{IdSegment, InngestEvent};
