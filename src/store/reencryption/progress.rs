//! How far a job is, in words.

use std::fmt;

use super::Job;

/// For `pg_stat_activity`.
pub struct Progress(pub Job);

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let job = &self.0;
        let Some(total) = job.total else {
            return f.write_str("re-encrypting: counting the values");
        };
        let percent = match total {
            0 => 100,
            _ => (job.done * 100 / total).min(100),
        };
        let (done, all) = (grouped(job.done), grouped(total));
        write!(f, "re-encrypting: {done} of {all} values ({percent} %)")?;
        if let Some(rate) = job.rate.filter(|rate| *rate >= 1.0) {
            let seconds = ((total - job.done).max(0) as f64 / rate).ceil() as i64;
            let (rate, seconds) = (grouped(rate as i64), grouped(seconds));
            write!(f, ", {rate}/s, {seconds} s left")?;
        }
        Ok(())
    }
}

/// Digits in groups of three.
pub fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
