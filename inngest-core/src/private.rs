//! The items that generated code uses. They are not part of the public API and can change in any release,
//! since the derive and this crate are released together.

pub use core::convert::From;
pub use core::fmt::{self, Write};
pub use core::option::Option::{self, None, Some};
pub use core::primitive::{bool, str};
pub use core::result::Result::{self, Ok};
pub use core::{format_args, unreachable};

pub use serde::{Deserialize, Deserializer, Serialize};

pub use crate::event::EventError;
/// A parameter of hidden methods of public traits.
pub use crate::event::EventWriter;
pub use crate::event::{Conflicts, EventVisitor, RawData, assert_valid_name, decode, distinct};
pub use crate::event::{
    DedupId, Deduplicated, EventInfo, IdSegment, IdWriter, InngestEvent, InngestEvents,
};
pub use crate::event::{Delegate, NewtypeField, Segment, dedup_id};

#[cfg(feature = "schema")]
pub use crate::catalog::{Catalog, CatalogEvents, EventSchema, catalog_events};
/// Expands to nothing, in place of an implementation of `CatalogEvents`, which needs the feature `schema`.
#[cfg(not(feature = "schema"))]
pub use crate::no_catalog::catalog_events;

// Aliases keep expansions short: each token of an expansion costs compile time.

pub type Text = &'static str;
pub type OptionalText = Option<&'static str>;
pub type OptionalId = Result<Option<DedupId>, EventError>;
/// Returned by `write_dedup_id`: whether an id was written.
pub type Written = Result<bool, EventError>;
