//! Replaces `catalog_events.rs` without the feature `schema`.

/// Expands to nothing.
#[doc(hidden)]
#[macro_export]
macro_rules! catalog_events {
    ($($items:tt)*) => {};
}
