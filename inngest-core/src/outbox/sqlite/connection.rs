//! The connection of a store, its transactions, and a cache that avoids polling an idle outbox.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::error::Failure;
use crate::outbox::store::MAX_WAIT;

/// The capacity of the cache of prepared statements, which is enough for all statements of a relay.
const STATEMENTS: usize = 40;

pub(super) struct Database {
    connection: Connection,
    /// The result of the last claim, if it found nothing to claim, and this connection has not written
    /// since then.
    idle: Option<Idle>,
}

/// An outbox without pending events and due batches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Idle {
    /// The value of [`Database::data_version`] before the tables were read.
    pub(super) data_version: i64,
    /// When the tables were read.
    pub(super) checked_at: i64,
    /// When the next batch is due, if there is one.
    pub(super) next_due: Option<i64>,
}

/// The durability of a committed transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// The transaction survives a loss of power.
    Full,
    /// The transaction survives the end of the process, but a loss of power can undo it.
    Normal,
}

impl Database {
    pub(super) fn new(connection: Connection) -> Database {
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Database { connection, idle: None }
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Returns a number that changes when another connection, of any process, commits a change.
    pub(super) fn data_version(&self) -> rusqlite::Result<i64> {
        self.connection.prepare_cached("PRAGMA data_version")?.query_row((), |row| row.get(0))
    }

    /// Returns whether nothing has changed since the outbox was found idle, and no batch is due.
    pub(super) fn is_still_idle(&self, data_version: i64, now: i64) -> bool {
        self.idle.is_some_and(|idle| {
            // If the clock was set back, other batches may be due.
            let same_clock = now >= idle.checked_at;
            let nothing_due = idle.next_due.is_none_or(|due| due > now);
            idle.data_version == data_version && same_clock && nothing_due
        })
    }

    pub(super) fn set_idle(&mut self, idle: Idle) {
        self.idle = Some(idle);
    }

    /// Runs `write` in a transaction, which is rolled back if it fails.
    pub(super) fn write<T>(
        &mut self,
        durability: Durability,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        // `data_version` does not change with this connection's own changes.
        self.idle = None;
        self.set_durability(durability)?;
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = write(&tx)?;
        tx.commit()?;
        Ok(result)
    }

    fn set_durability(&self, durability: Durability) -> rusqlite::Result<()> {
        // Without WAL, `NORMAL` is not safe: a loss of power after the commit can damage the file.
        let full = durability == Durability::Full || !self.is_wal()?;
        let pragma = if full { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" };
        self.connection.execute_batch(pragma)
    }

    fn is_wal(&self) -> rusqlite::Result<bool> {
        let mut statement = self.connection.prepare_cached("PRAGMA journal_mode")?;
        let mode: String = statement.query_row((), |row| row.get(0))?;
        Ok(mode == "wal")
    }
}

/// Returns the current time in milliseconds since 1970.
pub(super) fn now_millis() -> i64 {
    let now = SystemTime::now();
    match now.duration_since(UNIX_EPOCH) {
        Ok(since_1970) => millis(since_1970),
        Err(error) => -millis(error.duration()),
    }
}

/// Returns a duration in milliseconds, rounded up, so that no wait is too short.
pub(super) fn millis(duration: Duration) -> i64 {
    let rounded_up = duration.as_nanos().div_ceil(1_000_000);
    i64::try_from(rounded_up).unwrap_or(i64::MAX)
}

/// Returns the time of `millis` milliseconds since 1970.
pub(super) fn time_of(millis: i64) -> SystemTime {
    let distance = Duration::from_millis(millis.unsigned_abs());
    let time = if millis < 0 {
        UNIX_EPOCH.checked_sub(distance)
    } else {
        UNIX_EPOCH.checked_add(distance)
    };
    time.unwrap_or(UNIX_EPOCH)
}

/// Returns the latest time at which a batch can be due. A later one was written before the clock
/// was set back, and counts as due.
pub(super) fn latest_due(now: i64) -> i64 {
    let tolerance = Duration::from_secs(60);
    now.saturating_add(millis(MAX_WAIT + tolerance))
}
