//! The promises of the outbox in SQLite, through the public API, in temporary files.

mod dead;
mod delivery;
mod errors;
mod failures;
mod fixture;
mod migrations;
mod relays;
mod users;
