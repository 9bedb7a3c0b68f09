//! Claims a batch that is due, or seals pending events.

use std::time::{Duration, Instant};

use super::super::error::invalid_row;
use super::super::pool::Claim;
use super::super::scan::{Found, Scan};
use super::super::seconds;
use super::super::statements::{BEGIN_CLAIM, CLAIM_DUE, SEAL, poll};
use super::failure::Failure;
use super::raw_sql;
use super::sqlx::postgres::PgRow;
use super::sqlx::{self, Connection, Executor, PgConnection, Row};
use crate::outbox::error::StoreError;
use crate::outbox::store::{ClaimRequest, ClaimedBatch, Lease, StoredEvent};

/// The maximum age of an attempt in seconds, which replaces the age of an attempt at the time `-infinity`.
const MAX_AGE: f64 = 1e10;

/// Claims a batch. No transaction is begun while there is nothing to claim.
pub(super) async fn claim(
    connection: &mut PgConnection,
    request: &ClaimRequest,
    scan: Scan,
) -> Result<Claim, Failure> {
    let poll = poll(scan);
    let started = Instant::now();
    let rows = connection.fetch_all(raw_sql(&poll)).await?;
    let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    let (is_due, is_pending): (bool, bool) = (row.try_get(0)?, row.try_get(1)?);
    let first_batch = row.try_get(2)?;
    let mut found = Found { first_batch, took: started.elapsed(), sealed: None };
    if !is_due && !is_pending {
        return Ok(Claim { found, batch: None });
    }
    let mut tx = connection.begin_with(BEGIN_CLAIM).await?;
    let mut claimed = None;
    if is_pending && request.pending_first {
        claimed = seal(&mut tx, request, scan).await?;
    }
    if claimed.is_none() && is_due {
        claimed = claim_due(&mut tx, request, scan).await?;
    }
    if claimed.is_none() && is_pending && !request.pending_first {
        claimed = seal(&mut tx, request, scan).await?;
    }
    tx.commit().await?;
    let Some(row) = claimed else {
        return Ok(Claim { found, batch: None });
    };
    let last_seq: Option<i64> = row.try_get(10)?;
    found.sealed = last_seq.zip(row.try_get(0)?).map(|(seq, batch)| (batch, seq));
    // The lease of a damaged batch is committed, too, so that the next claims get the batches after it.
    Ok(Claim { found, batch: Some(claimed_batch(&row, request.token)?) })
}

async fn claim_due(
    tx: &mut PgConnection,
    request: &ClaimRequest,
    scan: Scan,
) -> Result<Option<PgRow>, sqlx::Error> {
    let claim = sqlx::query(CLAIM_DUE).bind(request.token).bind(seconds(request.lease));
    claim.bind(scan.from_batch).fetch_optional(tx).await
}

async fn seal(
    tx: &mut PgConnection,
    request: &ClaimRequest,
    scan: Scan,
) -> Result<Option<PgRow>, sqlx::Error> {
    let seal = sqlx::query(SEAL)
        .bind(scan.after_seq)
        .bind(i64::try_from(request.max_events).unwrap_or(i64::MAX))
        .bind(i64::try_from(request.max_bytes).unwrap_or(i64::MAX))
        .bind(request.seed)
        .bind(request.token)
        .bind(seconds(request.lease));
    seal.fetch_optional(tx).await
}

fn claimed_batch(row: &PgRow, token: [u8; 16]) -> Result<ClaimedBatch, StoreError> {
    let batch = row.try_get(0).unwrap_or_default();
    let lease = Lease { batch, token };
    decode(row, lease).map_err(|problem| invalid_row("inngest_outbox_batch", batch, &problem))
}

fn decode(row: &PgRow, lease: Lease) -> Result<ClaimedBatch, String> {
    let seed = column::<Vec<u8>>(row, 1)?;
    let counter = |index| column::<i32>(row, index).map(|it| u32::try_from(it).unwrap_or(0));
    let ambiguous_for = column::<Option<f64>>(row, 5)?;
    Ok(ClaimedBatch {
        lease,
        seed: seed.try_into().map_err(|_| "the seed has not 16 bytes".to_owned())?,
        events: events(row)?,
        attempts: counter(2)?,
        crashes: counter(3)?,
        lease_expired: column(row, 4)?,
        ambiguous_for: ambiguous_for
            .map(|age| Duration::try_from_secs_f64(age.min(MAX_AGE)).unwrap_or_default()),
    })
}

fn events(row: &PgRow) -> Result<Vec<StoredEvent>, String> {
    let places = column::<Vec<i32>>(row, 6)?;
    let names = column::<Vec<String>>(row, 7)?;
    let bodies = column::<Vec<Vec<u8>>>(row, 8)?;
    let traceparents = column::<Option<Vec<Option<String>>>>(row, 9)?;
    let traceparents = traceparents.unwrap_or_else(|| vec![None; places.len()]);
    if [names.len(), bodies.len(), traceparents.len()] != [places.len(); 3] {
        return Err("its arrays have different lengths".to_owned());
    }
    let rows = places.into_iter().zip(names).zip(bodies).zip(traceparents);
    let mut events = Vec::with_capacity(rows.len());
    for (((place, name), body), traceparent) in rows {
        let place = u32::try_from(place).map_err(|_| format!("place {place} is negative"))?;
        events.push(StoredEvent { place, name, body, traceparent });
    }
    events.sort_by_key(|event| event.place);
    Ok(events)
}

fn column<'r, T>(row: &'r PgRow, index: usize) -> Result<T, String>
where
    T: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    row.try_get(index).map_err(|error| error.to_string())
}
