//! The canonical text of dates and times: ISO 8601 in UTC.

use std::fmt;

/// Writes `2026-11-01`, or `-0044-03-15` for a year before 0.
pub(super) fn write_date(
    out: &mut dyn fmt::Write,
    year: i32,
    month: impl Into<u32>,
    day: impl Into<u32>,
) -> fmt::Result {
    let sign = if year < 0 { "-" } else { "" };
    write!(out, "{sign}{:04}-{:02}-{:02}", year.unsigned_abs(), month.into(), day.into())
}

/// Writes the text that follows the date: `T22:30:00Z`, or `T22:30:00.25Z` with a fraction of a second.
pub(super) fn write_utc_time(
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
