//! `Outbox::enqueue_sqlite`.

use rusqlite::Connection;

use crate::event::IntoEvent;
use crate::outbox::Outbox;
use crate::outbox::error::EnqueueError;
use crate::outbox::sql::sqlite::INSERT;

impl Outbox {
    /// Writes an event to the outbox in the transaction `tx`. The event is sent after the commit, and
    /// never if the transaction is rolled back.
    ///
    /// The event is serialized first. The client's [`before_send`](crate::ClientBuilder::before_send)
    /// hooks are called then, and an event without a time gets the current time.
    ///
    /// Begin the transaction with `BEGIN IMMEDIATE`. Otherwise, if it reads before it writes, it fails
    /// with `SQLITE_BUSY_SNAPSHOT` when another connection, such as a relay, has written in between. A
    /// `busy_timeout` does not prevent this error.
    ///
    /// A [`Connection`] without a transaction is accepted, too: the event is then committed by itself.
    /// The connection's `synchronous` setting determines the durability of the commit: with `NORMAL`,
    /// a loss of power can undo the whole transaction.
    ///
    /// ```no_run
    /// # #[derive(serde::Serialize, inngest_core::InngestEvent)]
    /// # #[inngest(name = "shop/order.placed")]
    /// # struct OrderPlaced { order_id: String }
    /// use inngest_core::outbox::Outbox;
    /// use rusqlite::{Connection, TransactionBehavior};
    ///
    /// # fn place(outbox: &Outbox, order_id: String) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut db = Connection::open("shop.db")?;
    /// let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    /// tx.execute("INSERT INTO orders (id) VALUES (?1)", [&order_id])?;
    /// outbox.enqueue_sqlite(&tx, OrderPlaced { order_id })?;
    /// tx.commit()?;
    /// // Optional: a relay in this process sends the event without waiting for its next poll.
    /// outbox.wake();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`EnqueueError::Event`] if the event cannot be sent, and [`EnqueueError::Database`] with the
    /// error of rusqlite. The transaction can then still be committed or rolled back.
    #[track_caller]
    pub fn enqueue_sqlite<E: IntoEvent>(
        &self,
        tx: &Connection,
        event: E,
    ) -> Result<(), EnqueueError<rusqlite::Error>> {
        let event = self.prepare(event)?;
        let row = (event.name(), event.body(), event.traceparent());
        let inserted = tx.prepare_cached(INSERT).and_then(|mut insert| insert.execute(row));
        inserted.map(drop).map_err(EnqueueError::Database)
    }
}
