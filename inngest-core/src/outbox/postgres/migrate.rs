//! Reads the version of the tables, and creates or migrates them.

use super::super::statements::{BEGIN, LOCK_MIGRATIONS, SET_LOCK_TIMEOUT, VERSION, VERSION_TABLES};
use super::failure::Failure;
use super::raw_sql;
use super::sqlx::{self, Connection, Executor, PgConnection};
use crate::outbox::error::StoreError;
use crate::outbox::sql;
use crate::outbox::sql::postgres::MIGRATIONS;

/// Returns the version of the tables, or 0 if they are missing.
pub(super) async fn schema_version(connection: &mut PgConnection) -> Result<i32, Failure> {
    let mut tx = connection.begin_with(BEGIN).await?;
    let version = version(&mut tx).await?;
    tx.commit().await?;
    Ok(version)
}

async fn version(tx: &mut PgConnection) -> Result<i32, Failure> {
    let tables: i64 = sqlx::query_scalar(VERSION_TABLES).fetch_one(&mut *tx).await?;
    if tables == 0 {
        return Ok(0);
    }
    Ok(sqlx::query_scalar(VERSION).fetch_one(tx).await?)
}

pub(super) async fn migrate(connection: &mut PgConnection) -> Result<(), Failure> {
    if is_current(schema_version(connection).await?)? {
        return Ok(());
    }
    let mut tx = connection.begin_with(BEGIN).await?;
    sqlx::query(LOCK_MIGRATIONS).execute(&mut *tx).await?;
    let found = version(&mut tx).await?;
    if is_current(found)? {
        return Ok(tx.commit().await?);
    }
    sqlx::query(SET_LOCK_TIMEOUT).execute(&mut *tx).await?;
    for migration in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or_default()) {
        tx.execute(raw_sql(migration)).await?;
    }
    Ok(tx.commit().await?)
}

/// Returns whether the tables have the version that this release needs.
fn is_current(found: i32) -> Result<bool, StoreError> {
    if found > sql::VERSION {
        return Err(StoreError::Schema { found, needed: sql::VERSION });
    }
    Ok(found == sql::VERSION)
}
