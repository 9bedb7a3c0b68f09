//! What generated code calls. Nothing here is for people, and nothing here is stable: the derive and
//! this crate are released together.

pub use core::option::Option::{self, None, Some};
pub use core::result::Result::{self, Ok};
pub use core::{fmt, format_args, primitive};

pub use crate::error::EventError;
pub use crate::event::{
    DedupId, Deduplicated, EventWriter, IdSegment, IdWriter, InngestEvent, IntoEvent,
};
pub use crate::event::{Segment, dedup_id};
