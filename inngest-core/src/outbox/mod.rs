//! A transactional outbox: events are written in the caller's own database transaction, and sent
//! after the commit.
//!
#![doc = include_str!("../../docs/outbox.md")]

mod dead;
mod error;
mod event;
#[cfg_attr(not(feature = "tracing"), path = "no_log.rs")]
mod log;
#[cfg(any(feature = "outbox-postgres", feature = "outbox-postgres-sqlx09"))]
mod postgres;
mod relay;
mod report;
pub mod sql;
#[cfg(feature = "outbox-sqlite")]
mod sqlite;
pub(crate) mod store;

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

use crate::client::Client;
use crate::event::BeforeSend;

pub use dead::{DeadEvent, Ids};
pub use error::{DatabaseError, EnqueueError, RelayError, StoreError};
pub use event::OutboxEvent;
#[cfg(any(feature = "outbox-postgres", feature = "outbox-postgres-sqlx09"))]
pub use postgres::{Enqueuing, PgTransaction, PostgresPool, PostgresStore};
pub use relay::{Relay, RelayBuilder};
pub use report::{OutboxStats, RelayReport};
#[cfg(feature = "outbox-sqlite")]
pub use sqlite::SqliteStore;
pub use store::Store;

/// Writes events to the outbox: a table in the caller's database. Cheap to clone.
///
/// See [outbox](crate::guide::outbox) in the guide.
#[derive(Clone)]
pub struct Outbox(Arc<Producer>);

struct Producer {
    /// The client whose options apply to the events, if there is one.
    client: Option<Client>,
    /// The client's `before_send` hooks, then the hook that sets the event's time.
    hooks: Vec<BeforeSend>,
    /// Counts the calls of [`Outbox::wake`].
    wake: watch::Sender<u64>,
}

impl Outbox {
    /// Creates an outbox without a client, for a process that enqueues events and runs no relay. It
    /// needs no event key. No hooks are called, and the maximum size of an event is 3 MiB.
    #[must_use]
    pub fn new() -> Outbox {
        Outbox::with_client(None)
    }

    /// Creates an outbox that applies `client`'s [`before_send`](crate::ClientBuilder::before_send)
    /// hooks, its [`trace_context`](crate::ClientBuilder::trace_context) and its
    /// [`max_event_bytes`](crate::ClientBuilder::max_event_bytes) when an event is enqueued.
    #[must_use]
    pub fn for_client(client: &Client) -> Outbox {
        Outbox::with_client(Some(client.clone()))
    }

    fn with_client(client: Option<Client>) -> Outbox {
        let mut hooks = client.as_ref().map(Client::before_send).unwrap_or_default().to_vec();
        hooks.push(event::stamp_time());
        Outbox(Arc::new(Producer { client, hooks, wake: watch::Sender::new(0) }))
    }

    /// Wakes the relays in this process that were created from this outbox or a clone of it, so that
    /// they look for events at once instead of after their poll interval. Call it after the commit.
    pub fn wake(&self) {
        self.0.wake.send_modify(|calls| *calls = calls.wrapping_add(1));
    }

    /// Returns a builder for a [`Relay`], which sends the events in `store` with `client`.
    pub fn relay<S: Store>(&self, client: &Client, store: S) -> RelayBuilder<S> {
        RelayBuilder::new(client, store, self.0.wake.subscribe())
    }
}

impl Default for Outbox {
    fn default() -> Outbox {
        Outbox::new()
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("client", &self.0.client).finish_non_exhaustive()
    }
}
