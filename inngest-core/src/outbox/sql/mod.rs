//! The SQL of the outbox, for other database drivers and migration tools.

pub mod postgres;
pub mod sqlite;

/// The version of the tables that this release needs: the number of texts in `MIGRATIONS`.
pub(crate) const VERSION: i32 = 1;
