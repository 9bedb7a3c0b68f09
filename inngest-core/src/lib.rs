//! Typed events for [Inngest](https://www.inngest.com): checked at compile time, sent in batches,
//! retried without duplicates.
//!
//! ```no_run
//! # #[cfg(all(feature = "client", feature = "derive"))] {
//! use inngest_core::{Client, InngestEvent};
//! use serde::Serialize;
//!
//! #[derive(Serialize, InngestEvent)]
//! #[inngest(
//!     name = "storefront/cart.checkout.completed",
//!     id = "cart-checkout-completed-{cart_id}",
//!     version = "2026-11-01.1"
//! )]
//! struct CheckoutCompleted {
//!     cart_id: String,
//!     item_ids: Vec<String>,
//! }
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::from_env()?; // INNGEST_EVENT_KEY, or INNGEST_DEV=1
//! let checkout = CheckoutCompleted { cart_id: "ed12c8bde".into(), item_ids: vec!["lamp".into()] };
//! let id = client.send(&checkout).await?;
//!
//! let imported: Vec<CheckoutCompleted> = vec![checkout];
//! let ids = client.send_all(&imported).await?;
//! # Ok(())
//! # }
//! # }
//! ```
//!
//! A payload that is an [`InngestEvent`], optionally in an [`Event`] envelope, is serialized into a
//! [`Batch`]. The [`Client`] splits the batch into requests, validates the responses and returns an
//! [`EventId`] for each event, or an error that reports for each event whether it was accepted,
//! rejected or unsent.
//!
//! # Where to look
//!
//! The [guide] has a chapter for each topic, from a quick start to the checklist for production.
//!
//! | for | see |
//! |---|---|
//! | the keys of `#[inngest(..)]` and the template of the dedup id | the derive [`InngestEvent`](derive@InngestEvent) |
//! | events of several types as one | the derive [`InngestEvents`](derive@InngestEvents) |
//! | implementing an event by hand | the trait [`InngestEvent`](trait@InngestEvent) |
//! | types allowed in a dedup id | [`IdSegment`](trait@IdSegment), [`DedupId`], [`Deduplicated`] |
//! | an event whose name is known only at run time | [`RawEvent`] |
//! | a time, a user, sessions, or another id for one event | [`Event`] |
//! | integers beyond 2^53 | [`as_string`] |
//! | fields that Inngest stores encrypted | `encryption`, with the feature `encryption` |
//! | schemas and types for programs in other languages | `catalog::Catalog`, with the feature `schema` |
//! | sending | [`Client`], and [`ClientBuilder`] for its configuration and the environment variables |
//! | events of several types, and sending again without duplicates | [`Batch`], [`batch!`] |
//! | events queued and sent in the background | [`Publisher`](publisher::Publisher) |
//! | events that are committed with your database transaction | `outbox`, with the feature `outbox-sqlite` or `outbox-postgres` |
//! | whether to send, publish or use the outbox | [the table in the guide](guide::publisher#send-publish-or-use-the-outbox) |
//! | sending from programs without a runtime | `blocking::Client`, with the feature `blocking` |
//! | changing every event, and observing its outcome | [`ClientBuilder::before_send`], [`ClientBuilder::after_send`] |
//! | propagating the caller's trace | [`ClientBuilder::trace_context`] |
//! | spans and metrics | [Observability](#observability) |
//! | errors | [`SendError`], [`BatchError`], [`ConfigError`]; every error type is in [the chapter errors](guide::errors) |
//! | unit tests of the events that code sends | `testing::Recorder`, created by `Client::recorder` |
//! | tests with a server, with functions, or of programs in other languages | `testing::EventApi` |
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `derive` | yes | `#[derive(InngestEvent)]`, `#[derive(InngestEvents)]`, `#[derive(IdSegment)]` |
//! | `client` | yes | [`Client`], [`Batch`] and [`Publisher`](publisher::Publisher) (reqwest, tokio) |
//! | `rustls`, `native-tls` | `rustls` | TLS for https |
//! | `tracing` | yes | a span for each call; retries, failures and rejections as `tracing` events |
//! | `metrics` | no | counters, durations and gauges through the crate `metrics` |
//! | `blocking` | no | `blocking::Client`, for programs without a runtime |
//! | `outbox-sqlite` | no | `outbox` for SQLite (rusqlite, with a bundled SQLite) |
//! | `outbox-postgres`, `outbox-postgres-sqlx09` | no | `outbox` for PostgreSQL (sqlx 0.8; sqlx 0.9, which needs Rust 1.94) |
//! | `outbox` | no | `outbox` without a database driver, for producers that use another one; part of the three above |
//! | `schema` | no | `catalog`: TypeScript, JSON Schema, AsyncAPI, Markdown and a lock file from the payload types (schemars 1) |
//! | `testing` | no | `testing`: a recorder, and an Event API (a server that receives events as Inngest does) in the test's process |
//! | `encryption` | no | `encryption`: encrypted fields, compatible with the official encryption middleware |
//! | `uuid`, `ulid`, `jiff`, `chrono`, `time`, `rust_decimal` | no | [`IdSegment`](trait@IdSegment) for these crates' types (`jiff`: of version 1) |
//! | `jiff02` | no | [`IdSegment`](trait@IdSegment) for the types of jiff 0.2 |
//!
//! A crate that only defines events uses `default-features = false, features = ["derive"]`, and
//! depends on neither reqwest nor tokio.
//!
//! # Observability
//!
//! Spans and metrics are named after OpenTelemetry's [conventions for
//! messaging](https://opentelemetry.io/docs/specs/semconv/messaging/). Spans, metrics and log
//! events never contain an event's data, the URL or the key. Log events contain the server's
//! messages, in which the key is redacted.
//!
//! With `tracing`, each call of `send`, `send_all` or `send_batch`, and each batch that a publisher
//! sends, is a span `send` with the fields
//!
//! | field | value |
//! |---|---|
//! | `otel.name`, `otel.kind` | `send` and the events' name; `producer` |
//! | `messaging.system` | `inngest` |
//! | `messaging.operation.name`, `messaging.operation.type` | `send` |
//! | `messaging.destination.name` | the events' name, if all have the same |
//! | `messaging.batch.message_count` | the number of events, except for `send` |
//! | `messaging.message.id` | the event's id, recorded when `send` succeeds |
//! | `error.type` | [`SendOutcome::error_type`], if not all were accepted |
//!
//! With the feature `metrics`, the following are recorded through the crate `metrics`, with the
//! labels `messaging.system`, `messaging.operation.name`, `messaging.destination.name` and
//! `error.type` where they apply:
//!
//! | metric | kind | counts or measures |
//! |---|---|---|
//! | `messaging.client.sent.messages` | counter | events with an outcome |
//! | `messaging.client.operation.duration` | histogram, seconds | attempts at a request, each measured separately |
//! | `inngest.publisher.queued.events` | gauge | events held by publishers |
//! | `inngest.publisher.queued.bytes` | gauge, bytes | the size of these events as JSON |
//! | `inngest.publisher.in_flight` | gauge | batches that publishers are sending |
//! | `inngest.outbox.pending.events` | gauge | events in the outbox, without dead ones |
//! | `inngest.outbox.oldest.age` | gauge, seconds | the age of the oldest of these events |
//! | `inngest.outbox.dead.events` | gauge | dead events in the outbox |
//!
//! The gauges have no labels. Units and descriptions are registered with the recorder that is
//! installed when a client is built.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "client")]
mod batch;
#[cfg(feature = "blocking")]
pub mod blocking;
#[cfg(feature = "schema")]
pub mod catalog;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "encryption")]
pub mod encryption;
mod event;
#[cfg(all(doc, not(doctest)))]
pub mod guide;
#[cfg(not(feature = "schema"))]
mod no_catalog;
#[cfg(feature = "outbox")]
pub mod outbox;
#[doc(hidden)]
pub mod private;
#[cfg(feature = "client")]
pub mod publisher;
#[cfg(feature = "testing")]
pub mod testing;

#[cfg(feature = "client")]
pub use batch::{Batch, BatchEvent};
#[cfg(feature = "client")]
pub use client::{
    BatchError, Client, ClientBuilder, ConfigError, EventKey, Rejection, RequestError, RetryPolicy,
    SendError, SendOutcome, SendReport, Sending, TraceContext,
};
pub use event::as_string::as_string;
pub use event::{
    DedupId, Deduplicated, Envelope, Event, EventError, EventId, EventInfo, IdSegment,
    InngestEvent, InngestEvents, IntoEvent, RawEvent,
};
/// Compile errors about what is sent contain these names, which are shorter here than in [`private`].
#[doc(hidden)]
pub use event::{NamedEvent, OneEvent, PresentEvent, Sent};
#[cfg(feature = "derive")]
pub use inngest_derive::{IdSegment, InngestEvent, InngestEvents};
/// The HTTP client that [`ClientBuilder::http_client`] takes, in the version that this crate uses.
#[cfg(feature = "client")]
pub use reqwest;
