//! The operations of a store on a pool, for any version of sqlx.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::scan::{Found, Scan};
use crate::outbox::dead::{DeadEvent, Ids};
use crate::outbox::error::StoreError;
use crate::outbox::store::{ClaimRequest, ClaimedBatch, Counts, Lease, Settled, Settlement};

/// The result of an operation.
pub(super) type Call<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Each operation is one transaction, except for a claim that finds nothing.
pub(super) trait Pool: Send + Sync {
    fn schema_version(&self) -> Call<'_, i32>;

    fn migrate(&self) -> Call<'_, ()>;

    fn claim<'a>(&'a self, request: &'a ClaimRequest, scan: Scan) -> Call<'a, Claim>;

    fn renew(&self, lease: Lease, length: Duration) -> Call<'_, bool>;

    fn settle<'a>(&'a self, settlement: &'a Settlement) -> Call<'a, Settled>;

    fn counts(&self) -> Call<'_, Counts>;

    fn dead_events(&self, after: i64, limit: u32) -> Call<'_, Vec<DeadEvent>>;

    fn requeue<'a>(&'a self, dead: &'a [i64], ids: Ids, max_age: Duration) -> Call<'a, u64>;

    fn purge_dead(&self, older_than: Duration, limit: u32) -> Call<'_, u64>;
}

/// The result of a claim.
pub(super) struct Claim {
    pub(super) found: Found,
    pub(super) batch: Option<ClaimedBatch>,
}
