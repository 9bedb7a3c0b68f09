//! The SQL of the outbox in PostgreSQL 12 or newer.
//!
//! The tables are created in, and found through, the `search_path` of the connection.

/// The statement that writes an event to the outbox. Takes the [name](crate::outbox::OutboxEvent::name), the
/// [body](crate::outbox::OutboxEvent::body) as `bytea`, and the
/// [traceparent](crate::outbox::OutboxEvent::traceparent) or `NULL`.
///
/// Execute it in the transaction that the event belongs to. The role needs only the privilege
/// `INSERT` on the table `inngest_outbox`.
pub const INSERT: &str = "INSERT INTO inngest_outbox (name, body, traceparent) VALUES ($1, $2, $3)";

/// The statements that create the tables: one text for each version. Execute them in ascending order,
/// each once and in a transaction. Each writes the row of its version to `inngest_outbox_schema`.
///
/// `PostgresStore::migrate` executes the missing ones.
pub const MIGRATIONS: &[&str] = &["\
CREATE TABLE inngest_outbox_schema (version integer NOT NULL);
CREATE TABLE inngest_outbox (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  body bytea NOT NULL,
  traceparent text,
  created_at timestamptz NOT NULL DEFAULT now()
) WITH (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
  autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000
);
ALTER TABLE inngest_outbox ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE TABLE inngest_outbox_batch (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  seed bytea NOT NULL CHECK (octet_length(seed) = 16),
  token bytea,
  due_at timestamptz NOT NULL,
  attempts integer NOT NULL DEFAULT 1,
  crashes integer NOT NULL DEFAULT 0,
  sealed_at timestamptz NOT NULL DEFAULT now(),
  oldest_at timestamptz NOT NULL,
  ambiguous_at timestamptz DEFAULT now(),
  last_error text,
  places integer[] NOT NULL,
  names text[] NOT NULL,
  bodies bytea[] NOT NULL,
  traceparents text[],
  created_at timestamptz[] NOT NULL
) WITH (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
  toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 20000
);
ALTER TABLE inngest_outbox_batch ALTER COLUMN bodies SET STORAGE EXTERNAL;
CREATE TABLE inngest_outbox_dead (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  body bytea NOT NULL,
  traceparent text,
  created_at timestamptz NOT NULL,
  seed bytea,
  place integer,
  reason text NOT NULL,
  ambiguous_at timestamptz,
  died_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO inngest_outbox_schema (version) VALUES (1);
"];
