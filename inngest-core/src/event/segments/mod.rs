//! `IdSegment` for the types of other crates: one file per crate, enabled by the feature of the same name. jiff has two
//! features, since its version 0.2 is still in use.
//!
//! Equal values have equal texts. Dates and times are formatted in `date_time.rs` rather than by the crates, so
//! that a time has the same text in each of the crates and in all of their releases.

#[cfg(feature = "chrono")]
mod chrono;
#[cfg(any(feature = "chrono", feature = "jiff", feature = "jiff02", feature = "time"))]
mod date_time;
#[cfg(any(feature = "jiff", feature = "jiff02"))]
mod jiff;
#[cfg(feature = "rust_decimal")]
mod rust_decimal;
#[cfg(feature = "time")]
mod time;
#[cfg(feature = "ulid")]
mod ulid;
#[cfg(feature = "uuid")]
mod uuid;
