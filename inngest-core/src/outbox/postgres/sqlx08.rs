//! The operations with sqlx 0.8.

use ::sqlx08 as sqlx;

#[path = "checkout.rs"]
mod checkout;
#[path = "claim.rs"]
mod claim;
#[path = "enqueue.rs"]
mod enqueue;
#[path = "failure.rs"]
mod failure;
#[path = "inspect.rs"]
mod inspect;
#[path = "migrate.rs"]
mod migrate;
#[path = "operations.rs"]
mod operations;
#[path = "rows.rs"]
mod rows;
#[path = "settle.rs"]
mod settle;

/// Returns a query of several statements, without parameters.
fn raw_sql(sql: &str) -> sqlx::RawSql<'_> {
    sqlx::raw_sql(sql)
}
