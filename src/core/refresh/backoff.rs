//! When a failed refresh is tried again.

const MICROS: i64 = 1_000_000;
/// Longest delay that failures alone lead to, in seconds.
pub const MAX_DELAY_SECONDS: i64 = 15 * 60;

/// When to try again: exponential from 1 s to 15 min, with jitter over the upper half, and never before what the
/// provider asked for.
///
/// * `now` — microseconds since 1970; the result too.
/// * `failures` — how many attempts have failed in a row, this one included.
/// * `retry_after` — seconds, from [`super::parse_retry_after`].
pub fn retry_at(now: i64, failures: u32, retry_after: Option<i64>, random: u64) -> i64 {
    let doublings = failures
        .saturating_sub(1)
        .min(MAX_DELAY_SECONDS.ilog2() + 1);
    let longest = (1 << doublings).min(MAX_DELAY_SECONDS) * MICROS;
    let backoff = (longest - below(random, longest / 2)).max(MICROS);
    // Whoever obeys the header exactly comes back together with everybody else who does.
    let asked = retry_after.map_or(0, |seconds| seconds.max(0).saturating_mul(MICROS));
    let asked = asked.saturating_add(below(random, asked / 10));
    now.saturating_add(backoff.max(asked))
}

/// A number from 0 to `limit`.
pub(super) fn below(random: u64, limit: i64) -> i64 {
    let limit = limit.unsigned_abs().saturating_add(1);
    i64::try_from(random % limit).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn delays_double_up_to_a_quarter_of_an_hour() {
        let seconds = |failures| retry_at(0, failures, None, 0) / MICROS;
        assert_eq!([1, 2, 3, 4, 10].map(seconds), [1, 2, 4, 8, 512]);
        assert_eq!([11, 12, 100, u32::MAX].map(seconds), [900; 4]);
        assert_eq!(seconds(0), 1);
    }

    #[test]
    fn what_the_provider_asks_for_is_the_least() {
        assert_eq!(retry_at(5, 1, Some(60), 0), 5 + 60 * MICROS);
        assert_eq!(
            retry_at(5, 12, Some(60), 0),
            5 + 900 * MICROS,
            "and the most of both"
        );
        assert_eq!(retry_at(5, 1, Some(-60), 0), 5 + MICROS);
    }

    proptest! {
        #[test]
        fn delays_stay_within_their_limits(failures: u32, random: u64, asked in proptest::option::of(0..86_400i64)) {
            let delay = retry_at(0, failures, asked, random);
            let longest = MAX_DELAY_SECONDS.max(asked.map_or(0, |seconds| seconds + seconds / 10 + 1));
            prop_assert!(delay >= MICROS.max(asked.unwrap_or(0) * MICROS));
            prop_assert!(delay <= longest * MICROS);
            let jittered = retry_at(0, failures, None, random);
            prop_assert!(jittered * 2 >= retry_at(0, failures, None, 0), "no less than half");
        }
    }
}
