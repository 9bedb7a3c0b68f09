//! The statements of a relay.
//!
//! Times come from the database's clock. `clock_timestamp()` is the current time; `now()` would be
//! the time at which the transaction began. The parts of a statement that lock rows are
//! `MATERIALIZED`: as plain subqueries, they could be evaluated more than once and exceed their
//! limits.

use super::scan::Scan;

/// Begins the transactions of a relay. If they used the database's default, which can be
/// `SERIALIZABLE`, the reads of a relay could make transactions of the application fail.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// Begins the transaction of a claim. Its commit must be on disk before the events are sent: if a
/// crash undid the seal of a batch that was sent, its events would be sent again with other ids.
pub(super) const BEGIN_CLAIM: &str = "\
BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT set_config('synchronous_commit', 'local', true)
WHERE current_setting('synchronous_commit') = 'off'";

/// Begins the transaction of a settlement without dead events. If a crash undoes it, the events are
/// sent again with the same ids, so the commit does not have to wait for the disk.
pub(super) const BEGIN_SETTLE: &str = "\
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL synchronous_commit = off";

/// Serializes the migrations of all processes until the commit.
pub(super) const LOCK_MIGRATIONS: &str = "SELECT pg_advisory_xact_lock(7308319243157692532)";

/// Limits how long a migration waits for a lock, and thereby how long others wait for the migration.
pub(super) const SET_LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '10s'";

/// Returns whether the version's table exists, as a count of 0 or 1. Reads `pg_class`, since
/// `to_regclass` can return an outdated result after this transaction has waited for another one that
/// created the table.
pub(super) const VERSION_TABLES: &str = "\
SELECT count(*) FROM pg_catalog.pg_class
WHERE relname = 'inngest_outbox_schema' AND relkind = 'r' AND pg_catalog.pg_table_is_visible(oid)";

pub(super) const VERSION: &str = "SELECT coalesce(max(version), 0) FROM inngest_outbox_schema";

/// Returns statements that look for something to claim, in one round trip and without a transaction
/// that has to be ended. Their row states whether a batch is due, whether an event is pending, and
/// the id of the first batch. `ORDER BY` makes PostgreSQL use the index, which it might not do for a
/// table that was just emptied.
pub(super) fn poll(scan: Scan) -> String {
    let Scan { after_seq, from_batch } = scan;
    format!(
        "\
SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
SELECT
  (SELECT id FROM inngest_outbox_batch
   WHERE id >= {from_batch}
     AND (due_at <= clock_timestamp() OR due_at > clock_timestamp() + interval '61 minutes')
   ORDER BY id LIMIT 1) IS NOT NULL,
  (SELECT seq FROM inngest_outbox WHERE seq > {after_seq} ORDER BY seq LIMIT 1) IS NOT NULL,
  (SELECT id FROM inngest_outbox_batch WHERE id >= {from_batch} ORDER BY id LIMIT 1)"
    )
}

/// Leases the batch that has been due for the longest time. A batch with a `due_at` more than an hour
/// ahead is due, too, and comes first: waits are at most an hour, so the clock was set back.
///
/// The statement succeeds for any values of a row, since a failure at one damaged row would stop all
/// events. The times are subtracted as numbers, since they can be infinite.
///
/// Takes the token, the lease in seconds, and the id of the first batch.
pub(super) const CLAIM_DUE: &str = "\
WITH due AS MATERIALIZED (
  SELECT id, token IS NOT NULL AS expired, ambiguous_at
  FROM inngest_outbox_batch
  WHERE id >= $3
    AND (due_at <= clock_timestamp() OR due_at > clock_timestamp() + interval '61 minutes')
  ORDER BY due_at <= clock_timestamp(), due_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE inngest_outbox_batch AS batch SET
  token = $1,
  due_at = clock_timestamp() + $2 * interval '1 second',
  attempts = least(batch.attempts, 2147483646) + 1,
  crashes = least(batch.crashes, 2147483646) + due.expired::integer,
  ambiguous_at = coalesce(batch.ambiguous_at, clock_timestamp())
FROM due WHERE batch.id = due.id
RETURNING batch.id, batch.seed, batch.attempts, batch.crashes, due.expired,
  extract(epoch FROM clock_timestamp())::double precision
    - extract(epoch FROM due.ambiguous_at)::double precision,
  batch.places, batch.names, batch.bodies, batch.traceparents, NULL::bigint";

