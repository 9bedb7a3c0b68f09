//! Writes events on a connection.

use futures_util::future::BoxFuture;

use super::super::transaction::{PgTransaction, Sealed};
use super::sqlx::{self, PgConnection, Postgres, Transaction};
use crate::outbox::event::OutboxEvent;
use crate::outbox::sql::postgres::INSERT;

/// Writes events. The parameters are arrays of their names, bodies and trace contexts.
const INSERT_ALL: &str = "\
INSERT INTO inngest_outbox (name, body, traceparent)
SELECT name, body, traceparent FROM unnest($1::text[], $2::bytea[], $3::text[])
  WITH ORDINALITY AS event (name, body, traceparent, number)
ORDER BY number";

impl Sealed for PgConnection {}

impl PgTransaction for PgConnection {
    type Error = sqlx::Error;

    fn insert(&mut self, event: OutboxEvent) -> BoxFuture<'_, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let insert = sqlx::query(INSERT).bind(event.name()).bind(event.body());
            insert.bind(event.traceparent()).execute(self).await.map(drop)
        })
    }

    fn insert_all(&mut self, events: Vec<OutboxEvent>) -> BoxFuture<'_, Result<(), sqlx::Error>> {
        Box::pin(async move {
            if events.is_empty() {
                return Ok(());
            }
            let names: Vec<&str> = events.iter().map(OutboxEvent::name).collect();
            let bodies: Vec<&[u8]> = events.iter().map(OutboxEvent::body).collect();
            let traceparents: Vec<_> = events.iter().map(OutboxEvent::traceparent).collect();
            let insert = sqlx::query(INSERT_ALL).bind(names).bind(bodies).bind(traceparents);
            insert.execute(self).await.map(drop)
        })
    }
}

impl Sealed for Transaction<'_, Postgres> {}

impl PgTransaction for Transaction<'_, Postgres> {
    type Error = sqlx::Error;

    fn insert(&mut self, event: OutboxEvent) -> BoxFuture<'_, Result<(), sqlx::Error>> {
        (**self).insert(event)
    }

    fn insert_all(&mut self, events: Vec<OutboxEvent>) -> BoxFuture<'_, Result<(), sqlx::Error>> {
        (**self).insert_all(events)
    }
}
