//! Typed events for Inngest.
#![forbid(unsafe_code)]

pub mod as_string;
mod error;
mod event;
#[doc(hidden)]
pub mod private;

pub use error::EventError;
pub use event::{DedupId, Deduplicated, Event, IdSegment, InngestEvent, IntoEvent};
#[cfg(feature = "derive")]
pub use inngest_derive::InngestEvent;
