//! The SQL of the outbox in PostgreSQL 12 or newer.
