//! Noticing that a role reads far more than it used to.

const MINUTE: i64 = 60_000_000;
/// So many minutes the average remembers.
const MEMORY: f32 = 60.0;
/// So many times the average is unusual.
const FACTOR: f32 = 10.0;
/// Told once, and not again before so many minutes are over.
const SILENCE: i64 = 60;

/// What is remembered of a role's reads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Watch {
    minute: i64,
    reads: u32,
    /// Reads a minute, before this minute.
    average: f32,
    silent_until: i64,
}

/// A minute with far more reads than before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unusual {
    /// In this minute, so far.
    pub reads: u32,
    /// A minute, in the last hour.
    pub average: f32,
}

impl Watch {
    /// Counts a read; says so when it makes this minute unusual. `least`: fewer reads in a minute never are; 0: none is.
    pub fn note(&mut self, least: u32, now: i64) -> Option<Unusual> {
        let minute = now.div_euclid(MINUTE);
        if minute != self.minute {
            self.begin(minute);
        }
        self.reads = self.reads.saturating_add(1);
        let is_unusual =
            least > 0 && self.reads > least && self.reads as f32 > FACTOR * self.average;
        if !is_unusual || minute < self.silent_until {
            return None;
        }
        self.silent_until = minute + SILENCE;
        Some(Unusual {
            reads: self.reads,
            average: self.average,
        })
    }

    /// The minute is over, and so are perhaps some without a read.
    fn begin(&mut self, minute: i64) {
        let silent = (minute - self.minute - 1).clamp(0, 100_000) as i32;
        self.average += (self.reads as f32 - self.average) / MEMORY;
        self.average *= (1.0 - 1.0 / MEMORY).powi(silent);
        self.minute = minute;
        self.reads = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many reads in a minute.
    fn read(watch: &mut Watch, minute: i64, reads: u32) -> Option<Unusual> {
        (0..reads)
            .filter_map(|read| watch.note(1000, minute * MINUTE + i64::from(read)))
            .last()
    }

    #[test]
    fn somebody_who_reads_much_all_the_time_is_not_unusual() {
        let mut watch = Watch::default();
        assert!(read(&mut watch, 1, 5000).is_some()); // the first time, it is
        for minute in 2..300 {
            assert_eq!(read(&mut watch, minute, 5000), None, "{minute}");
        }
    }

    #[test]
    fn ten_times_the_usual_is_told_once() {
        let mut watch = Watch::default();
        for minute in 0..200 {
            assert_eq!(read(&mut watch, minute, 200), None);
        }
        assert_eq!(read(&mut watch, 200, 1500), None);
        let unusual = read(&mut watch, 201, 3000).expect("unusual");
        assert!((2100..2500).contains(&unusual.reads), "{unusual:?}");
        assert_eq!(read(&mut watch, 202, 30_000), None);
    }

    #[test]
    fn few_reads_never_are_unusual() {
        let mut watch = Watch::default();
        assert_eq!(read(&mut watch, 10, 1000), None);
        assert!(read(&mut watch, 10_000, 1001).is_some());
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let mut watch = Watch::default();
        for minute in 0..300 {
            read(&mut watch, minute, 2000);
        }
        assert!(read(&mut watch, 300 + 24 * 60, 2000).is_some());
    }

    #[test]
    fn zero_switches_it_off() {
        let mut watch = Watch::default();
        for read in 0..100_000 {
            assert_eq!(watch.note(0, read), None);
        }
    }
}
