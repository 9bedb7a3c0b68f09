//! The log events of a relay. They never contain an event's data.

use std::time::Duration;

use super::dead::DeadEvent;
use super::error::StoreError;
use super::store::Lease;

pub(super) fn claimed(lease: Lease, events: usize, attempt: u32) {
    tracing::debug!(batch = lease.batch, events, attempt, "the relay claimed a batch");
}

pub(super) fn responded(lease: Lease, delivered: usize, dead: usize, kept: usize) {
    tracing::debug!(batch = lease.batch, delivered, dead, kept, "the relay sent a batch");
}

pub(super) fn settling(lease: Lease) {
    tracing::debug!(batch = lease.batch, "the relay settles a batch");
}

pub(super) fn settled(lease: Lease) {
    tracing::debug!(batch = lease.batch, "the relay settled a batch");
}

pub(super) fn lease_lost(lease: Lease) {
    tracing::debug!(
        batch = lease.batch,
        "the relay lost its lease; another relay sends the batch with the same ids"
    );
}

pub(super) fn lease_expired(lease: Lease, crashes: u32) {
    tracing::warn!(
        batch = lease.batch,
        crashes,
        "the lease of another relay expired; it was probably killed while it sent the batch"
    );
}

pub(super) fn split(lease: Lease, events: usize, reason: &str) {
    tracing::info!(batch = lease.batch, events, reason, "the relay halved a batch");
}

pub(super) fn isolated(lease: Lease, reason: &str, next_attempt_in: Duration) {
    tracing::warn!(
        batch = lease.batch,
        reason,
        ?next_attempt_in,
        "an event keeps failing while others succeed; it is retried alone"
    );
}

pub(super) fn died(event: &DeadEvent) {
    tracing::warn!(id = event.id, event = event.name, reason = event.reason, "an event is dead");
}

pub(super) fn stalled(reason: &str, next_probe_in: Duration) {
    tracing::error!(
        reason,
        ?next_probe_in,
        "the relay is stalled: events are kept, and one batch probes the server"
    );
}

pub(super) fn still_stalled(reason: &str, next_probe_in: Duration) {
    tracing::debug!(reason, ?next_probe_in, "the relay is still stalled");
}

pub(super) fn no_longer_stalled() {
    tracing::info!("the relay is no longer stalled");
}

pub(super) fn database_failing(error: &StoreError, next_attempt_in: Duration) {
    tracing::warn!(%error, ?next_attempt_in, "the relay cannot use the database; it retries");
}

pub(super) fn database_still_failing(error: &StoreError, next_attempt_in: Duration) {
    tracing::debug!(%error, ?next_attempt_in, "the relay still cannot use the database");
}

pub(super) fn database_recovered() {
    tracing::info!("the relay can use the database again");
}

pub(super) fn settlement_abandoned(lease: Lease, error: &StoreError) {
    tracing::warn!(
        batch = lease.batch,
        %error,
        "the outcome of a batch could not be recorded; it is sent again with the same ids"
    );
}