/// Seals pending events as a batch. All arrays are aggregated from the same rows, so they have the same
/// order.
///
/// Takes the `seq` after which to look, the maximum number of events, the maximum size of the
/// request, the seed, the token, and the lease in seconds.
pub(super) const SEAL: &str = "\
WITH locked AS MATERIALIZED (
  SELECT seq, name, body, traceparent, created_at
  FROM inngest_outbox WHERE seq > $1 ORDER BY seq LIMIT $2 FOR UPDATE SKIP LOCKED
), measured AS (
  SELECT locked.*, row_number() OVER events AS number,
    sum(octet_length(body) + 1) OVER events AS bytes
  FROM locked WINDOW events AS (ORDER BY seq ROWS UNBOUNDED PRECEDING)
), chosen AS MATERIALIZED (
  SELECT * FROM measured WHERE number = 1 OR bytes + 1 <= $3
), deleted AS (
  DELETE FROM inngest_outbox WHERE seq = ANY (ARRAY(SELECT seq FROM chosen))
), sealed AS (
  INSERT INTO inngest_outbox_batch
    (seed, token, due_at, oldest_at, places, names, bodies, traceparents, created_at)
  SELECT $4, $5, clock_timestamp() + $6 * interval '1 second', min(created_at),
    array_agg((number - 1)::integer), array_agg(name), array_agg(body),
    CASE WHEN count(traceparent) > 0 THEN array_agg(traceparent) END, array_agg(created_at)
  FROM chosen HAVING count(*) > 0
  RETURNING *
)
SELECT id, seed, attempts, crashes, false, NULL::double precision, places, names, bodies,
  traceparents, (SELECT max(seq) FROM chosen)
FROM sealed";

/// Extends a lease. Takes the id, the token, and the lease in seconds.
pub(super) const RENEW: &str = "\
UPDATE inngest_outbox_batch SET due_at = clock_timestamp() + $3 * interval '1 second'
WHERE id = $1 AND token = $2";

/// Deletes a batch. Takes the id and the token.
pub(super) const DELETE_BATCH: &str =
    "DELETE FROM inngest_outbox_batch WHERE id = $1 AND token = $2";

/// Ends a lease and keeps all events.
///
/// Takes the id, the token, the seconds until the next claim, `attempts`, `crashes`, whether the
/// attempts are unambiguous, and the last error or `NULL`.
pub(super) const KEEP_ALL: &str = "\
UPDATE inngest_outbox_batch SET
  token = NULL, due_at = clock_timestamp() + $3 * interval '1 second', attempts = $4, crashes = $5,
  ambiguous_at = CASE WHEN $6 THEN NULL ELSE ambiguous_at END,
  last_error = coalesce($7, last_error)
WHERE id = $1 AND token = $2";

/// Ends a lease and keeps the events at some places. Takes the parameters of [`KEEP_ALL`], and the
/// places.
pub(super) const KEEP_SOME: &str = "\
UPDATE inngest_outbox_batch AS batch SET
  token = NULL, due_at = clock_timestamp() + $3 * interval '1 second', attempts = $4, crashes = $5,
  ambiguous_at = CASE WHEN $6 THEN NULL ELSE ambiguous_at END,
  last_error = coalesce($7, last_error),
  (oldest_at, places, names, bodies, traceparents, created_at) = (
    SELECT min(event.created_at), array_agg(event.place), array_agg(event.name),
      array_agg(event.body),
      CASE WHEN count(event.traceparent) > 0 THEN array_agg(event.traceparent) END,
      array_agg(event.created_at)
    FROM unnest(batch.places, batch.names, batch.bodies, batch.traceparents, batch.created_at)
      AS event (place, name, body, traceparent, created_at)
    WHERE event.place = ANY ($8)
  )
WHERE id = $1 AND token = $2";

/// Moves the events at some places to a new batch with the same seed, before the lease is ended.
/// Takes the parameters of [`KEEP_SOME`].
pub(super) const SPLIT: &str = "\
INSERT INTO inngest_outbox_batch (seed, due_at, attempts, crashes, sealed_at, ambiguous_at,
  last_error, oldest_at, places, names, bodies, traceparents, created_at)
SELECT seed, clock_timestamp() + $3 * interval '1 second', $4, $5, sealed_at,
  CASE WHEN $6 THEN NULL ELSE ambiguous_at END, coalesce($7, last_error), part.*
FROM inngest_outbox_batch AS batch, LATERAL (
  SELECT min(event.created_at), array_agg(event.place), array_agg(event.name),
    array_agg(event.body),
    CASE WHEN count(event.traceparent) > 0 THEN array_agg(event.traceparent) END,
    array_agg(event.created_at)
  FROM unnest(batch.places, batch.names, batch.bodies, batch.traceparents, batch.created_at)
    AS event (place, name, body, traceparent, created_at)
  WHERE event.place = ANY ($8)
) AS part
WHERE id = $1 AND token = $2 FOR UPDATE OF batch";

