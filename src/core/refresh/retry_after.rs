//! The header `Retry-After` (RFC 9110 §10.2.3).

use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

/// The longest wait that is obeyed, in seconds: a day. A fault at the provider must not park a token for years.
pub const MAX_RETRY_AFTER_SECONDS: i64 = 86_400;

/// The three notations of a date that RFC 9110 §5.6.7 wants recipients to accept.
const DATE_FORMATS: [&str; 3] = [
    "%a, %d %b %Y %H:%M:%S GMT",
    "%A, %d-%b-%y %H:%M:%S GMT",
    "%a %b %e %H:%M:%S %Y",
];

/// The seconds to wait, between 0 and a day; `None` for what is neither a number nor a date.
///
/// * `now` — microseconds since 1970.
pub fn parse_retry_after(value: &str, now: i64) -> Option<i64> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Digits that do not fit are a very long time.
        return Some(
            value
                .parse()
                .unwrap_or(i64::MAX)
                .min(MAX_RETRY_AFTER_SECONDS),
        );
    }
    let date = DATE_FORMATS
        .iter()
        .find_map(|format| strtime::parse(format, value).ok()?.to_datetime().ok())?;
    Some(seconds_until(date, now)?.clamp(0, MAX_RETRY_AFTER_SECONDS))
}

/// Rounded up, so as not to come early.
fn seconds_until(date: DateTime, now: i64) -> Option<i64> {
    let then = date
        .to_zoned(TimeZone::UTC)
        .ok()?
        .timestamp()
        .as_microsecond();
    Some(
        (then.saturating_sub(now))
            .saturating_add(999_999)
            .div_euclid(1_000_000),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1994-11-06 08:49:37 UTC, the date in the RFC's examples.
    const THEN: i64 = 784_111_777_000_000;

    #[test]
    fn seconds_are_capped() {
        for (value, expected) in [
            ("0", 0),
            (" 120 ", 120),
            ("86400", 86_400),
            ("86401", 86_400),
            (&"9".repeat(40), 86_400),
        ] {
            assert_eq!(parse_retry_after(value, THEN), Some(expected), "{value}");
        }
    }

    #[test]
    fn dates_come_in_three_notations() {
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(
                parse_retry_after(date, THEN - 90_000_000),
                Some(90),
                "{date}"
            );
            assert_eq!(
                parse_retry_after(date, THEN - 89_500_000),
                Some(90),
                "{date}"
            );
            assert_eq!(parse_retry_after(date, THEN + 1), Some(0), "{date}");
            assert_eq!(
                parse_retry_after(date, 0),
                Some(MAX_RETRY_AFTER_SECONDS),
                "{date}"
            );
        }
    }

    #[test]
    fn anything_else_is_no_answer() {
        for value in [
            "",
            "-1",
            "1.5",
            "soon",
            "1e3",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "+5",
            "５",
        ] {
            assert_eq!(parse_retry_after(value, THEN), None, "{value}");
        }
    }
}
