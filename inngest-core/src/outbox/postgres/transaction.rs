//! `Outbox::enqueue`: events are written in a transaction of the application.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;

use crate::event::IntoEvent;
use crate::outbox::Outbox;
use crate::outbox::error::EnqueueError;
use crate::outbox::event::OutboxEvent;

/// A connection to PostgreSQL on which a transaction is open: a `PgConnection` or a
/// `Transaction<'_, Postgres>` of sqlx 0.8 or sqlx 0.9.
///
/// This trait is sealed. It is not implemented for pools, since each statement on a pool is committed
/// by itself.
///
/// See [outbox](crate::guide::outbox) in the guide.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a transaction of PostgreSQL",
    label = "not a transaction",
    note = "pass `&mut tx`, after `let mut tx = pool.begin().await?;`",
    note = "a pool would commit the event by itself, without the rest of the transaction"
)]
pub trait PgTransaction: Sealed + Send {
    /// The error of sqlx.
    type Error: Send + 'static;

    /// Writes an event.
    #[doc(hidden)]
    fn insert(&mut self, event: OutboxEvent) -> BoxFuture<'_, Result<(), Self::Error>>;

    /// Writes events with one statement.
    #[doc(hidden)]
    fn insert_all(&mut self, events: Vec<OutboxEvent>) -> BoxFuture<'_, Result<(), Self::Error>>;
}

/// Prevents implementations of [`PgTransaction`] outside of this crate.
pub trait Sealed {}

/// The future of [`Outbox::enqueue`] and [`Outbox::enqueue_all`]. It borrows only the transaction,
/// since the events are already serialized.
///
/// See [outbox](crate::guide::outbox) in the guide.
#[must_use = "the event is written only if the future is awaited"]
pub struct Enqueuing<'c, D>(BoxFuture<'c, Result<(), EnqueueError<D>>>);

impl<D> Future for Enqueuing<'_, D> {
    type Output = Result<(), EnqueueError<D>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl<D> fmt::Debug for Enqueuing<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enqueuing").finish_non_exhaustive()
    }
}

impl Outbox {
    /// Writes an event to the outbox in the transaction `tx`, passed as `&mut tx` or `&mut *tx`. The
    /// event is sent after the commit, and never if the transaction is rolled back.
    ///
    /// The event is serialized before `enqueue` returns. The client's
    /// [`before_send`](crate::ClientBuilder::before_send) hooks are called then, and an event without
    /// a time gets the current time.
    ///
    /// A `PgConnection` without a transaction is accepted, too: the event is then committed by itself.
    /// The connection's `synchronous_commit` determines the durability of the commit.
    ///
    /// ```no_run
    /// # #[cfg(feature = "outbox-postgres")] {
    /// # use sqlx08 as sqlx;
    /// # #[derive(serde::Serialize, inngest_core::InngestEvent)]
    /// # #[inngest(name = "shop/order.placed")]
    /// # struct OrderPlaced { order_id: String }
    /// use inngest_core::outbox::Outbox;
    ///
    /// # type Error = Box<dyn std::error::Error>;
    /// async fn place(outbox: &Outbox, db: &sqlx::PgPool, order_id: String) -> Result<(), Error> {
    ///     let mut tx = db.begin().await?;
    ///     let insert = sqlx::query("INSERT INTO orders (id) VALUES ($1)").bind(&order_id);
    ///     insert.execute(&mut *tx).await?;
    ///     outbox.enqueue(&mut tx, OrderPlaced { order_id }).await?;
    ///     tx.commit().await?;
    ///     // Optional: a relay in this process sends the event without waiting for its next poll.
    ///     outbox.wake();
    ///     Ok(())
    /// }
    /// # }
    /// ```
    ///
    /// A pool is not accepted:
    ///
    #[cfg_attr(feature = "outbox-postgres", doc = "```compile_fail,E0277")]
    #[cfg_attr(not(feature = "outbox-postgres"), doc = "```ignore")]
    /// # use sqlx08 as sqlx;
    /// # #[derive(serde::Serialize, inngest_core::InngestEvent)]
    /// # #[inngest(name = "shop/order.placed")]
    /// # struct OrderPlaced { order_id: String }
    /// # use inngest_core::outbox::Outbox;
    /// # async fn place(outbox: &Outbox, mut pool: sqlx::PgPool, order_id: String) {
    /// outbox.enqueue(&mut pool, OrderPlaced { order_id }).await.unwrap();
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`EnqueueError::Event`] if the event cannot be sent, and [`EnqueueError::Database`] with the
    /// error of sqlx, which ends the transaction.
    #[track_caller]
    pub fn enqueue<'c, C, E>(&self, tx: &'c mut C, event: E) -> Enqueuing<'c, C::Error>
    where
        C: PgTransaction,
        E: IntoEvent,
    {
        match self.prepare(event) {
            Ok(event) => Enqueuing::new(tx.insert(event)),
            Err(error) => Enqueuing::failed(error.into()),
        }
    }

    /// Writes events to the outbox with one statement, in the transaction `tx`, as
    /// [`enqueue`](Outbox::enqueue) writes one event. If one of them is invalid, none is written.
    ///
    /// # Errors
    ///
    /// Returns [`EnqueueError::Event`] if an event cannot be sent, and [`EnqueueError::Database`] with the
    /// error of sqlx, which ends the transaction.
    #[track_caller]
    pub fn enqueue_all<'c, C, I>(&self, tx: &'c mut C, events: I) -> Enqueuing<'c, C::Error>
    where
        C: PgTransaction,
        I: IntoIterator<Item: IntoEvent>,
    {
        let mut prepared = Vec::new();
        for event in events {
            match self.prepare(event) {
                Ok(event) => prepared.push(event),
                Err(error) => return Enqueuing::failed(error.into()),
            }
        }
        Enqueuing::new(tx.insert_all(prepared))
    }
}

impl<'c, D: Send + 'static> Enqueuing<'c, D> {
    fn new(insert: BoxFuture<'c, Result<(), D>>) -> Enqueuing<'c, D> {
        Enqueuing(Box::pin(async { insert.await.map_err(EnqueueError::Database) }))
    }

    fn failed(error: EnqueueError<D>) -> Enqueuing<'c, D> {
        Enqueuing(Box::pin(std::future::ready(Err(error))))
    }
}
