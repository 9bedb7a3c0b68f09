//! Turns the errors of rusqlite into [`StoreError`].

use std::sync::Arc;

use rusqlite::ErrorCode;

use crate::outbox::error::StoreError;

/// Why a call failed.
#[derive(Debug)]
pub(super) enum Failure {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

impl Failure {
    /// Returns the failure of a row that no relay has written.
    pub(super) fn invalid_row(problem: String) -> Failure {
        Failure::Store(StoreError::InvalidRow { problem })
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Failure {
        Failure::Sqlite(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> StoreError {
        match failure {
            Failure::Sqlite(error) => store_error(error),
            Failure::Store(error) => error,
        }
    }
}

fn store_error(error: rusqlite::Error) -> StoreError {
    let text = error.to_string();
    let code = code(&error);
    let error = Arc::new(error);
    match code {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked(error),
        Some(ErrorCode::ReadOnly) => StoreError::ReadOnly(error),
        Some(ErrorCode::CannotOpen) => StoreError::Connection(error),
        // SQLite has no error code for a missing table.
        Some(ErrorCode::Unknown) if text.contains("no such table: inngest_outbox") => {
            StoreError::MissingTable(error)
        }
        _ => StoreError::Database(error),
    }
}

/// Returns SQLite's code of an error.
pub(super) fn code(error: &rusqlite::Error) -> Option<ErrorCode> {
    match error {
        rusqlite::Error::SqliteFailure(error, _) | rusqlite::Error::SqlInputError { error, .. } => {
            Some(error.code)
        }
        _ => None,
    }
}
