use std::fmt;

use time::{Date, OffsetDateTime, UtcDateTime};

use super::date_time::{write_date, write_utc_time};
use crate::event::dedup::IdSegment;

impl IdSegment for OffsetDateTime {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let utc = self.to_utc();
        utc.date().write_segment(out)?;
        let (hour, minute, second, nanosecond) = utc.time().as_hms_nano();
        write_utc_time(out, [hour, minute, second].map(u32::from), nanosecond)
    }
}

impl IdSegment for UtcDateTime {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        OffsetDateTime::from(*self).write_segment(out)
    }
}

impl IdSegment for Date {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let (year, month, day) = self.to_calendar_date();
        write_date(out, year, u8::from(month), day)
    }
}
