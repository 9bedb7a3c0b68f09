use std::fmt;

use jiff::tz::Offset;
use jiff::{Timestamp, Zoned, civil};

use super::date_time::{write_date, write_utc_time};
use crate::event::dedup::IdSegment;

impl IdSegment for Timestamp {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let utc = Offset::UTC.to_datetime(*self);
        utc.date().write_segment(out)?;
        let part = |part: i8| part.unsigned_abs().into();
        let hms = [part(utc.hour()), part(utc.minute()), part(utc.second())];
        write_utc_time(out, hms, utc.subsec_nanosecond().unsigned_abs())
    }
}

impl IdSegment for Zoned {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.timestamp().write_segment(out)
    }
}

impl IdSegment for civil::Date {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write_date(out, self.year().into(), self.month().unsigned_abs(), self.day().unsigned_abs())
    }
}
