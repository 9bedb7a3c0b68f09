//! `Outbox::enqueue_sqlite`.

use rusqlite::Connection;

use crate::event::IntoEvent;
use crate::outbox::Outbox;
use crate::outbox::error::EnqueueError;
use crate::outbox::sql::sqlite::INSERT;

impl Outbox {
    /// Writes an event to the outbox in the transaction `tx`. It is sent after the commit, and never
    /// if the transaction is rolled back.
    ///
    /// Begin the transaction with `BEGIN IMMEDIATE`. A transaction that began without it and has
    /// read before fails with `SQLITE_BUSY_SNAPSHOT` if another connection, such as a relay, has
    /// written meanwhile, and no `busy_timeout` helps.
    ///
    /// A [`Connection`] without a transaction is accepted too: the event is then committed by itself.
    /// The durability of the commit is the one of the connection: after a loss of power, an event of
    /// a transaction that was committed with `synchronous = NORMAL` may be missing, with the rest of
    /// the transaction.
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
    /// // Optional: saves the relay's poll interval.
    /// outbox.wake();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`EnqueueError::Event`] if the event cannot be sent, and [`EnqueueError::Database`] with the
    /// error of rusqlite. The transaction can still be committed or rolled back then.
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
