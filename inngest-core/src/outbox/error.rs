//! The errors of the outbox.

use std::error::Error;
use std::sync::Arc;

use crate::event::EventError;

/// Why an event was not written to the outbox.
///
/// See [outbox](crate::guide::outbox) in the guide.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnqueueError<D> {
    /// An event is invalid. The database was not called.
    #[error(transparent)]
    Event(#[from] EventError),

    /// The database's error, as the driver returned it, so that the caller can retry the
    /// transaction after a serialization failure.
    #[error("the event was not written to the outbox: {0}")]
    Database(D),
}

/// An error of a [store](super::Store): of the database or its driver. Its text states the cause and
/// how to fix it.
///
/// See [outbox](crate::guide::outbox) in the guide.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A table of the outbox is missing.
    #[error("a table of the outbox is missing: call `migrate` on the store first ({0})")]
    MissingTable(DatabaseError),

    /// The database is read-only, or its file or directory cannot be written.
    #[error(
        "the database is read-only: a relay writes to it, so it needs write access (for SQLite also to the file's directory) ({0})"
    )]
    ReadOnly(DatabaseError),

    /// The database was locked for longer than the timeout.
    #[error(
        "the database is locked: another transaction holds it for too long, or did not begin with BEGIN IMMEDIATE ({0})"
    )]
    Locked(DatabaseError),

    /// The database cannot be reached, or the connection broke.
    #[error(
        "no connection to the database: check its address and that it runs (for SQLite, the path of the file, and the right to read and write in its directory) ({0})"
    )]
    Connection(DatabaseError),

    /// The database role lacks a privilege on a table of the outbox.
    #[error("the database role lacks a privilege on the tables of the outbox ({0})")]
    Privilege(DatabaseError),

    /// A table contains a row that no relay writes.
    #[error("the outbox contains an invalid row: {problem}")]
    InvalidRow {
        /// The table, the row, and what is wrong with it.
        problem: String,
    },

    /// A newer release of inngest-core has migrated the tables. Returned by `migrate`.
    #[error("{}", schema_problem(*found, *needed))]
    Schema {
        /// The version of the tables.
        found: i32,
        /// The version that this release needs.
        needed: i32,
    },

    /// Any other error of the database.
    #[error("the database failed: {0}")]
    Database(DatabaseError),
}

/// The error of a database driver, as the cause of a [`StoreError`].
pub type DatabaseError = Arc<dyn Error + Send + Sync>;

/// Why a relay was not started, or why a [drain](super::RelayBuilder::drain) ended before it had sent all
/// events.
///
/// See [outbox](crate::guide::outbox) in the guide.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RelayError {
    /// The version of the tables is not the one that this release of inngest-core needs. Call `migrate`
    /// on the store, or deploy the release that migrated the tables.
    #[error("{}", schema_problem(*found, *needed))]
    Schema {
        /// The version of the tables, or 0 if they are missing.
        found: i32,
        /// The version that this release needs.
        needed: i32,
    },

    /// An option of the relay is invalid.
    #[error("the option `{option}` of the relay is invalid: {problem}")]
    Config {
        /// The name of the builder's method.
        option: &'static str,
        /// What is wrong with it.
        problem: String,
    },

    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn schema_problem(found: i32, needed: i32) -> String {
    match found {
        0 => "the tables of the outbox are missing: call `migrate` on the store before the relay is started".to_owned(),
        found if found < needed => format!(
            "the tables of the outbox have version {found}, but this release of inngest-core needs version {needed}: call `migrate` on the store before the relay is started"
        ),
        _ => format!(
            "the tables of the outbox have version {found}, which is newer than version {needed} of this release of inngest-core: update inngest-core"
        ),
    }
}
