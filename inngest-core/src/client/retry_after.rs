//! Parses the header `Retry-After`.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// The longest wait that is returned: 136 years. A longer one could overflow `Instant`.
const MAX_WAIT: Duration = Duration::from_secs(u32::MAX as u64);

/// Returns the wait from the header `Retry-After`, which is a number of seconds or a date. A date is
/// compared with the response's `Date` if there is one, and with `now` otherwise.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = parse_seconds(value).or_else(|| {
        let until = httpdate::parse_http_date(value).ok()?;
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let now = date.and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
        Some(until.duration_since(now).unwrap_or_default())
    });
    wait.map(|wait| wait.min(MAX_WAIT))
}

/// Parses a number of seconds, and rounds a fraction up. HTTP allows any number of digits and no
/// fraction, but some servers send fractions.
fn parse_seconds(value: &str) -> Option<Duration> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    // Digits fail to parse only if the number overflows.
    let seconds = whole.parse().unwrap_or(u64::MAX);
    let rounded_up = fraction.bytes().any(|digit| digit != b'0');
    Some(Duration::from_secs(seconds.saturating_add(rounded_up.into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    fn parse(pairs: &[(HeaderName, &'static str)]) -> Option<Duration> {
        let headers =
            pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        retry_after(&headers.collect(), SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn a_date_is_compared_with_the_servers_clock() {
        let until = |date| (RETRY_AFTER, date);
        assert_eq!(parse(&[until("Thu, 01 Jan 1970 00:00:30 GMT")]), Some(Duration::from_secs(30)));
        let server_time = (DATE, "Thu, 01 Jan 1970 00:00:20 GMT");
        let later = until("Thu, 01 Jan 1970 00:00:30 GMT");
        assert_eq!(parse(&[later, server_time.clone()]), Some(Duration::from_secs(10)));
        let earlier = until("Thu, 01 Jan 1970 00:00:10 GMT");
        assert_eq!(parse(&[earlier, server_time]), Some(Duration::from_secs(0)));
        assert_eq!(parse(&[until("Fri, 31 Dec 9999 23:59:59 GMT")]), Some(MAX_WAIT));
    }

    #[test]
    fn seconds_are_rounded_up_and_have_no_limit() {
        let parse = |value| parse(&[(RETRY_AFTER, value)]);
        for (value, expected) in
            [("0", 0), ("7", 7), ("007", 7), ("1.0", 1), ("1.01", 2), ("0.2", 1)]
        {
            assert_eq!(parse(value), Some(Duration::from_secs(expected)), "{value}");
        }
        for long in ["4294967296", "18446744073709551615.5", "18446744073709551616", "1e", "9.9e9"]
        {
            let expected = (!long.contains('e')).then_some(MAX_WAIT);
            assert_eq!(parse(long), expected, "{long}");
        }
        for invalid in ["", "soon", "-7", ".", "1.", ".5", "1.5s", "1,5", "0x10", "inf"] {
            assert_eq!(parse(invalid), None, "{invalid}");
        }
    }
}
