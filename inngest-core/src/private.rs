//! What generated code calls. Nothing here is for people, and nothing here is stable: the derive and
//! this crate are released together.

/// A crate of ours, so that nothing the user calls `core` is taken for it.
pub use ::core;
#[doc(hidden)]
pub use serde::Serialize;

pub use crate::error::EventError;
pub use crate::event::{
    DedupId, Deduplicated, EventWriter, IdSegment, IdWriter, InngestEvent, IntoEvent,
};
pub use crate::event::{Delegate, Inner, Segment, dedup_id};
