use std::fmt;

use time::{Date, Duration, OffsetDateTime, UtcDateTime};

use super::date_time::{write_date, write_utc_time};
use crate::event::dedup::IdSegment;

/// The number of years after which the Gregorian calendar repeats. [`CYCLE`] is their duration.
const CYCLE_YEARS: i32 = 400;
const CYCLE: Duration = Duration::days(146_097);

impl IdSegment for OffsetDateTime {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let (utc, years) = to_utc(*self);
        let (year, month, day) = utc.to_calendar_date();
        write_date(out, year + years, u8::from(month), day)?;
        let (hour, minute, second, nanosecond) = utc.as_hms_nano();
        write_utc_time(out, [hour, minute, second].map(u32::from), nanosecond)
    }
}

/// Converts to UTC. Returns the UTC time, and the years to add to it. For times within a day of the limits of the
/// crate `time`, the UTC date may be out of range. Then, a date that is one cycle closer to the present is converted
/// instead, and the years are the difference.
fn to_utc(time: OffsetDateTime) -> (UtcDateTime, i32) {
    match time.checked_to_utc() {
        Some(utc) => (utc, 0),
        None if time.year() < 0 => ((time + CYCLE).to_utc(), -CYCLE_YEARS),
        None => ((time - CYCLE).to_utc(), CYCLE_YEARS),
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
