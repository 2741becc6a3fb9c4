//! How fast each of several sides is, one right after the other: whatever else the machine does meets all of them.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;
use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Cluster, Result};

use crate::arguments::Arguments;
use crate::beside::LIMIT;
use crate::dataset;
use crate::process;
use crate::report::{CALLS, CPU, Report};
use crate::wire::{Caller, Parameters, Postgres, Prepared};

/// Of the refresher, which writes later what calls have noted: last use, the audit log.
const LATER: &str = "µs of the refresher/call";
/// The refresher collects for a second at most: after that long without work it has nothing left.
const QUIET: Duration = Duration::from_millis(1200);

/// How fast one side is.
#[derive(Clone, Copy, Default)]
pub struct Speed {
    /// Calls a second, of all clients together.
    pub rate: f64,
    /// µs of processor time that one call takes in the processes that serve it.
    pub cpu: f64,
    /// The same of what the refresher does about it.
    pub later: f64,
}

impl Speed {
    /// So many calls in this time, by processes that have worked so long.
    pub fn new(calls: u32, elapsed: Duration, cpu: Duration) -> Self {
        Speed {
            rate: f64::from(calls) / elapsed.as_secs_f64(),
            cpu: micros(cpu, calls),
            later: 0.0,
        }
    }
}

/// Where sessions connect to, and what each of them sets.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    pub cluster: &'a Cluster,
    pub database: &'a str,
    pub settings: &'a str,
}

/// Something that is compared: connections that make the same calls.
pub struct Side {
    pub name: &'static str,
    callers: Vec<Box<dyn Caller>>,
    /// Who goes on working when the calls have ended.
    refresher: Option<i32>,
}

impl Side {
    pub fn new(name: &'static str, callers: Vec<Box<dyn Caller>>) -> Self {
        Side {
            name,
            callers,
            refresher: None,
        }
    }

    /// As many sessions as there are clients, each with the statement prepared.
    pub fn prepared(
        name: &'static str,
        target: Target<'_>,
        clients: u32,
        statement: &str,
        parameters: impl Fn() -> Parameters,
        expected: Option<usize>,
    ) -> Result<Self> {
        let callers = (0..clients).map(|_| {
            let mut session = Postgres::connect(target)?;
            session.prepare(statement)?;
            Ok(Box::new(Prepared {
                session,
                parameters: parameters(),
                expected,
            }) as Box<dyn Caller>)
        });
        Ok(Side::new(name, callers.collect::<Result<_>>()?))
    }

    /// Its calls leave work to this refresher.
    pub fn with_refresher(mut self, process: i32) -> Self {
        self.refresher = Some(process);
        self
    }

    /// A call of each client for each of the first rows. A session's first calls cost more: it plans its statement, loads
    /// what it remembers, and maps each page of shared memory when it touches it for the first time.
    pub fn warm_up(&mut self, rows: u32) -> Result<()> {
        thread::scope(|scope| {
            let threads: Vec<_> = self
                .callers
                .iter_mut()
                .map(|caller| scope.spawn(move || (0..rows).try_for_each(|row| caller.call(row))))
                .collect();
            let mut results = threads
                .into_iter()
                .map(|thread| thread.join().map_err(|_| "a client died")?);
            results.try_for_each(|result| result)
        })?;
        self.wait_for_refresher()
    }

    /// One call of its first client.
    pub fn call(&mut self, number: u32) -> Result<()> {
        let caller = self.callers.first_mut().ok_or("a side without client")?;
        caller.call(number)
    }

    /// Calls for rows chosen at random, for this long.
    pub fn speed(&mut self, duration: Duration, rows: u32) -> Result<Speed> {
        let before = (self.cpu_time()?, self.refresher_time()?);
        let clients: Vec<(u32, Duration)> = thread::scope(|scope| {
            let threads: Vec<_> = self
                .callers
                .iter_mut()
                .map(|caller| scope.spawn(move || calls(caller.as_mut(), duration, rows)))
                .collect();
            let results = threads
                .into_iter()
                .map(|thread| thread.join().map_err(|_| "a client died")?);
            results.collect::<Result<_>>()
        })?;
        let number: u32 = clients.iter().map(|(count, _)| count).sum();
        let cpu = self.cpu_time()? - before.0;
        self.wait_for_refresher()?;
        let later = self.refresher_time()? - before.1;
        Ok(Speed {
            rate: clients
                .iter()
                .map(|(count, elapsed)| f64::from(*count) / elapsed.as_secs_f64())
                .sum(),
            cpu: micros(cpu, number),
            later: micros(later, number),
        })
    }