/// Copies the events at some places to the dead events, before the lease is ended.
///
/// Takes the id, the token, whether the attempts are unambiguous, the places, and the reasons.
pub(super) const BURY: &str = "\
WITH buried AS MATERIALIZED (
  SELECT batch.seed, CASE WHEN $3 THEN NULL ELSE batch.ambiguous_at END AS ambiguous_at,
    event.place, event.name, event.body, event.traceparent, event.created_at, verdict.reason
  FROM inngest_outbox_batch AS batch,
    unnest(batch.places, batch.names, batch.bodies, batch.traceparents, batch.created_at)
      AS event (place, name, body, traceparent, created_at),
    unnest($4::integer[], $5::text[]) AS verdict (place, reason)
  WHERE batch.id = $1 AND batch.token = $2 AND event.place = verdict.place
  FOR UPDATE OF batch
)
INSERT INTO inngest_outbox_dead
  (name, body, traceparent, created_at, seed, place, reason, ambiguous_at, died_at)
SELECT name, body, traceparent, created_at, seed, place, reason, ambiguous_at, clock_timestamp()
FROM buried ORDER BY place
RETURNING id, name, body, traceparent, (extract(epoch FROM created_at) * 1000000)::bigint,
  (extract(epoch FROM died_at) * 1000000)::bigint, reason, ambiguous_at IS NOT NULL";

/// Returns dead events. Takes the id after which to look, and the maximum number.
pub(super) const DEAD_EVENTS: &str = "\
SELECT id, name, body, traceparent, (extract(epoch FROM created_at) * 1000000)::bigint,
  (extract(epoch FROM died_at) * 1000000)::bigint, reason, ambiguous_at IS NOT NULL
FROM inngest_outbox_dead WHERE id > $1 ORDER BY id LIMIT $2";

/// Puts dead events back as pending events. Takes their ids.
pub(super) const REQUEUE_FRESH: &str = "\
WITH chosen AS MATERIALIZED (
  SELECT id, name, body, traceparent, created_at
  FROM inngest_outbox_dead WHERE id = ANY ($1) ORDER BY id FOR UPDATE SKIP LOCKED
), deleted AS (
  DELETE FROM inngest_outbox_dead WHERE id = ANY (ARRAY(SELECT id FROM chosen))
)
INSERT INTO inngest_outbox (name, body, traceparent, created_at)
SELECT name, body, traceparent, created_at FROM chosen ORDER BY id";

/// Puts dead events back as sealed batches with their seeds and places, and returns their number.
/// Events are in the same batch again only if they were in the same batch before.
///
/// Takes their ids, and the seconds after which the first attempt with an unknown outcome is too
/// long ago.
pub(super) const REQUEUE_KEEP: &str = "\
WITH chosen AS MATERIALIZED (
  SELECT id, name, body, traceparent, created_at, seed, place, ambiguous_at
  FROM inngest_outbox_dead
  WHERE id = ANY ($1) AND seed IS NOT NULL AND place IS NOT NULL
    AND (ambiguous_at IS NULL OR ambiguous_at > clock_timestamp() - $2 * interval '1 second')
  ORDER BY id FOR UPDATE SKIP LOCKED
), deleted AS (
  DELETE FROM inngest_outbox_dead WHERE id = ANY (ARRAY(SELECT id FROM chosen))
), sealed AS (
  INSERT INTO inngest_outbox_batch (seed, due_at, attempts, ambiguous_at, oldest_at, places,
    names, bodies, traceparents, created_at)
  SELECT seed, clock_timestamp(), 0, ambiguous_at, min(created_at), array_agg(place),
    array_agg(name), array_agg(body),
    CASE WHEN count(traceparent) > 0 THEN array_agg(traceparent) END, array_agg(created_at)
  FROM chosen GROUP BY seed, ambiguous_at
)
SELECT count(*) FROM chosen";

/// Deletes dead events, the oldest first. Takes their minimum age in seconds, and the maximum
/// number.
pub(super) const PURGE_DEAD: &str = "\
WITH chosen AS MATERIALIZED (
  SELECT id FROM inngest_outbox_dead
  WHERE died_at <= clock_timestamp() - $1 * interval '1 second'
  ORDER BY died_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
)
DELETE FROM inngest_outbox_dead WHERE id = ANY (ARRAY(SELECT id FROM chosen))";

/// Counts the events and the batches. Takes the limit up to which pending events are counted, and the
/// number of crashes after which an event is isolated.
pub(super) const COUNTS: &str = "\
WITH pending AS (
  SELECT count(*) AS events, min(created_at) AS oldest_at
  FROM (SELECT created_at FROM inngest_outbox ORDER BY seq LIMIT $1) AS event
), batches AS (
  SELECT coalesce(sum(cardinality(places)), 0)::bigint AS events, min(oldest_at) AS oldest_at,
    count(*) FILTER (WHERE token IS NOT NULL AND due_at > clock_timestamp()) AS in_flight,
    count(*) FILTER (WHERE cardinality(places) = 1 AND crashes >= $2) AS isolated
  FROM inngest_outbox_batch
)
SELECT pending.events,
  (extract(epoch FROM least(pending.oldest_at, batches.oldest_at)) * 1000000)::bigint,
  batches.events, batches.in_flight, batches.isolated,
  (SELECT count(*) FROM inngest_outbox_dead)
FROM pending, batches";
