//! Re-encryption of a full table after `rotate_key`, by the worker: how many tokens a second, what readers notice
//! meanwhile, and whether the worker's memory stays flat.

use std::fmt;
use std::time::{Duration, Instant};

use postgres::Client;
use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Cluster, Options, Result};

use crate::arguments::Arguments;
use crate::dataset;
use crate::process::anonymous_memory;
use crate::report::{Report, Wanted};

/// What the issue of speed is measured against: tokens a second that one core encrypts again.
const WANTED_RATE: f64 = 20_000.0;
const DATABASE: &str = "rotation";

/// What was measured.
struct Reencryption {
    tokens: u32,
    /// Tokens a second.
    rate: f64,
    /// 99th percentile of a `get_token`, alone and meanwhile.
    idle: Duration,
    busy: Duration,
    /// Anonymous memory of the worker in kB, soon after its start and at its last.
    memory: (u64, u64),
}

/// Runs it once, in a server of its own.
pub fn measure(options: &Options, arguments: &Arguments) -> Result<Report> {
    let cluster = Cluster::start_new(options)?;
    let mut admin = cluster.create_vault(DATABASE)?;
    let tokens = arguments.reencrypted;
    eprintln!("loading {tokens} tokens to encrypt again");
    load(&mut admin, tokens)?;
    let mut reader = Reader::new(&cluster, tokens)?;
    reader.latencies(Duration::from_secs(1))?;
    let idle = reader.latencies(arguments.duration)?;
    eprintln!("encrypting {tokens} tokens again");
    admin.batch_execute("SELECT vault.rotate_key()")?;
    let worker = wait_for("a worker begins", Duration::from_secs(30), || {
        worker(&mut admin)
    })?;
    let mut memory = Vec::new();
    let mut busy = Vec::new();
    while is_running(&mut admin)? {
        busy.extend(reader.latencies(Duration::from_millis(500))?);
        // Before it has counted, and sealed its first batches, it has not allocated what it needs.
        if has_begun(&mut admin)? {
            memory.extend(anonymous_memory(worker));
        }
    }
    cluster.assert_never_crashed();
    let measured = Reencryption {
        tokens,
        rate: rate(&mut admin)?,
        idle: percentile_99(idle),
        busy: percentile_99(busy),
        memory: (
            memory.first().copied().unwrap_or(0),
            memory.last().copied().unwrap_or(0),
        ),
    };
    Ok(measured.report())
}

impl fmt::Display for Reencryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "re-encryption of {} tokens: {:.0} a second; get_token's 99th percentile {} µs, alone {} µs; \
             memory of the worker {} kB, at the end {} kB",
            self.tokens,
            self.rate,
            self.busy.as_micros(),
            self.idle.as_micros(),
            self.memory.0,
            self.memory.1
        )
    }
}

impl Reencryption {
    fn report(&self) -> Report {
        let mut report = Report::default();
        report.note(self.to_string());
        let latency = self.busy.as_secs_f64() / self.idle.as_secs_f64();
        let memory = self.memory.1 as f64 / self.memory.0 as f64;
        for (name, wanted, ratio) in [
            (
                "reencryption_to_20000_tokens_a_second",
                Wanted::AtLeast(1.0),
                self.rate / WANTED_RATE,
            ),
            ("get_token_p99_while_reencrypting", Wanted::Nothing, latency),
            ("reencryption_worker_memory", Wanted::Nothing, memory),
        ] {
            report.ratio(name, wanted, ratio);
        }
        report
    }
}

fn load(admin: &mut Client, tokens: u32) -> Result<()> {
    admin.batch_execute(&format!(
        "SELECT vault.register_provider('bench', token_endpoint => 'https://bench.example/token');
         SELECT count(vault.store_token('bench', 'user-' || n, '{}', expires_in => 86400))
         FROM generate_series(1, {tokens}) AS n;",
        dataset::access_token(0)
    ))?;
    for statement in ["VACUUM ANALYZE vault.token", "CHECKPOINT"] {
        admin.batch_execute(statement)?;
    }
    Ok(())
}

/// One connection that reads tokens, one after the other.
struct Reader {
    client: Client,
    statement: postgres::Statement,
    tokens: u32,
    state: u64,
}

impl Reader {
    fn new(cluster: &Cluster, tokens: u32) -> Result<Self> {
        let mut client = cluster.connect(DATABASE, "postgres")?;
        let statement = client.prepare(dataset::GET_TOKEN)?;
        Ok(Reader {
            client,
            statement,
            tokens,
            state: 1,
        })
    }

    fn latencies(&mut self, duration: Duration) -> Result<Vec<Duration>> {
        let mut latencies = Vec::new();
        let started = Instant::now();
        while started.elapsed() < duration {
            let number = dataset::next_random(&mut self.state) % u64::from(self.tokens) + 1;
            let subject = dataset::subject(number as u32);
            let called = Instant::now();
            self.client.query_one(&self.statement, &[&subject])?;
            latencies.push(called.elapsed());
        }
        Ok(latencies)
    }
}

fn worker(admin: &mut Client) -> Result<Option<i32>> {
    let row = admin.query_opt(
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'token_vault custodian' AND datname = current_database()",
        &[],
    )?;
    Ok(row.map(|row| row.get(0)))
}

fn is_running(admin: &mut Client) -> Result<bool> {
    Ok(admin
        .query_one("SELECT state <> 'done' FROM vault.reencryption", &[])?
        .get(0))
}

fn has_begun(admin: &mut Client) -> Result<bool> {
    Ok(admin
        .query_one("SELECT done > 0 FROM vault.reencryption", &[])?
        .get(0))
}

fn rate(admin: &mut Client) -> Result<f64> {
    Ok(admin
        .query_one(
            "SELECT (done / extract(epoch FROM finished_at - started_at))::float8 FROM vault.reencryption",
            &[],
        )?
        .get(0))
}

fn percentile_99(mut latencies: Vec<Duration>) -> Duration {
    latencies.sort_unstable();
    latencies
        .get(latencies.len() * 99 / 100)
        .copied()
        .unwrap_or_default()
}
