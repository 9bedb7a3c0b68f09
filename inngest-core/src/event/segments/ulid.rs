use std::fmt;

use ulid::Ulid;

use crate::event::dedup::IdSegment;

impl IdSegment for Ulid {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{self}")
    }
}
