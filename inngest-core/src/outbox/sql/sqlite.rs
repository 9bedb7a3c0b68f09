//! The SQL of the outbox in SQLite 3.37 or newer.
//!
//! Times are in milliseconds since 1970.

/// The statement that writes an event to the outbox. Takes the [name](crate::outbox::OutboxEvent::name), the
/// [body](crate::outbox::OutboxEvent::body) as a BLOB, and the
/// [traceparent](crate::outbox::OutboxEvent::traceparent) or NULL.
///
/// Execute it in the transaction that the event belongs to. Begin the transaction with
/// `BEGIN IMMEDIATE`: otherwise, if it reads before it writes, it fails with `SQLITE_BUSY_SNAPSHOT`
/// when another connection has written in between.
pub const INSERT: &str = "\
INSERT INTO inngest_outbox (name, body, traceparent, created_at) VALUES (?1, ?2, ?3,
  CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER))";

/// The statements that create the tables: one text for each version. Execute them in ascending order,
/// each once and in a transaction. Each writes the row of its version to `inngest_outbox_schema`.
///
/// `SqliteStore::migrate` executes the missing ones. It also sets the journal mode of a new file, which
/// these statements do not.
pub const MIGRATIONS: &[&str] = &["\
CREATE TABLE inngest_outbox_schema (version INTEGER NOT NULL) STRICT;
CREATE TABLE inngest_outbox (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  body BLOB NOT NULL,
  traceparent TEXT,
  created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE inngest_outbox_batch (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  base_seq INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  seed BLOB NOT NULL CHECK (length(seed) = 16),
  token BLOB,
  due_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 1,
  crashes INTEGER NOT NULL DEFAULT 0,
  sealed_at INTEGER NOT NULL,
  ambiguous_at INTEGER,
  last_error TEXT
) STRICT;
CREATE TABLE inngest_outbox_dead (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  body BLOB NOT NULL,
  traceparent TEXT,
  created_at INTEGER NOT NULL,
  seed BLOB,
  place INTEGER,
  reason TEXT NOT NULL,
  ambiguous_at INTEGER,
  died_at INTEGER NOT NULL
) STRICT;
INSERT INTO inngest_outbox_schema (version) VALUES (1);
"];
