//! The promises of the outbox in PostgreSQL, through the public API. `INNGEST_TEST_DATABASE_URL` is the
//! URL of a server and of a role that may create databases. Each test creates its own. Without the
//! variable, PostgreSQL is left out.

mod dead;
mod delivery;
mod errors;
mod failures;
mod fixture;
mod migrations;
mod relays;
mod users;

#[cfg(not(feature = "sqlx09"))]
use sqlx08 as sqlx;
#[cfg(feature = "sqlx09")]
use sqlx09 as sqlx;
