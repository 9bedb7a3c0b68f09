//! Replaces `catalog/events_macro.rs` without the feature `schema`.

/// Expands to nothing.
#[doc(hidden)]
#[macro_export]
macro_rules! catalog_events {
    ($($implementation:tt)*) => {};
}
