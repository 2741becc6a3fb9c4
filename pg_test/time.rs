//! From PostgreSQL's time to the core's and back.

#[pgrx::pg_schema]
mod tests {
    use pgrx::datum::{Interval, TimestampWithTimeZone};
    use pgrx::prelude::*;

    use crate::pg::time;

    fn timestamp(text: &str) -> TimestampWithTimeZone {
        Spi::get_one_with_args("SELECT $1::timestamptz", &[text.into()])
            .unwrap()
            .unwrap()
    }

    fn micros(interval: &str) -> i64 {
        let interval: Interval = Spi::get_one_with_args("SELECT $1::interval", &[interval.into()])
            .unwrap()
            .unwrap();
        time::interval_micros(&interval)
    }

    #[pg_test]
    fn microseconds_count_from_1970() {
        assert_eq!(time::from_sql(timestamp("1970-01-01 00:00:00+00")), 0);
        assert_eq!(
            time::from_sql(timestamp("2000-01-01 00:00:01+00")),
            946_684_801_000_000
        );
        assert_eq!(
            time::from_sql(timestamp("1969-12-31 23:59:59.999999+00")),
            -1
        );
    }

    #[pg_test]
    fn every_instant_comes_back() {
        for text in [
            "1970-01-01 00:00:00+00",
            "2026-02-28 23:59:59.999999+00",
            "9998-12-31 00:00:00+00",
        ] {
            assert_eq!(
                time::to_sql(time::from_sql(timestamp(text))),
                timestamp(text)
            );
        }
        // What a provider may say and PostgreSQL can't hold.
        assert_eq!(time::to_sql(i64::MAX), timestamp("9999-12-31 00:00:00+00"));
        assert_eq!(time::to_sql(i64::MIN), timestamp("1970-01-01 00:00:00+00"));
    }

    #[pg_test]
    fn infinity_is_no_instant() {
        assert_eq!(time::finite(timestamp("infinity")), None);
        assert_eq!(
            time::finite(timestamp("1970-01-01 00:00:01+00")),
            Some(1_000_000)
        );
    }

    #[pg_test]
    fn intervals_have_the_length_they_compare_with() {
        for (interval, expected) in [
            ("1 microsecond", 1),
            ("-1 s", -1_000_000),
            ("1 day 1 h", 90_000_000_000),
            ("1 mon", 2_592_000_000_000),
        ] {
            assert_eq!(micros(interval), expected, "{interval}");
        }
        assert_eq!(micros("100000000 years"), i64::MAX);
    }

    #[pg_test]
    fn the_clock_is_the_server_s() {
        let before: TimestampWithTimeZone =
            Spi::get_one("SELECT clock_timestamp()").unwrap().unwrap();
        let now = time::now();
        let after: TimestampWithTimeZone =
            Spi::get_one("SELECT clock_timestamp()").unwrap().unwrap();
        assert!(time::from_sql(before) <= now && now <= time::from_sql(after));
    }
}
