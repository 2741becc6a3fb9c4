//! What Linux counts of a process: time on a processor and memory.

use std::fs;
use std::time::Duration;

use token_vault_cluster::Result;

/// The unit of times in `/proc`, the same on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// Time that all threads of a process have spent on a processor.
pub fn cpu_time(process: i32) -> Result<Duration> {
    time_in(&fs::read_to_string(format!("/proc/{process}/stat"))?)
}

/// The same of its first thread, in nanoseconds where the kernel counts them: a process of the server has only that one.
pub fn precise_cpu_time(process: i32) -> Result<Duration> {
    let scheduled = fs::read_to_string(format!("/proc/{process}/schedstat"));
    let nanoseconds = scheduled
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| cpu_time(process), |time| Ok(Duration::from_nanos(time)))
}

/// The same of those threads of this program that have a name.
pub fn cpu_time_of_threads(name: &str) -> Result<Duration> {
    let mut sum = Duration::ZERO;
    for thread in fs::read_dir("/proc/self/task")? {
        let folder = thread?.path();
        if fs::read_to_string(folder.join("comm"))?.trim_end() == name {
            sum += time_in(&fs::read_to_string(folder.join("stat"))?)?;
        }
    }
    Ok(sum)
}

/// Resident memory in kB, without shared memory, whose pages count for every process that has touched them.
pub fn anonymous_memory(process: i32) -> Option<u64> {
    memory(process, "RssAnon:")
}

/// Resident memory in kB, the shared memory that it has touched included.
pub fn resident_memory(process: i32) -> Option<u64> {
    memory(process, "VmRSS:")
}

fn memory(process: i32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// User and system time in the text of a `stat` file. Its second field, a name, may contain anything.
fn time_in(stat: &str) -> Result<Duration> {
    let (_, fields) = stat.rsplit_once(')').ok_or("no stat file")?;
    let ticks: f64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse::<f64>().unwrap_or_default())
        .sum();
    Ok(Duration::from_secs_f64(ticks / TICKS_PER_SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_are_the_twelfth_and_thirteenth_field_after_the_name() {
        let stat = "17 (a) name) S 1 17 17 0 -1 4194560 1 2 3 4 150 25 0 0 20 0 1 0 99 0 0";
        assert_eq!(time_in(stat).unwrap(), Duration::from_millis(1750));
    }
}