    /// Redis serves all clients with one process.
    fn cpu_time(&self) -> Result<Duration> {
        let processes: BTreeSet<i32> = self.callers.iter().map(|one| one.process()).collect();
        processes.into_iter().map(process::precise_cpu_time).sum()
    }

    fn refresher_time(&self) -> Result<Duration> {
        self.refresher
            .map_or(Ok(Duration::ZERO), process::precise_cpu_time)
    }

    /// Its work belongs to these calls, and not to those of the next side.
    fn wait_for_refresher(&self) -> Result<()> {
        self.refresher.map_or(Ok(()), wait_until_quiet)
    }
}

/// Waits until a refresher has written what it has collected.
pub fn wait_until_quiet(refresher: i32) -> Result<()> {
    let mut last = (process::precise_cpu_time(refresher)?, Instant::now());
    wait_for("the refresher has no work left", LIMIT, || {
        let now = process::precise_cpu_time(refresher)?;
        if now != last.0 {
            last = (now, Instant::now());
        }
        Ok((last.1.elapsed() >= QUIET).then_some(()))
    })
}

fn calls(caller: &mut dyn Caller, duration: Duration, rows: u32) -> Result<(u32, Duration)> {
    let mut state = dataset::seed();
    let mut count = 0;
    let started = Instant::now();
    while started.elapsed() < duration {
        caller.call((dataset::next_random(&mut state) % u64::from(rows)) as u32)?;
        count += 1;
    }
    Ok((count, started.elapsed()))
}

/// One round: all sides in turn and then in turn backwards, so that what changes steadily meets them alike.
pub fn in_turns(sides: usize, mut speed: impl FnMut(usize) -> Result<Speed>) -> Result<Vec<Speed>> {
    let mut means = vec![Speed::default(); sides];
    for side in (0..sides).chain((0..sides).rev()) {
        let one = speed(side)?;
        means[side].rate += one.rate / 2.0;
        means[side].cpu += one.cpu / 2.0;
        means[side].later += one.later / 2.0;
    }
    Ok(means)
}

/// One round of calls through clients.
pub fn through_clients(sides: &mut [Side], arguments: &Arguments) -> Result<Vec<Speed>> {
    in_turns(sides.len(), |side| {
        sides[side].speed(arguments.duration, arguments.rows)
    })
}

/// A statement of so many calls, alone in a session.
pub fn in_one_statement(admin: &mut Client, number: u32, statement: &str) -> Result<Speed> {
    let process: i32 = admin.query_one("SELECT pg_backend_pid()", &[])?.get(0);
    let (before, started) = (process::precise_cpu_time(process)?, Instant::now());
    admin.batch_execute(statement)?;
    let elapsed = started.elapsed();
    let cpu = process::precise_cpu_time(process)? - before;
    Ok(Speed::new(number, elapsed, cpu))
}

/// Keeps what one round has given.
pub fn record<'a>(
    report: &mut Report,
    measurement: &str,
    names: impl IntoIterator<Item = &'a str>,
    speeds: &[Speed],
) {
    for (name, speed) in names.into_iter().zip(speeds) {
        report.figure(measurement, name, CALLS, speed.rate);
        report.figure(measurement, name, CPU, speed.cpu);
        if speed.later > 0.0 {
            report.figure(measurement, name, LATER, speed.later);
        }
    }
}

fn micros(time: Duration, calls: u32) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(calls.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_goes_there_and_back() {
        let mut order = Vec::new();
        let speeds = in_turns(3, |side| {
            order.push(side);
            Ok(Speed {
                rate: order.len() as f64,
                ..Speed::default()
            })
        });
        assert_eq!(order, [0, 1, 2, 2, 1, 0]);
        let means: Vec<f64> = speeds.unwrap().iter().map(|speed| speed.rate).collect();
        assert_eq!(means, [3.5, 3.5, 3.5]);
    }
}
