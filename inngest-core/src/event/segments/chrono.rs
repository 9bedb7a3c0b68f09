use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, TimeZone, Timelike};

use super::date_time::{write_date, write_utc_time};
use crate::event::dedup::IdSegment;

impl<Tz: TimeZone> IdSegment for DateTime<Tz> {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let utc = self.naive_utc();
        utc.date().write_segment(out)?;
        // chrono represents a leap second as second 59 with a nanosecond of 1,000,000,000 or more;
        // here it is second 60.
        let leap = utc.nanosecond() / 1_000_000_000;
        let second = utc.second() + leap;
        write_utc_time(out, [utc.hour(), utc.minute(), second], utc.nanosecond() % 1_000_000_000)
    }
}

impl IdSegment for NaiveDate {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write_date(out, self.year(), self.month(), self.day())
    }
}
