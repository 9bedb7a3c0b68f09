//! Test tools: a recorder of what your code sends, and an Event API in the test's process.
//!
//! | to test | use | requests go to |
//! |---|---|---|
//! | that your code sends the right events | [`Recorder`] | the recorder, in memory |
//! | functions, or a client in another language | [`EventApi`] | an HTTP server in the test's process |
//!
//! # Unit tests
//!
//! [`Client::recorder`](crate::Client::recorder) returns a client for your code, and a [`Recorder`] of
//! the events that your code sends with it. In a `#[tokio::test]`:
//!
//! ```
//! # #[cfg(feature = "derive")] mod shop {
//! use inngest_core::{Client, Event, InngestEvent, SendError};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize, InngestEvent)]
//! #[inngest(name = "storefront/order.placed", id = "order-placed-{order_id}")]
//! struct OrderPlaced {
//!     order_id: String,
//!     total_cents: u64,
//! }
//!
//! /// The code under test.
//! async fn place(client: &Client, order_id: &str, total_cents: u64) -> Result<(), SendError> {
//!     let order_id = order_id.to_owned();
//!     client.send(OrderPlaced { order_id, total_cents }).await?;
//!     Ok(())
//! }
//!
//! pub async fn an_order_is_announced_once() {
//!     let (client, sent) = Client::recorder();
//!     place(&client, "o1", 1_999).await.unwrap();
//!
//!     let placed: Event<OrderPlaced> = sent.one();
//!     assert_eq!(placed.data.total_cents, 1_999);
//!     assert_eq!(placed.given_id(), Some("order-placed-o1"));
//!     sent.nothing_else();
//! }
//! # }
//! # #[cfg(feature = "derive")]
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
//! #     .block_on(shop::an_order_is_announced_once());
//! ```
//!
//! [`one_like`](Recorder::one_like) compares with a whole event. When it fails, its message lists what was
//! sent instead:
//!
//! ```text
//! expected one `storefront/order.placed` like the one given, found none among 2
//!
//! sent:
//!   2  storefront/order.placed     src/orders.rs:41
//!                                  src/orders.rs:57
//!   1  storefront/coupon.redeemed  src/coupons.rs:12
//!
//! the closest event, sent at src/orders.rs:57, differs:
//!   field             expected  found
//!   data.total_cents  1999      1990
//! ```
//!
//! Add a line such as `sent.fail_next(..)` to test your code in an outage of Inngest. On a paused clock
//! (`#[tokio::test(start_paused = true)]`, which needs tokio's feature `test-util`), retries take no time:
//!
//! ```
//! # #[cfg(feature = "derive")] mod shop {
//! use inngest_core::testing::Fault;
//! use inngest_core::{Client, InngestEvent};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize, InngestEvent)]
//! #[inngest(name = "storefront/order.placed", id = "order-placed-{order_id}")]
//! struct OrderPlaced {
//!     order_id: String,
//! }
//!
//! pub async fn an_outage_is_survived_and_a_rejection_is_reported() {
//!     let (client, sent) = Client::recorder();
//!     let order = |order_id: &str| OrderPlaced { order_id: order_id.into() };
//!
//!     sent.fail_next(Fault::status(503));
//!     client.send(order("o1")).await.unwrap();
//!     sent.one::<OrderPlaced>();
//!
//!     let later = sent.scope();
//!     sent.reject_nth(1);
//!     let error = client.send_all(["o2", "o3", "o4"].map(order)).await.unwrap_err();
//!     assert_eq!(error.rejected().len(), 1);
//!     later.one_like(order("o2"));
//!     later.one_like(order("o4"));
//!     later.nothing_else();
//! }
//! # }
//! # #[cfg(feature = "derive")]
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
//! #     .block_on(shop::an_outage_is_survived_and_a_rejection_is_reported());
//! ```
//!
//! For code that sends in the background, expectations can wait:
//! `sent.within(Duration::from_secs(1)).one::<OrderPlaced>().await`. To compare everything that was sent
//! with a snapshot: `insta::assert_json_snapshot!(sent.snapshot())`.
//!
//! # Integration tests
//!
//! [`EventApi`] is an HTTP server on a loopback port. It responds as Inngest's Dev Server does, stores the
//! events that it receives, runs functions once for each dedup id, and fails as set by a [`Fault`]. So a test can
//! check the effects of an event, not only that it was sent:
//!
//! ```
//! # #[cfg(feature = "derive")] mod shop {
//! use std::time::{Duration, SystemTime};
//!
//! use inngest_core::testing::{EventApi, Fault, RunState};
//! use inngest_core::{Event, InngestEvent};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize, InngestEvent)]
//! #[inngest(name = "storefront/order.placed", id = "order-placed-{order_id}")]
//! struct OrderPlaced {
//!     order_id: String,
//! }
//!
//! /// The function under test, with the signature it has in production.
//! async fn remind(event: Event<OrderPlaced>) -> Result<(), String> {
//!     match event.data.order_id.as_str() {
//!         "" => Err("the order has no id".to_owned()),
//!         _ => Ok(()),
//!     }
//! }
//!
//! pub async fn a_reminder_is_sent_once_one_day_later() {
//!     let api = EventApi::start().await;
//!     api.on("remind", remind);
//!
//!     // The first response is lost, so the client retries.
//!     api.fail_next(Fault::drop_before_answer());
//!     let tomorrow = SystemTime::now() + Duration::from_secs(24 * 60 * 60);
//!     let order = OrderPlaced { order_id: "o1".into() };
//!     api.client().send(Event::new(order).at(tomorrow)).await.unwrap();
//!     assert_eq!(api.requests().len(), 2);
//!
//!     api.advance(Duration::from_secs(24 * 60 * 60));
//!     api.idle().await;
//!     let [run] = &api.runs_of("remind")[..] else { panic!("{:?}", api.runs()) };
//!     assert_eq!((&run.state, run.attempts), (&RunState::Done, 1));
//! }
//! # }
//! # #[cfg(feature = "derive")]
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
//! #     .block_on(shop::a_reminder_is_sent_once_one_day_later());
//! ```
//!
//! For code that builds its own client, pass [`url`](EventApi::url) to
//! [`base_url`](crate::ClientBuilder::base_url), or set it as `INNGEST_DEV`. The example `axum` of this
//! project includes the test suite of a web service.
//!
//! | to wait for | use |
//! |---|---|
//! | the functions started by accepted events | [`idle`](EventApi::idle) |
//! | events of a sender that does not report when it has finished | [`wait_for_event`](EventApi::wait_for_event) |
//! | a later time at the server | [`advance`](EventApi::advance), which moves the server's clock at once |
//!
//! See [where `EventApi` differs from Inngest](EventApi#where-it-differs-from-inngest). In addition, it
//! supports no steps, batching, debounce or limits of functions.
//!
//! # Other languages
//!
//! Tests in any language can use the same server in a separate process. In a checkout of this project,
//! run `cargo run --example event-api -- --port 8288`; with `--json` it writes a line for each accepted
//! event, and `--help` lists the other options. Elsewhere, a short program is enough:
//!
//! ```no_run
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use inngest_core::testing::EventApi;
//!
//! let api = EventApi::bind("127.0.0.1:8288").await?;
//! for index in 0.. {
//!     println!("{}", serde_json::to_string(&api.wait_for_event(index).await)?);
//! }
//! # Ok::<(), std::io::Error>(())
//! # })?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Inngest's own clients are configured by their usual settings:
//!
//! | setting | effect |
//! |---|---|
//! | `INNGEST_DEV=http://127.0.0.1:8288` | dev mode, without a key |
//! | `INNGEST_BASE_URL=http://127.0.0.1:8288` and any `INNGEST_EVENT_KEY` | as with Inngest Cloud |
//! | `baseUrl` in TypeScript, `event_api_base_url` in Python | set in code, as in this project's own tests |
//!
//! The server does not call functions that are defined with an Inngest SDK.

mod body;
mod event_api;
mod fault;
mod fault_plan;
mod fault_rules;
mod functions;
mod inbound;
mod keys;
mod listener;
mod lock;
#[cfg(feature = "outbox")]
#[doc(hidden)]
pub mod outbox_store;
mod recorder;
mod request;
mod response;
mod seed;
mod server;
mod store;

pub use crate::client::test_transport::{Transport, TransportAnswer, TransportFault};
pub use event_api::EventApi;
pub use fault::Fault;
pub use functions::{Handler, Run, RunOutput, RunState};
pub use recorder::{Exactly, ExactlyWithin, Recorder, Snapshot, Within};
pub use request::ReceivedRequest;
pub use store::{EventType, StoredEvent};
