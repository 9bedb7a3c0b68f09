//! The code of the guide's chapters that use other crates, as doctests. `tests/src/guide.rs` has the other chapters.
#![cfg(doctest)]

#[doc = include_str!("../../../inngest-core/docs/guide/publisher.md")]
pub mod publisher {}

#[doc = include_str!("../../../inngest-core/docs/guide/observability.md")]
pub mod observability {}

#[doc = include_str!("../../../inngest-core/docs/guide/production.md")]
pub mod production {}

#[doc = include_str!("../../../inngest-core/docs/guide/cookbook.md")]
pub mod cookbook {}
