//! The errors of PostgreSQL and its driver, by SQLSTATE.

use std::error::Error;
use std::sync::Arc;

use crate::outbox::error::{DatabaseError, StoreError};

/// Returns the error of a statement that failed with the SQLSTATE `code`.
pub(super) fn of_code(code: &str, error: impl Error + Send + Sync + 'static) -> StoreError {
    let error: DatabaseError = Arc::new(error);
    match code {
        // undefined_table
        "42P01" => StoreError::MissingTable(error),
        // read_only_sql_transaction
        "25006" => StoreError::ReadOnly(error),
        // lock_not_available
        "55P03" => StoreError::Locked(error),
        // insufficient_privilege
        "42501" => StoreError::Privilege(error),
        // admin_shutdown, crash_shutdown, cannot_connect_now, database_dropped,
        // idle_session_timeout, too_many_connections
        "57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "53300" => StoreError::Connection(error),
        // Connection exceptions, invalid authorization, and a database that does not exist.
        code if ["08", "28", "3D"].iter().any(|class| code.starts_with(class)) => {
            StoreError::Connection(error)
        }
        _ => StoreError::Database(error),
    }
}

/// Returns the error of a row that no relay writes.
pub(super) fn invalid_row(table: &str, id: i64, problem: &str) -> StoreError {
    StoreError::InvalidRow { problem: format!("{table}, id {id}: {problem}") }
}
