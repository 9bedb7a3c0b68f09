//! The guide: a chapter for each topic. It exists in the documentation only.
//!
//! | chapter | content |
//! |---|---|
//! | [`quickstart`] | a Dev Server, Inngest Cloud, the first event, the first function run |
//! | [`events`] | names, dedup ids, versions, compile errors |
//! | [`event_enums`] | enums of events, versions side by side, receiving |
//! | [`sending`] | one event, batches, envelopes |
//! | [`delivery`] | outcomes, seeds, the 24 hours, what can still run twice |
//! | [`publisher`] | the queue, outages, shutdown |
//! | [`outbox`] | events in your database transaction: SQLite, PostgreSQL, other drivers, operating it |
//! | [`catalog`] | TypeScript, JSON Schema, AsyncAPI, Python, the lock file |
//! | [`encryption`] | payloads that the official middleware decrypts; keys and their rotation |
//! | [`receiving`] | payloads in functions; the official Rust crate |
//! | [`configuration`] | options, environment variables, proxies |
//! | [`observability`] | spans, metrics, hooks, what each log event means |
//! | [`testing`] | the recorder, the Event API, other languages |
//! | [`errors`] | each variant, its meaning and what to do |
//! | [`production`] | the checklist before you deploy |
//! | [`cookbook`] | axum, actix-web, command-line programs, several keys, raw events |
//! | [`faq`] | "my function did not run", 401 and 404, certificates |
//! | [`comparison`] | the official SDKs; moving from the official Rust crate |
//!
//! `cargo test --workspace` compiles every block of Rust, and runs it if it can run without a server. The blocks with
//! functions of the official Rust crate are compiled by `tests/clients/run` instead.
#![cfg_attr(
    not(all(
        feature = "blocking",
        feature = "client",
        feature = "derive",
        feature = "encryption",
        feature = "outbox-postgres",
        feature = "outbox-sqlite",
        feature = "schema",
        feature = "testing"
    )),
    allow(rustdoc::broken_intra_doc_links, reason = "chapters link to items of all features")
)]

#[doc = include_str!("../docs/guide/quickstart.md")]
pub mod quickstart {}

#[doc = include_str!("../docs/guide/events.md")]
pub mod events {}

#[doc = include_str!("../docs/guide/event_enums.md")]
pub mod event_enums {}

#[doc = include_str!("../docs/guide/sending.md")]
pub mod sending {}

#[doc = include_str!("../docs/guide/delivery.md")]
pub mod delivery {}

#[doc = include_str!("../docs/guide/publisher.md")]
pub mod publisher {}

#[doc = include_str!("../docs/guide/outbox.md")]
pub mod outbox {}

#[doc = include_str!("../docs/guide/catalog.md")]
pub mod catalog {}

#[doc = include_str!("../docs/guide/encryption.md")]
pub mod encryption {}

#[doc = include_str!("../docs/guide/receiving.md")]
pub mod receiving {}

#[doc = include_str!("../docs/guide/configuration.md")]
pub mod configuration {}

#[doc = include_str!("../docs/guide/observability.md")]
pub mod observability {}

#[doc = include_str!("../docs/guide/testing.md")]
pub mod testing {}

#[doc = include_str!("../docs/guide/errors.md")]
pub mod errors {}

#[doc = include_str!("../docs/guide/production.md")]
pub mod production {}

#[doc = include_str!("../docs/guide/cookbook.md")]
pub mod cookbook {}

#[doc = include_str!("../docs/guide/faq.md")]
pub mod faq {}

#[doc = include_str!("../docs/guide/comparison.md")]
pub mod comparison {}
