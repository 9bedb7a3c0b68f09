//! The operations with sqlx 0.9.

use ::sqlx09 as sqlx;

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

/// Returns a query of several statements, without parameters. They contain no text from outside.
fn raw_sql(sql: &str) -> sqlx::RawSql {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
}
