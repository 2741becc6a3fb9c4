//! Refreshing at full speed: how many durable refreshes a second the worker sustains beside its provider, what one
//! costs, whether its memory stays flat, and whether the token table's updates are HOT.

use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;
use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Options, Result};

use crate::arguments::Arguments;
use crate::beside::{self, Beside, LIMIT};
use crate::process;
use crate::report::{Report, Wanted};

/// What the issue of speed is measured against.
const WANTED_RATE: f64 = 5000.0;
const WANTED_CPU: f64 = 100e-6;
const WANTED_MEMORY: f64 = 64.0 * 1024.0;
const WANTED_HOT: f64 = 0.95;

/// So short that every token is due again before the worker comes back to it.
const EXPIRES_IN: Duration = Duration::from_secs(2);
/// Until caches, connections and threads are there.
const WARM_UP: Duration = Duration::from_secs(2);
const SAMPLING: Duration = Duration::from_millis(500);

/// What was measured.
struct Refreshing {
    tokens: u32,
    duration: Duration,
    refreshes: u64,
    worker_time: Duration,
    provider_time: Duration,
    /// kB: after the warm-up, the most, at the end.
    memory: [u64; 3],
    /// kB, shared memory included.
    resident: u64,
    hot: f64,
    /// Of the worker, for all it does.
    transactions: i64,
}

/// Runs it once, in a server of its own.
pub fn measure(options: &Options, arguments: &Arguments) -> Result<Report> {
    let connections = arguments.connections.to_string();
    let options = options.clone().set("token_vault.connections", &connections);
    let beside = Beside::start(&options, EXPIRES_IN)?;
    let mut db = beside.vault("refreshing")?;
    let tokens = arguments.refreshed;
    eprintln!("loading {tokens} tokens to refresh");
    beside.store(&mut db, 0..tokens)?;
    db.batch_execute("VACUUM ANALYZE vault.token")?;
    db.batch_execute("CHECKPOINT")?;
    let worker = beside::refresher(&mut db)?;
    eprintln!("refreshing for {} s", arguments.sustained.as_secs());
    beside.refresh(&mut db, true)?;
    beside.wait_for_requests(1)?;
    thread::sleep(WARM_UP);
    let mut measured = sustained(&beside, &mut db, worker, arguments)?;
    beside.refresh(&mut db, false)?;
    require_all_durable(&beside, &mut db)?;
    measured.hot = hot_share(&mut db, beside.provider.token_requests())?;
    beside.cluster.assert_never_crashed();
    Ok(measured.report())
}

fn sustained(
    beside: &Beside,
    db: &mut Client,
    worker: i32,
    arguments: &Arguments,
) -> Result<Refreshing> {
    let transactions = commits(db)?;
    let requests = beside.provider.token_requests();
    let times = (process::cpu_time(worker)?, beside.provider_time()?);
    let mut samples = Vec::new();
    let started = Instant::now();
    while started.elapsed() < arguments.sustained {
        samples.extend(process::anonymous_memory(worker));
        thread::sleep(SAMPLING.min(arguments.sustained.saturating_sub(started.elapsed())));
    }
    let duration = started.elapsed();
    let refreshes = beside.provider.token_requests() - requests;
    samples.extend(process::anonymous_memory(worker));
    Ok(Refreshing {
        tokens: arguments.refreshed,
        duration,
        refreshes,
        worker_time: process::cpu_time(worker)? - times.0,
        provider_time: beside.provider_time()? - times.1,
        memory: [
            samples.first().copied().unwrap_or_default(),
            samples.iter().max().copied().unwrap_or_default(),
            samples.last().copied().unwrap_or_default(),
        ],
        resident: process::resident_memory(worker).unwrap_or_default(),
        hot: 0.0,
        transactions: commits(db)? - transactions,
    })
}

fn commits(db: &mut Client) -> Result<i64> {
    let commits = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()";
    Ok(db.query_one(commits, &[])?.get(0))
}

/// The rate counts answers; each must have become a token. Refreshing has just been turned off, and ends by and by.
fn require_all_durable(beside: &Beside, db: &mut Client) -> Result<()> {
    wait_for("a new token for each answer", LIMIT, || {
        let answers = beside.provider.token_requests();
        let replacements = beside::replacements(db)?;
        Ok((replacements == answers).then_some(()))
    })
}

/// The share of HOT updates of `vault.token`, once the statistics know of all of them.
fn hot_share(db: &mut Client, updates: u64) -> Result<f64> {
    wait_for("statistics of the updates", LIMIT, || {
        db.batch_execute("SELECT pg_stat_clear_snapshot()")?;
        let row = db.query_one(
            "SELECT n_tup_upd, n_tup_hot_upd::float8 / greatest(n_tup_upd, 1)
             FROM pg_stat_user_tables WHERE relid = 'vault.token'::regclass",
            &[],
        )?;
        Ok((row.get::<_, i64>(0) as u64 >= updates).then(|| row.get(1)))
    })
}

impl Refreshing {
    fn rate(&self) -> f64 {
        self.refreshes as f64 / self.duration.as_secs_f64()
    }

    fn per_refresh(&self, time: Duration) -> f64 {
        time.as_secs_f64() / self.refreshes.max(1) as f64
    }

    fn report(&self) -> Report {
        let mut report = Report::default();
        report.note(self.to_string());
        let [first, most, last] = self.memory;
        let worker = self.per_refresh(self.worker_time) / WANTED_CPU;
        let (most, growth) = (
            most as f64 / WANTED_MEMORY,
            last as f64 / first.max(1) as f64,
        );
        for (name, wanted, ratio) in [
            (
                "refreshes_to_5000_a_second",
                Wanted::AtLeast(1.0),
                self.rate() / WANTED_RATE,
            ),
            ("refresh_worker_time_to_100_us", Wanted::AtMost(1.0), worker),
            ("refresh_worker_memory_to_64_MB", Wanted::AtMost(1.0), most),
            ("refresh_worker_memory", Wanted::Nothing, growth),
            (
                "hot_updates_to_95_percent",
                Wanted::AtLeast(1.0),
                self.hot / WANTED_HOT,
            ),
        ] {
            report.ratio(name, wanted, ratio);
        }
        report
    }
}

impl fmt::Display for Refreshing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, most, last] = self.memory;
        write!(
            f,
            "refreshing {} tokens for {:.0} s: {:.0} a second; processor time of one {:.0} µs in the worker, \
             {:.0} µs in the provider; {:.1} refreshes in a transaction; memory of the worker {first} kB, at most {most} kB, at the end {last} kB \
             ({} kB with shared memory); {:.1} % of the updates HOT",
            self.tokens,
            self.duration.as_secs_f64(),
            self.rate(),
            self.per_refresh(self.worker_time) * 1e6,
            self.per_refresh(self.provider_time) * 1e6,
            self.refreshes as f64 / self.transactions.max(1) as f64,
            self.resident,
            self.hot * 100.0,
        )
    }
}
