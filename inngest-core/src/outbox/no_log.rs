//! No-op versions of the functions in `log.rs`, for builds without the feature `tracing`.

use std::time::Duration;

use super::dead::DeadEvent;
use super::error::StoreError;
use super::store::Lease;

pub(super) fn claimed(_: Lease, _: usize, _: u32) {}

pub(super) fn responded(_: Lease, _: usize, _: usize, _: usize) {}

pub(super) fn settling(_: Lease) {}

pub(super) fn settled(_: Lease) {}

pub(super) fn lease_lost(_: Lease) {}

pub(super) fn lease_expired(_: Lease, _: u32) {}

pub(super) fn split(_: Lease, _: usize, _: &str) {}

pub(super) fn isolated(_: Lease, _: &str, _: Duration) {}

pub(super) fn died(_: &DeadEvent) {}

pub(super) fn stalled(_: &str, _: Duration) {}

pub(super) fn still_stalled(_: &str, _: Duration) {}

pub(super) fn no_longer_stalled() {}

pub(super) fn database_failing(_: &StoreError, _: Duration) {}

pub(super) fn database_still_failing(_: &StoreError, _: Duration) {}

pub(super) fn database_recovered() {}

pub(super) fn settlement_abandoned(_: Lease, _: &StoreError) {}
