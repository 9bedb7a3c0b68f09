//! The types of jiff 1, with the feature `jiff`, and of jiff 0.2, with the feature `jiff02`.

use std::fmt;

use super::date_time::{write_date, write_utc_time};
use crate::event::dedup::IdSegment;

macro_rules! segments {
    ($jiff:ident, $zoned:ident) => {
        impl IdSegment for $jiff::Timestamp {
            fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
                let utc = $jiff::tz::Offset::UTC.to_datetime(*self);
                utc.date().write_segment(out)?;
                let part = |part: i8| part.unsigned_abs().into();
                let hms = [part(utc.hour()), part(utc.minute()), part(utc.second())];
                write_utc_time(out, hms, utc.subsec_nanosecond().unsigned_abs())
            }
        }

        impl IdSegment for $jiff::$zoned {
            fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
                self.timestamp().write_segment(out)
            }
        }

        impl IdSegment for $jiff::civil::Date {
            fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
                let (month, day) = (self.month().unsigned_abs(), self.day().unsigned_abs());
                write_date(out, self.year().into(), month, day)
            }
        }
    };
}

#[cfg(feature = "jiff")]
segments!(jiff, ZonedDateTime);
#[cfg(feature = "jiff02")]
segments!(jiff02, Zoned);
