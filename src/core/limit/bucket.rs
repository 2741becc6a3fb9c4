//! A limit of so many reads a minute.

const MINUTE: i64 = 60_000_000;

/// Reads of the recent past, which drain away at the rate of the limit: after a pause of a minute, a whole minute's reads
/// may come at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket {
    /// Reads, times a minute in microseconds.
    level: i64,
    at: i64,
}

impl Bucket {
    /// Whether one more read is within the limit; if so, it counts.
    pub fn take(&mut self, per_minute: u32, now: i64) -> bool {
        let limit = i64::from(per_minute);
        // A clock that was set back drains nothing.
        let elapsed = now.saturating_sub(self.at).max(0);
        self.at = now;
        self.level = (self.level - elapsed.saturating_mul(limit)).max(0);
        if self.level + MINUTE > limit * MINUTE {
            return false;
        }
        self.level += MINUTE;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(bucket: &mut Bucket, per_minute: u32, now: i64) -> usize {
        (0..1000)
            .take_while(|_| bucket.take(per_minute, now))
            .count()
    }

    #[test]
    fn a_minutes_reads_may_come_at_once_and_no_more() {
        let mut bucket = Bucket::default();
        let now = 1_800_000_000_000_000;
        assert_eq!(reads(&mut bucket, 60, now), 60);
        assert_eq!(reads(&mut bucket, 60, now + 1_000_000), 1);
        assert_eq!(reads(&mut bucket, 60, now + 11_000_000), 10);
        assert_eq!(reads(&mut bucket, 60, now + 10 * MINUTE), 60);
    }

    #[test]
    fn a_refused_read_does_not_count() {
        let mut bucket = Bucket::default();
        assert_eq!(reads(&mut bucket, 6, MINUTE), 6);
        for second in 1..10 {
            assert!(!bucket.take(6, MINUTE + second * 1_000_000));
        }
        assert!(bucket.take(6, MINUTE + 10_000_000));
    }

    #[test]
    fn a_clock_that_is_set_back_gives_nothing() {
        let mut bucket = Bucket::default();
        assert_eq!(reads(&mut bucket, 60, 100 * MINUTE), 60);
        assert_eq!(reads(&mut bucket, 60, 50 * MINUTE), 0);
        assert_eq!(reads(&mut bucket, 60, 51 * MINUTE), 60);
    }

    #[test]
    fn the_largest_limit_does_not_overflow() {
        let mut bucket = Bucket::default();
        assert!(bucket.take(i32::MAX as u32, i64::MAX));
        assert!(bucket.take(i32::MAX as u32, i64::MIN));
    }
}
