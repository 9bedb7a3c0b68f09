//! `IdSegment` for the types of other crates, behind the features of their names.
//!
//! Equal values have equal texts: times are written in UTC, decimals without trailing zeros.

#[cfg(any(
    feature = "chrono",
    feature = "jiff",
    feature = "rust_decimal",
    feature = "time",
    feature = "ulid",
    feature = "uuid"
))]
use {super::IdSegment, std::fmt};

#[cfg(any(feature = "jiff", feature = "ulid"))]
macro_rules! displayed {
    ($($(#[$feature:meta])* $type:ty),* $(,)?) => {$(
        $(#[$feature])*
        impl IdSegment for $type {
            fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
                write!(out, "{self}")
            }
        }
    )*};
}

#[cfg(feature = "uuid")]
impl IdSegment for uuid::Uuid {
    /// 36 characters, always.
    const SELF_DELIMITING: bool = true;

    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{}", self.hyphenated())
    }
}

#[cfg(feature = "ulid")]
displayed!(ulid::Ulid);

#[cfg(feature = "jiff")]
displayed!(jiff::Timestamp, jiff::civil::Date);

#[cfg(feature = "jiff")]
impl IdSegment for jiff::Zoned {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.timestamp().write_segment(out)
    }
}

#[cfg(feature = "rust_decimal")]
impl IdSegment for rust_decimal::Decimal {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{}", self.normalize())
    }
}

#[cfg(feature = "chrono")]
impl<Tz: chrono::TimeZone> IdSegment for chrono::DateTime<Tz> {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let utc = self.naive_utc();
        write!(out, "{utc:?}Z")
    }
}

#[cfg(feature = "chrono")]
impl IdSegment for chrono::NaiveDate {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{self}")
    }
}

#[cfg(feature = "time")]
impl IdSegment for time::OffsetDateTime {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let utc = self.to_utc();
        utc.date().write_segment(out)?;
        let (hour, minute, second, nanosecond) = utc.time().as_hms_nano();
        write!(out, "T{hour:02}:{minute:02}:{second:02}")?;
        if nanosecond > 0 {
            let digits = format!("{nanosecond:09}");
            write!(out, ".{}", digits.trim_end_matches('0'))?;
        }
        out.write_char('Z')
    }
}

#[cfg(feature = "time")]
impl IdSegment for time::UtcDateTime {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        time::OffsetDateTime::from(*self).write_segment(out)
    }
}

#[cfg(feature = "time")]
impl IdSegment for time::Date {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let (year, month, day) = self.to_calendar_date();
        let sign = if year < 0 { "-" } else { "" };
        write!(out, "{sign}{:04}-{:02}-{day:02}", year.unsigned_abs(), u8::from(month))
    }
}
