use std::fmt;

use rust_decimal::Decimal;

use crate::event::dedup::IdSegment;

impl IdSegment for Decimal {
    /// Writes the decimal without trailing zeros, since 1.5 and 1.50 are equal.
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{}", self.normalize())
    }
}
