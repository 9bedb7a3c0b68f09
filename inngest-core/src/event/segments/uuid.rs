use std::fmt;

use uuid::Uuid;

use crate::event::dedup::IdSegment;

impl IdSegment for Uuid {
    /// The text always has 36 characters.
    const SELF_DELIMITING: bool = true;

    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{}", self.hyphenated())
    }
}
