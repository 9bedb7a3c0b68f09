//! `IdSegment` for the types of other crates, behind the features of their names.
//!
//! Equal values have equal texts: times are written in UTC, decimals without trailing zeros. Dates
//! and times are put together here, so that a time has one text whichever crate it comes from, and
//! none of them changes it.

#[cfg(any(
    feature = "chrono",
    feature = "jiff",
    feature = "rust_decimal",
    feature = "time",
    feature = "ulid",
    feature = "uuid"
))]
use {super::IdSegment, std::fmt};

#[cfg(feature = "uuid")]
impl IdSegment for uuid::Uuid {
    /// 36 characters, always.
    const SELF_DELIMITING: bool = true;

    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{}", self.hyphenated())
    }
}

#[cfg(feature = "ulid")]
impl IdSegment for ulid::Ulid {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{self}")
    }
}

#[cfg(feature = "rust_decimal")]
impl IdSegment for rust_decimal::Decimal {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{}", self.normalize())
    }
}

/// `2026-11-01`, and `-0044-03-15` before the common era.
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
fn date(
    out: &mut dyn fmt::Write,
    year: i32,
    month: impl Into<u32>,
    day: impl Into<u32>,
) -> fmt::Result {
    let sign = if year < 0 { "-" } else { "" };
    write!(out, "{sign}{:04}-{:02}-{:02}", year.unsigned_abs(), month.into(), day.into())
}

/// What follows the date in UTC: `T22:30:00Z`, `T22:30:00.25Z`.
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
fn time(
    out: &mut dyn fmt::Write,
    [hour, minute, second]: [u32; 3],
    nanosecond: u32,
) -> fmt::Result {
    write!(out, "T{hour:02}:{minute:02}:{second:02}")?;
    if nanosecond > 0 {
        let (mut fraction, mut digits) = (nanosecond, 9);
        while fraction % 10 == 0 {
            fraction /= 10;
            digits -= 1;
        }
        write!(out, ".{fraction:0digits$}")?;
    }
    out.write_char('Z')
}

#[cfg(feature = "chrono")]
impl<Tz: chrono::TimeZone> IdSegment for chrono::DateTime<Tz> {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        use chrono::Timelike;

        let utc = self.naive_utc();
        utc.date().write_segment(out)?;
        // A leap second is written as one: it has a second's nanoseconds and more.
        let leap = utc.nanosecond() / 1_000_000_000;
        let second = utc.second() + leap;
        time(out, [utc.hour(), utc.minute(), second], utc.nanosecond() % 1_000_000_000)
    }
}

#[cfg(feature = "chrono")]
impl IdSegment for chrono::NaiveDate {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        use chrono::Datelike;

        date(out, self.year(), self.month(), self.day())
    }
}

#[cfg(feature = "jiff")]
impl IdSegment for jiff::Timestamp {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let utc = jiff::tz::Offset::UTC.to_datetime(*self);
        utc.date().write_segment(out)?;
        let part = |part: i8| part.unsigned_abs().into();
        let hms = [part(utc.hour()), part(utc.minute()), part(utc.second())];
        time(out, hms, utc.subsec_nanosecond().unsigned_abs())
    }
}

#[cfg(feature = "jiff")]
impl IdSegment for jiff::Zoned {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.timestamp().write_segment(out)
    }
}

#[cfg(feature = "jiff")]
impl IdSegment for jiff::civil::Date {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        date(out, self.year().into(), self.month().unsigned_abs(), self.day().unsigned_abs())
    }
}

#[cfg(feature = "time")]
impl IdSegment for time::OffsetDateTime {
    fn write_segment(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let utc = self.to_utc();
        utc.date().write_segment(out)?;
        let (hour, minute, second, nanosecond) = utc.time().as_hms_nano();
        self::time(out, [hour, minute, second].map(u32::from), nanosecond)
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
        date(out, year, u8::from(month), day)
    }
}
