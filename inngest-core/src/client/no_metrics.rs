//! No metrics: the feature `metrics` is off.
#![allow(clippy::unused_self, reason = "in place of one that has something to count")]

use super::error::RequestError;
use super::response::Answer;
use crate::batch::Slot;

pub(super) fn describe() {}

#[derive(Default)]
pub(super) struct Tally {}

impl Tally {
    pub(super) fn add(&mut self, _: &'static str, _: Option<&'static str>) {}

    pub(super) fn count(&mut self) {}
}

pub(super) struct Attempt;

impl Attempt {
    pub(super) fn begin() -> Attempt {
        Attempt
    }

    pub(super) fn end(&self, _: &[Slot], _: &Result<Answer, RequestError>) {}
}

#[derive(Default)]
pub(crate) struct Gauges {}

impl Gauges {
    pub(crate) fn set(&mut self, _: usize, _: usize, _: usize) {}
}
