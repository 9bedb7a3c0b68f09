//! The errors of this version of sqlx.

use std::sync::Arc;

use super::super::error::of_code;
use super::sqlx;
use super::sqlx::error::DatabaseError;
use crate::outbox::error::StoreError;

/// An error of the driver, or of the store itself.
pub(super) struct Failure(pub(super) StoreError);

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Failure {
        if let Some(code) = error.as_database_error().and_then(DatabaseError::code) {
            let code = code.into_owned();
            return Failure(of_code(&code, error));
        }
        Failure(match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => StoreError::Connection(Arc::new(error)),
            _ => StoreError::Database(Arc::new(error)),
        })
    }
}
