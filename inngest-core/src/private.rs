//! What generated code calls. Nothing here is for people, and nothing here is stable: the derive and
//! this crate are released together.

pub use core::fmt::{self, Write};
pub use core::option::Option::{self, None, Some};
pub use core::primitive::{bool, str};
pub use core::result::Result::{self, Ok};
pub use core::{format_args, unreachable};

pub use serde::Serialize;

pub use crate::error::EventError;
pub use crate::event::{
    DedupId, Deduplicated, EventWriter, IdSegment, IdWriter, InngestEvent, IntoEvent,
};
pub use crate::event::{Delegate, Inner, Segment, dedup_id};

/// Whether an id was written.
pub type Written = Result<bool, EventError>;
