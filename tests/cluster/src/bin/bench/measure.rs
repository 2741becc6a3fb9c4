//! One round: each pair of statements, one right after the other.

use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;
use token_vault_cluster::{Cluster, Result};

use crate::arguments::Arguments;
use crate::dataset::{self, GET_TOKEN, SELECT, STORE_TOKEN, UPSERT};

/// Calls, at most, within one statement of [`inside_the_server`].
const MAX_CALLS: u32 = 20_000;

/// The throughput of a plain statement and of ours, in calls a second.
pub struct Pair {
    pub name: &'static str,
    pub plain: f64,
    pub ours: f64,
}

#[derive(Clone, Copy)]
pub enum Kind {
    Read,
    Write,
}

impl Pair {
    /// Measures plain, ours, ours, plain: what changes steadily meanwhile meets both alike.
    pub fn measure(
        name: &'static str,
        plain: &str,
        ours: &str,
        mut throughput: impl FnMut(&str) -> Result<f64>,
    ) -> Result<Self> {
        let first = (throughput(plain)?, throughput(ours)?);
        let second = (throughput(ours)?, throughput(plain)?);
        Ok(Self {
            name,
            plain: (first.0 + second.1) / 2.0,
            ours: (first.1 + second.0) / 2.0,
        })
    }
}

/// As applications call: prepared statements over several connections, a transaction each.
pub fn through_clients(cluster: &Cluster, arguments: &Arguments) -> Result<Vec<Pair>> {
    let pair = |name, kind, plain, ours, setting| {
        Pair::measure(name, plain, ours, |statement| {
            let session = format!("SET synchronous_commit = {setting}");
            throughput(cluster, arguments, kind, statement, &session)
        })
    };
    Ok(vec![
        pair("get_token", Kind::Read, SELECT, GET_TOKEN, "on")?,
        pair("store_token", Kind::Write, UPSERT, STORE_TOKEN, "on")?,
        pair(
            "store_token_asynchronous_commit",
            Kind::Write,
            UPSERT,
            STORE_TOKEN,
            "off",
        )?,
    ])
}

/// Without client, network and commit: many calls in one statement, which leaves the work itself.
pub fn inside_the_server(admin: &mut Client, arguments: &Arguments) -> Result<Vec<Pair>> {
    let rows = arguments.rows;
    // No row twice: one INSERT must not meet a row again that it has just written.
    let number = MAX_CALLS.min(rows);
    let (subject, value) = (
        format!("'user-' || n * 7919 % {rows}"),
        dataset::access_token(0),
    );
    let series = format!("FROM generate_series(1, {number}) AS n");
    let select = SELECT.replace("$1", &subject);
    let get_token = GET_TOKEN.replace("$1", &subject);
    let store_token = STORE_TOKEN
        .replace("$1", &subject)
        .replace("$2", &format!("'{value}'"));
    let mut pair = |name, plain: String, ours: String| {
        Pair::measure(name, &plain, &ours, |statement| {
            calls(admin, number, statement)
        })
    };
    Ok(vec![
        pair(
            "get_token_in_server",
            format!("SELECT count(length(({select}))) {series}"),
            format!("SELECT count(length(({get_token}))) {series}"),
        )?,
        pair(
            "store_token_in_server",
            format!(
                "INSERT INTO plain
                 SELECT 'default', 'bench', {subject}, '', '{value}', now() + interval '1 day', now()
                 {series}
                 ON CONFLICT (tenant, provider, subject, label) DO UPDATE SET value = excluded.value,
                     expires_at = excluded.expires_at, updated_at = excluded.updated_at"
            ),
            format!("{store_token} {series}"),
        )?,
    ])
}

fn calls(admin: &mut Client, number: u32, statement: &str) -> Result<f64> {
    let started = Instant::now();
    admin.batch_execute(statement)?;
    Ok(f64::from(number) / started.elapsed().as_secs_f64())
}

/// Calls a second of one statement over all clients, each of which begins its session with `session`.
pub fn throughput(
    cluster: &Cluster,
    arguments: &Arguments,
    kind: Kind,
    statement: &str,
    session: &str,
) -> Result<f64> {
    let mut clients = Vec::new();
    for _ in 0..arguments.clients {
        let mut client = cluster.connect("bench", "postgres")?;
        client.batch_execute(session)?;
        clients.push(client);
    }
    let (duration, rows) = (arguments.duration / 2, arguments.rows);
    thread::scope(|scope| {
        let threads: Vec<_> = clients
            .iter_mut()
            .zip(1_u64..)
            .map(|(client, seed)| {
                scope.spawn(move || one_client(client, seed, kind, statement, duration, rows))
            })
            .collect();
        let rates = threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| "a client died")?);
        rates.sum()
    })
}

fn one_client(
    client: &mut Client,
    seed: u64,
    kind: Kind,
    statement: &str,
    duration: Duration,
    rows: u32,
) -> Result<f64> {
    let statement = client.prepare(statement)?;
    let value = dataset::access_token(u32::MAX);
    let mut state = seed;
    let mut count = 0_u32;
    let started = Instant::now();
    while started.elapsed() < duration {
        let subject = dataset::subject((dataset::next_random(&mut state) % u64::from(rows)) as u32);
        match kind {
            Kind::Read => {
                let row = client.query_one(&statement, &[&subject])?;
                if row.get::<_, &str>(0).len() != value.len() {
                    return Err("a value of another length came back".into());
                }
            }
            Kind::Write => {
                client.execute(&statement, &[&subject, &value])?;
            }
        }
        count += 1;
    }
    Ok(f64::from(count) / started.elapsed().as_secs_f64())
}
