//! The code of the guide as doctests. `examples/recipes/src/lib.rs` has the chapters that use other crates.
#![cfg(doctest)]

#[doc = include_str!("../../inngest-core/docs/guide/quickstart.md")]
pub mod quickstart {}

#[doc = include_str!("../../inngest-core/docs/guide/events.md")]
pub mod events {}

#[doc = include_str!("../../inngest-core/docs/guide/event_enums.md")]
pub mod event_enums {}

#[doc = include_str!("../../inngest-core/docs/guide/sending.md")]
pub mod sending {}

#[doc = include_str!("../../inngest-core/docs/guide/delivery.md")]
pub mod delivery {}

#[doc = include_str!("../../inngest-core/docs/guide/outbox.md")]
pub mod outbox {}

#[doc = include_str!("../../inngest-core/docs/guide/catalog.md")]
pub mod catalog {}

#[doc = include_str!("../../inngest-core/docs/guide/encryption.md")]
pub mod encryption {}

#[doc = include_str!("../../inngest-core/docs/guide/receiving.md")]
pub mod receiving {}

#[doc = include_str!("../../inngest-core/docs/guide/configuration.md")]
pub mod configuration {}

#[doc = include_str!("../../inngest-core/docs/guide/testing.md")]
pub mod testing {}

#[doc = include_str!("../../inngest-core/docs/guide/errors.md")]
pub mod errors {}

#[doc = include_str!("../../inngest-core/docs/guide/faq.md")]
pub mod faq {}

#[doc = include_str!("../../inngest-core/docs/guide/comparison.md")]
pub mod comparison {}
