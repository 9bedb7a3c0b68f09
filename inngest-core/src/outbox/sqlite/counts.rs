//! The numbers of events and batches.

use super::connection::{Database, now_millis, time_of};
use super::error::Failure;
use crate::outbox::store::{Counts, MAX_CRASHES};

/// Counts the events and the batches, in one statement, so that all numbers are of the same moment. The
/// first event of a batch, and the first pending event, count as the oldest one: reading every row of a
/// large outbox would be slow.
const COUNTS: &str = "\
WITH sealed (last) AS
  (SELECT coalesce(max(last_seq), -9223372036854775808) FROM inngest_outbox_batch)
SELECT
  (SELECT count(*) FROM
    (SELECT 1 FROM inngest_outbox WHERE seq > (SELECT last FROM sealed) LIMIT 10000)),
  (SELECT min(created_at) FROM
    (SELECT created_at FROM inngest_outbox
     WHERE seq IN (SELECT first_seq FROM inngest_outbox_batch)
     UNION ALL SELECT created_at FROM
       (SELECT created_at FROM inngest_outbox
        WHERE seq > (SELECT last FROM sealed) ORDER BY seq LIMIT 1))),
  (SELECT count(*) FROM inngest_outbox WHERE seq <= (SELECT last FROM sealed)),
  (SELECT count(*) FROM inngest_outbox_batch WHERE token IS NOT NULL AND due_at > ?1),
  (SELECT count(*) FROM inngest_outbox_batch WHERE crashes >= ?2 AND first_seq = last_seq),
  (SELECT count(*) FROM inngest_outbox_dead)";

pub(super) fn counts(database: &mut Database) -> Result<Counts, Failure> {
    let mut statement = database.connection().prepare_cached(COUNTS)?;
    let counts = statement.query_row((now_millis(), MAX_CRASHES), |row| {
        let count = |index| row.get::<_, i64>(index).map(i64::unsigned_abs);
        Ok(Counts {
            pending: count(0)?,
            oldest: row.get::<_, Option<i64>>(1)?.map(time_of),
            sealed: count(2)?,
            in_flight: count(3)?,
            isolated: count(4)?,
            dead: count(5)?,
        })
    })?;
    Ok(counts)
}
