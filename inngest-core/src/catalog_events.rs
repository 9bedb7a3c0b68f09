//! The macro around generated code that is for the catalog.

/// Expands to its content.
#[doc(hidden)]
#[macro_export]
macro_rules! catalog_events {
    ($($items:tt)*) => { $($items)* };
}
