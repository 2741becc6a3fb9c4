//! What an ordinary load notices of refreshing: pgbench's TPC-B with and without a thousand refreshes a second beside
//! it, in turns.

use std::time::{Duration, Instant};

use postgres::Client;
use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Options, Result};

use crate::arguments::Arguments;
use crate::beside::{self, Beside, LIMIT};
use crate::measure::{self, Speed};
use crate::report::{Report, Wanted};

const NAME: &str = "tpcb_beside_1000_refreshes_a_second";
const SIDES: [&str; 2] = ["alone", "beside 1000 refreshes/s"];
const REFRESHES_A_SECOND: u32 = 1000;
/// 100,000 accounts each.
const SCALE: &str = "10";
/// The refreshes begin a little earlier than pgbench counts, and end a little later.
const MARGIN: Duration = Duration::from_secs(1);
/// Fewer refreshes than that were not beside it.
const LEAST_RATE: f64 = 0.75 * REFRESHES_A_SECOND as f64;

/// Runs it in a server of its own.
pub fn measure(options: &Options, arguments: &Arguments) -> Result<Report> {
    let beside = Beside::start(options, Duration::from_secs(864_000))?;
    let mut db = beside.vault("refreshing")?;
    let tokens = REFRESHES_A_SECOND * (arguments.duration + 2 * MARGIN).as_secs() as u32;
    eprintln!("loading {tokens} tokens to refresh beside pgbench");
    beside.store(&mut db, 0..tokens)?;
    beside.cluster.createdb("tpcb")?;
    beside
        .cluster
        .pgbench("tpcb", &["--initialize", "--quiet", "--scale", SCALE])?;
    db.batch_execute("VACUUM ANALYZE vault.token")?;
    beside.refresh(&mut db, true)?;
    let mut report = Report::default();
    for round in 1..=arguments.rounds {
        eprintln!("neighbour: round {round} of {}", arguments.rounds);
        db.batch_execute("CHECKPOINT")?;
        let speeds = measure::in_turns(SIDES.len(), |side| {
            let rate = match side {
                0 => transactions_a_second(&beside, arguments),
                _ => beside_refreshes(&beside, &mut db, arguments),
            };
            Ok(Speed {
                rate: rate?,
                ..Speed::default()
            })
        })?;
        for (side, speed) in SIDES.iter().zip(&speeds) {
            report.figure("pgbench TPC-B", side, "transactions/s", speed.rate);
        }
        report.ratio(NAME, Wanted::Nothing, speeds[1].rate / speeds[0].rate);
    }
    Ok(report)
}

fn beside_refreshes(beside: &Beside, db: &mut Client, arguments: &Arguments) -> Result<f64> {
    // One token becomes due after the other, from now on.
    db.execute(
        "UPDATE vault.refresh_schedule AS s SET due_at = clock_timestamp() + t.place * interval '1 second' / $1::int
         FROM (SELECT token, row_number() OVER () AS place FROM vault.refresh_schedule) AS t WHERE t.token = s.token",
        &[&(REFRESHES_A_SECOND as i32)],
    )?;
    let before = beside.provider.token_requests();
    beside::look(db)?;
    beside.wait_for_requests(before + 1)?;
    let (begin, counted) = (Instant::now(), beside.provider.token_requests());
    let throughput = transactions_a_second(beside, arguments)?;
    let refreshes = beside.provider.token_requests() - counted;
    let rate = refreshes as f64 / begin.elapsed().as_secs_f64();
    if rate < LEAST_RATE {
        return Err(format!("only {rate:.0} refreshes a second were beside pgbench").into());
    }
    // The next measurement begins in peace.
    wait_for("the end of the refreshes", LIMIT, || {
        let due = "SELECT count(*) = 0 FROM vault.refresh_schedule WHERE attempt IS NOT NULL OR due_at < now() + interval '1 day'";
        Ok(db.query_one(due, &[])?.get::<_, bool>(0).then_some(()))
    })?;
    Ok(throughput)
}

fn transactions_a_second(beside: &Beside, arguments: &Arguments) -> Result<f64> {
    let seconds = arguments.duration.as_secs().to_string();
    let clients = arguments.clients.to_string();
    let output = beside.cluster.pgbench(
        "tpcb",
        &[
            "--no-vacuum",
            "--protocol=prepared",
            "--time",
            &seconds,
            "--client",
            &clients,
        ],
    )?;
    let tps = output.lines().find_map(|line| line.strip_prefix("tps = "));
    let tps = tps.and_then(|rest| rest.split_whitespace().next());
    Ok(tps.ok_or("pgbench told no throughput")?.parse()?)
}
