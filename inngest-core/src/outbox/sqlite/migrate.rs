//! Reads the version of the tables, and creates or migrates them.

use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};

use super::BUSY_TIMEOUT;
use super::connection::{Database, Durability};
use super::error::{Failure, code};
use crate::outbox::error::StoreError;
use crate::outbox::sql;
use crate::outbox::sql::sqlite::MIGRATIONS;

const HAS_VERSION: &str = "\
SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'inngest_outbox_schema'";
const VERSION: &str = "SELECT coalesce(max(version), 0) FROM inngest_outbox_schema";
const OBJECTS: &str = "SELECT count(*) FROM sqlite_master";

/// Returns the version of the tables, or 0 if they are missing.
pub(super) fn schema_version(connection: &Connection) -> rusqlite::Result<i32> {
    if count(connection, HAS_VERSION)? == 0 {
        return Ok(0);
    }
    connection.query_row(VERSION, (), |row| row.get(0))
}

pub(super) fn migrate(database: &mut Database) -> Result<(), Failure> {
    // The version is read without a lock first, so that a starting relay does not wait for a writer.
    if is_current(database.connection())? {
        return Ok(());
    }
    if count(database.connection(), OBJECTS)? == 0 {
        set_wal(database.connection())?;
    }
    database.write(Durability::Full, |tx| {
        if is_current(tx)? {
            return Ok(());
        }
        let found = usize::try_from(schema_version(tx)?).unwrap_or_default();
        for migration in MIGRATIONS.iter().skip(found) {
            tx.execute_batch(migration)?;
        }
        Ok(())
    })
}

/// Returns whether the tables have the version that this release needs.
fn is_current(connection: &Connection) -> Result<bool, Failure> {
    let found = schema_version(connection)?;
    if found > sql::VERSION {
        return Err(Failure::Store(StoreError::Schema { found, needed: sql::VERSION }));
    }
    Ok(found == sql::VERSION)
}

/// Sets the journal mode. It retries while the file is locked, by another migration that creates it, since
/// SQLite does not apply `busy_timeout` here.
fn set_wal(connection: &Connection) -> rusqlite::Result<()> {
    let give_up_at = Instant::now() + BUSY_TIMEOUT;
    loop {
        // A database in memory keeps its own journal mode.
        let set = connection.query_row("PRAGMA journal_mode = WAL", (), |_| Ok(()));
        match set {
            Err(error)
                if code(&error) == Some(ErrorCode::DatabaseBusy) && Instant::now() < give_up_at =>
            {
                sleep(Duration::from_millis(5));
            }
            set => return set,
        }
    }
}

fn count(connection: &Connection, sql: &str) -> rusqlite::Result<i64> {
    connection.query_row(sql, (), |row| row.get(0))
}
