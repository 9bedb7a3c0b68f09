//! The code of the guide as doctests.
#![cfg(doctest)]

#[doc = include_str!("../../inngest-core/docs/quickstart.md")]
pub mod quickstart {}

#[doc = include_str!("../../inngest-core/docs/events.md")]
pub mod events {}

#[doc = include_str!("../../inngest-core/docs/event_enums.md")]
pub mod event_enums {}

#[doc = include_str!("../../inngest-core/docs/sending.md")]
pub mod sending {}

#[doc = include_str!("../../inngest-core/docs/delivery.md")]
pub mod delivery {}

#[doc = include_str!("../../inngest-core/docs/publisher.md")]
pub mod publisher {}

#[doc = include_str!("../../inngest-core/docs/outbox.md")]
pub mod outbox {}

#[doc = include_str!("../../inngest-core/docs/catalog.md")]
pub mod catalog {}

#[doc = include_str!("../../inngest-core/docs/encryption.md")]
pub mod encryption {}

#[doc = include_str!("../../inngest-core/docs/receiving.md")]
pub mod receiving {}

#[doc = include_str!("../../inngest-core/docs/configuration.md")]
pub mod configuration {}

#[doc = include_str!("../../inngest-core/docs/observability.md")]
pub mod observability {}

#[doc = include_str!("../../inngest-core/docs/testing.md")]
pub mod testing {}

#[doc = include_str!("../../inngest-core/docs/errors.md")]
pub mod errors {}

#[doc = include_str!("../../inngest-core/docs/production.md")]
pub mod production {}

#[doc = include_str!("../../inngest-core/docs/cookbook.md")]
pub mod cookbook {}

#[doc = include_str!("../../inngest-core/docs/faq.md")]
pub mod faq {}

#[doc = include_str!("../../inngest-core/docs/comparison.md")]
pub mod comparison {}
