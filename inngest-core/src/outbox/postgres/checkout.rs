//! A connection of the pool, for one operation.

use super::failure::Failure;
use super::sqlx::pool::PoolConnection;
use super::sqlx::{PgPool, Postgres};

/// A connection that is closed instead of returned to the pool if its operation fails or is dropped.
///
/// sqlx rolls a transaction back only if it has read the response to `BEGIN`. If the operation is
/// dropped before, the connection would return to the pool with an open transaction, in which the
/// next statements of the application would be lost.
pub(super) struct Checkout {
    pub(super) connection: PoolConnection<Postgres>,
    has_succeeded: bool,
}

impl Checkout {
    /// Waits for a connection.
    pub(super) async fn of(pool: &PgPool) -> Result<Checkout, Failure> {
        Ok(Checkout { connection: pool.acquire().await?, has_succeeded: false })
    }

    /// Returns the connection to the pool if the operation has succeeded.
    pub(super) fn finish<T>(mut self, result: Result<T, Failure>) -> Result<T, Failure> {
        self.has_succeeded = result.is_ok();
        result
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        if !self.has_succeeded {
            self.connection.close_on_drop();
        }
    }
}
