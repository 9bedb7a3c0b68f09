//! The SQL of the outbox in SQLite 3.37 or newer.
